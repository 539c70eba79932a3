import { randomUUID } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import type { Profiler } from 'node:inspector'
import { Session } from 'node:inspector/promises'
import { extname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { createApp } from '../app.js'
import { type Config, ConfigError } from '../core/config.js'
import { createLog } from '../core/log.js'
import { slices } from '../domain/index.js'
import { createViewers } from '../server/viewer.js'
import type { Load } from './load.js'
import { type OperationFile, readOperation, valuesAt } from './operation-file.js'
import { type PackageShare, sharesByPackage } from './package-shares.js'
import { prepare } from './prepare.js'
import { runCommand } from './settings.js'

export interface Profiled {
  readonly requests: number
  /** CPU time of the server's thread a request, in microseconds. */
  readonly perRequest: number
  readonly packages: readonly PackageShare[]
  /** For Chrome's developer tools, speedscope and editors. */
  readonly profile: Profiler.Profile
}

/** As many at once keep the server busy, and reads on their shared connections. */
const connections = 16

const alone = { PORT: 0, HOST: '127.0.0.1', SHUTDOWN_ANNOUNCE_MS: 0, CACHE_RESPONSES: false }

/** Microseconds between two samples. */
const samplingInterval = 200

if (import.meta.main) {
  const { values, positionals } = readArguments()
  const [name = ''] = positionals
  await runCommand(async ({ config, embedded }) => {
    const operation = await readOperation(name)
    if (embedded) await prepare(config, embedded)
    const variables = values.variables ? [JSON.parse(values.variables)] : undefined
    const found = await profile(config, operation, { seconds: Number(values.seconds), variables })
    show(name, found, await write(name, found.profile, join(import.meta.dirname, '../../.data/profiles')))
  })
}

/**
 * Serves that configuration in this process, under a load of one operation from another thread, and profiles it after
 * as long a warm-up. It is executed each time: whole answers are not kept. `variables` are sent in turn; without them, those that the operation's file leads to.
 */
export async function profile(
  config: Config,
  operation: OperationFile,
  { seconds, variables }: { seconds: number; variables?: readonly object[] | undefined },
): Promise<Profiled> {
  // Logs go to the terminal that reads the answer.
  const log = createLog({ LOG_LEVEL: 'warn' })
  const app = await createApp({ ...config, ...alone }, slices, { log })
  try {
    const url = new URL('/graphql', await app.listen()).href
    const authorization = operation.as && (await authorize(config, operation.as))
    const sent = variables ?? (await findVariables(url, operation, authorization))
    const load: Load = { url, bodies: bodiesOf(operation, sent), authorization, connections, seconds }
    await runApart(load)
    const session = new Session()
    session.connect()
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: samplingInterval })
    await session.post('Profiler.start')
    const before = process.threadCpuUsage()
    const requests = await runApart(load)
    const { user, system } = process.threadCpuUsage(before)
    const { profile } = await session.post('Profiler.stop')
    session.disconnect()
    return { requests, perRequest: (user + system) / requests, packages: sharesByPackage(profile), profile }
  } finally {
    await app.close()
  }
}

async function authorize(config: Config, role: 'USER' | 'ADMIN'): Promise<string> {
  const viewers = createViewers(config, createLog({ LOG_LEVEL: 'silent' }))
  const { token } = await viewers.issue({ id: randomUUID(), role })
  return `Bearer ${token}`
}

async function findVariables(url: string, { from, each }: OperationFile, authorization?: string): Promise<object[]> {
  if (!from) return [{}]
  const headers = { 'content-type': 'application/json', ...(authorization && { authorization }) }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query: from }) })
  const answer = (await response.json()) as { data?: unknown }
  const found = valuesAt(answer.data, each)
  if (found.length === 0)
    throw new ConfigError(`Nothing was found to ask with: ${JSON.stringify(answer).slice(0, 500)}`)
  return found
}

function bodiesOf({ document, documents }: OperationFile, variables: readonly object[]): string[] {
  return Array.from({ length: Math.max(documents, variables.length) }, (_, index) => {
    const query = documents > 1 ? document.replace(/^(query \w+)/m, `$1_${index}`) : document
    return JSON.stringify({ query, variables: variables[index % variables.length] })
  })
}

function runApart(load: Load): Promise<number> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(join(import.meta.dirname, `load${extname(import.meta.filename)}`), { workerData: load })
    worker.on('message', resolve).on('error', ({ message }) => reject(new ConfigError(message)))
  })
}

/** Answers the path of a page that shows the profile as a flame graph, by speedscope, without a network. */
async function write(name: string, profile: Profiler.Profile, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true })
  const [data, script, page] = ['cpuprofile', 'js', 'html'].map((kind) => join(folder, `${name}.${kind}`)) as Paths
  const text = JSON.stringify(profile)
  await writeFile(data, text)
  const [title, base64] = [JSON.stringify(`${name}.cpuprofile`), JSON.stringify(Buffer.from(text).toString('base64'))]
  await writeFile(script, `speedscope.loadFileFromBase64(${title}, ${base64})`)
  const viewer = new URL(import.meta.resolve('speedscope/dist/release/index.html'))
  viewer.hash = `localProfilePath=${script}`
  await writeFile(page, `<script>location = ${JSON.stringify(viewer.href)}</script>`)
  return page
}

type Paths = [data: string, script: string, page: string]

function show(name: string, { requests, perRequest, packages }: Profiled, page: string): void {
  console.log(`${name}: ${requests} requests, ${perRequest.toFixed(0)} µs of the server's thread each`)
  for (const { name, share } of packages.slice(0, 10)) {
    console.log(`${(100 * share).toFixed(1).padStart(5)} % ${(perRequest * share).toFixed(1).padStart(7)} µs  ${name}`)
  }
  console.log(`Flame graph: ${page}\nProfile:     ${page.replace(/html$/, 'cpuprofile')}`)
}

function readArguments() {
  const options = { seconds: { type: 'string', default: '5' }, variables: { type: 'string' } } as const
  return parseArgs({ options, allowPositionals: true })
}
