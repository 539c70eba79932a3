import { type ChildProcess, spawn } from 'node:child_process'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { root } from './data.js'
import type { Server } from './servers.js'

/** A process that this one started. */
interface Process {
  readonly pid: number
  stop(): Promise<void>
}

/** A server's running process. */
export interface Running extends Process {
  readonly server: Server
  readonly url: string
  /** Its own Redis, which ends with it. */
  readonly redis?: Process | undefined
}

/** What every server is given. */
export interface Setting {
  readonly databaseUrl: string
  readonly secret: string
  /** How many connections to PostgreSQL it may hold. */
  readonly pool: number
}

const endings = ['exit', 'SIGINT', 'SIGTERM']

/** How long a process may take to its `ready`, in ms. */
const patience = 30_000

/** Starts a server in production mode, and its Redis before; resolves when it says `ready` on standard output. */
export async function startServer(server: Server, setting: Setting): Promise<Running> {
  const port = await freePort()
  const redis = server.redis ? await startRedis() : undefined
  const { program } = server
  const [folder, path] =
    'root' in program
      ? [program.folder ?? root, program.root]
      : [join(import.meta.dirname, '..'), `dist/servers/${program.bench}.js`]
  const variables = {
    NODE_ENV: 'production',
    PORT: String(port),
    DATABASE_URL: setting.databaseUrl,
    REDIS_URL: redis?.url ?? '',
    JWT_SECRET: setting.secret,
    POOL: String(setting.pool),
    ...server.variables?.(setting.pool),
  }
  const { pid, stop } = await start(server.name, [process.execPath, join(folder, path)], { folder, variables })
  return {
    server,
    url: `http://127.0.0.1:${port}`,
    pid,
    redis,
    async stop() {
      await stop()
      await redis?.stop()
    },
  }
}

/** An empty Redis that keeps nothing on disk. */
async function startRedis(): Promise<Process & { readonly url: string }> {
  const port = await freePort()
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const started = await start('redis-server', ['redis-server', ...settings], { folder: root, variables: {} })
  return { ...started, url: `redis://127.0.0.1:${port}` }
}

async function start(
  name: string,
  [command, ...args]: [string, ...string[]],
  { folder, variables }: { folder: string; variables: Record<string, string> },
): Promise<Process> {
  const env = { ...process.env, ...variables }
  const child = spawn(command, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const kill = () => child.kill('SIGKILL')
  // Where this process is to end, the load fails first, and everything that was opened is closed on the way out.
  for (const event of endings) process.on(event, kill)
  await waitUntilReady(child, name)
  return {
    pid: child.pid as number,
    async stop() {
      for (const event of endings) process.off(event, kill)
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      const late = setTimeout(kill, 5_000)
      await ended
      clearTimeout(late)
    },
  }
}

function waitUntilReady(child: ChildProcess, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let told = ''
    const late = setTimeout(() => fail(`is not ready after ${patience / 1000} s`), patience)
    const fail = (why: string) => {
      clearTimeout(late)
      child.kill('SIGKILL')
      reject(new Error(`${name} ${why}\n${told.slice(-2000)}`))
    }
    child.once('exit', (code) => fail(`ended with ${code}`))
    child.once('error', (error) => fail(error.message))
    child.stderr?.on('data', (text) => (told = `${told}${text}`.slice(-4000)))
    child.stdout?.on('data', (text) => {
      told = `${told}${text}`.slice(-4000)
      if (!/ready/i.test(told)) return
      clearTimeout(late)
      resolve()
    })
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
