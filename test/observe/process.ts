import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { jwtSecret } from '../settings.js'

const execute = promisify(execFile)

const root = join(import.meta.dirname, '../..')

/** A compiled house in a folder of its own, to run as it runs in production. */
export interface House extends AsyncDisposable {
  readonly folder: string
  /** A server that listens. */
  run(variables: Record<string, string>): Promise<Running>
  /** A worker that does jobs. */
  work(variables: Record<string, string>): Promise<Working>
}

export interface Running {
  readonly url: string
  readonly pid: number
  /** Ends it as an orchestrator does. */
  stop(): Promise<Stopped>
}

export interface Working {
  /** Everything that it has said so far. */
  said(): string
  /** Ends it as an orchestrator does. */
  stop(): Promise<Stopped>
  /** Ends it without a chance to do anything. */
  kill(): Promise<void>
}

interface Stopped {
  readonly code: number | null
  /** In ms. */
  readonly took: number
}

/** Compiles the house as it is; with `business`, a module of the tests that exports `slices` takes the business's place. */
export async function compileHouse(business?: string): Promise<House> {
  const folder = await mkdtemp(join(tmpdir(), 'observed-'))
  for (const name of ['node_modules', 'package.json', ...(business ? [] : ['migrations', 'schema'])])
    if (existsSync(join(root, name))) await symlink(join(root, name), join(folder, name))
  const config = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: { rootDir: root, outDir: folder, incremental: false, sourceMap: false, noCheck: true },
    files: [join(root, 'src/main.ts'), ...(business ? [join(root, business)] : [])],
  }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
  await execute(join(root, 'node_modules/.bin/tsc'), ['-p', folder])
  if (business)
    await writeFile(join(folder, 'src/domain/index.js'), `export * from '../../${business.replace(/\.ts$/, '.js')}'`)
  return {
    folder,
    run: (variables) => run(join(folder, 'src/main.js'), variables),
    work: (variables) => work(join(folder, 'src/main.js'), variables),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

/** Operations that this house knows by name, as if clients sent them. */
export async function writeOperations({ folder }: House, documents: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(join(folder, 'schema/operations'), { recursive: true })
  for (const [name, document] of Object.entries(documents))
    await writeFile(join(folder, `schema/operations/${name}.graphql`), document)
}

async function run(main: string, variables: Record<string, string>): Promise<Running> {
  const { child, ended, said } = start(main, [], variables)
  const url = () => /"url":"(http:[^"]+)"/.exec(said())?.[1]
  await until(child, url, said)
  return { url: url() as string, pid: child.pid as number, stop: () => stop(child, ended) }
}

async function work(main: string, variables: Record<string, string>): Promise<Working> {
  const { child, ended, said } = start(main, ['--worker'], variables)
  await until(child, () => said().includes('"msg":"ready"'), said)
  return {
    said,
    stop: () => stop(child, ended),
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

function start(main: string, args: readonly string[], variables: Record<string, string>) {
  // Without a cache what is asked again is executed again, which is what is told of here.
  const quick = { PORT: '0', SHUTDOWN_ANNOUNCE_MS: '0', JWT_SECRET: jwtSecret, CACHE: 'off' }
  const child = spawn(process.execPath, [main, ...args], { env: { PATH: process.env.PATH, ...quick, ...variables } })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text))
  return { child, ended: once(child, 'close'), said: () => said }
}

async function until(child: ChildProcess, isReady: () => unknown, said: () => string): Promise<void> {
  while (!isReady()) {
    if (child.exitCode !== null) throw new Error(`It ended: ${said()}`)
    await sleep(20)
  }
}

async function stop(child: ChildProcess, ended: Promise<unknown[]>): Promise<Stopped> {
  const began = performance.now()
  child.kill('SIGTERM')
  const [code] = await ended
  return { code: code as number | null, took: performance.now() - began }
}
