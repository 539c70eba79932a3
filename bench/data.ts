import { type ExecFileOptions, execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { glob, mkdir, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'

/** The repository. */
export const root = join(import.meta.dirname, '../..')

/** A running PostgreSQL with this project's data. */
export interface Data {
  readonly url: string
  /** The postmaster: every process that works for a query is its child. */
  readonly pid: number
  /** Stops it, unless another run started it. */
  stop(): Promise<void>
}

const settings = {
  shared_buffers: '1GB',
  effective_cache_size: '3GB',
  work_mem: '64MB',
  max_connections: 200,
  max_wal_size: '4GB',
  shared_preload_libraries: 'pg_stat_statements',
  autovacuum: 'off',
}

/** The data at that scale, in a cluster of its own that is kept: seeded at the first time, and when the seed has changed. */
export async function openData(scale: number, tell: (message: string) => void): Promise<Data> {
  const cluster: Cluster = await load('db/cluster.js')
  const parent = join(root, '.data/bench')
  await mkdir(parent, { recursive: true, mode: 0o755 })
  const folder = join(parent, `scale-${scale}-${await fingerprint()}`)
  const filled = `${folder}.filled`
  await removeOutdated(cluster, parent, `scale-${scale}-`, existsSync(filled) ? folder : '')
  if (!existsSync(folder)) {
    tell(`making a PostgreSQL cluster at scale ${scale}: this takes a minute or two, once`)
    await cluster.createCluster(folder)
    await cluster.startCluster(folder, { ...settings, fsync: 'off', full_page_writes: 'off' })
    await fill(scale, (await cluster.clusterUrl(folder)) as string)
    await cluster.stopCluster(folder)
    await writeFile(filled, '')
  }
  const running = await cluster.clusterUrl(folder)
  if (running) tell('this PostgreSQL runs already: what else uses it will show in the figures')
  if (!running) await cluster.startCluster(folder, settings)
  const url = running ?? ((await cluster.clusterUrl(folder)) as string)
  // It costs every statement a little: `countStatements` turns it on where it counts.
  await query(url, "alter system set pg_stat_statements.track = 'none'")
  await query(url, 'select pg_reload_conf()')
  const { pid } = await cluster.serverOf(await realpath(folder))
  return { url, pid, stop: async () => void (running ?? (await cluster.stopCluster(folder))) }
}

/** Runs one statement on a connection of its own. */
export async function query<Row extends object>(url: string, text: string, values: unknown[] = []): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url, options: '-c TimeZone=UTC -c DateStyle=ISO' })
  client.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (value) => value)
  await client.connect()
  try {
    return (await client.query<Row>(text, values)).rows
  } finally {
    await client.end()
  }
}

/** A module of the repository's build. */
export function load(path: string) {
  return import(pathToFileURL(join(root, 'dist', path)).href)
}

/** Runs a program of the repository's build. */
export function runProgram(path: string, args: string[], environment: Record<string, string>): Promise<unknown> {
  const options: ExecFileOptions = { cwd: root, env: { ...process.env, ...environment }, maxBuffer: 2 ** 26 }
  return promisify(execFile)(process.execPath, [join(root, path), ...args], options)
}

async function fill(scale: number, url: string): Promise<void> {
  const environment = { DATABASE_URL: url, LOG_LEVEL: 'warn' }
  await runProgram('dist/tools/migrate.js', [], environment)
  await runProgram('dist/tools/seed.js', ['--scale', String(scale)], environment)
  await query(url, 'create extension pg_stat_statements')
  await query(url, 'checkpoint')
}

/** Also what was never filled to its end. */
async function removeOutdated(cluster: Cluster, parent: string, prefix: string, kept: string): Promise<void> {
  const names = (await readdir(parent)).filter((name) => name.startsWith(prefix))
  for (const path of names.map((name) => join(parent, name))) {
    if (path === kept || path === `${kept}.filled`) continue
    if (path.endsWith('.filled')) await rm(path)
    else await cluster.removeCluster(path)
  }
}

/** Of everything that makes the data. */
async function fingerprint(): Promise<string> {
  const hash = createHash('sha1')
  const files: string[] = []
  for (const pattern of ['migrations/*.ts', 'src/**/*.seed.ts', 'src/graph/{fill,random}.ts'])
    for await (const file of glob(pattern, { cwd: root })) files.push(file)
  for (const file of files.sort()) hash.update(await readFile(join(root, file)))
  return hash.digest('hex').slice(0, 8)
}

interface Cluster {
  createCluster(folder: string): Promise<void>
  startCluster(folder: string, settings: Record<string, string | number>): Promise<void>
  stopCluster(folder: string): Promise<void>
  removeCluster(folder: string): Promise<void>
  clusterUrl(folder: string): Promise<string | undefined>
  serverOf(folder: string): Promise<{ pid: number }>
}
