import { spawnSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createCluster, removeCluster, serverOf, startCluster } from '../../src/db/cluster.js'
import { type Embedded, startEmbedded } from '../../src/db/embedded.js'
import { isAlive } from '../../src/db/processes.js'
import { startScratch } from '../../src/db/scratch.js'

/** The cluster of the tests that need no new one. */
let shared: string
const folders: string[] = []
const started: { stop(): Promise<void> }[] = []

beforeAll(async () => {
  shared = await makeFolder()
})

afterEach(async () => {
  for (const server of started.splice(0)) await server.stop().catch(() => {})
})

afterAll(async () => {
  for (const folder of folders) {
    await removeCluster(join(folder, 'postgres')).catch(() => {})
    await rm(dirname(folder), { recursive: true, force: true })
  }
})

const makeFolder = async (mode = 0o755): Promise<string> => {
  const parent = await mkdtemp(join(tmpdir(), 'embedded-'))
  await chmod(parent, mode)
  folders.push(join(parent, 'data'))
  return join(parent, 'data')
}

const start = async (folder = shared): Promise<Embedded> => {
  const server = await startEmbedded({ folder })
  started.push(server)
  return server
}

const query = async (url: string, text: string): Promise<Record<string, unknown>[]> => {
  const client = new Client(url)
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

const deadPid = () => spawnSync('true').pid

test('the first start makes a server that the next start finds with its data', async () => {
  const folder = await makeFolder()
  const first = await start(folder)
  expect(first.fresh).toBe(true)
  await query(first.url, 'create table kept (n int)')
  expect(await first.markFilling()).toBe(false)
  expect(await first.markFilling()).toBe(true)
  await first.markFilled()
  await first.stop()
  await expect(query(first.url, 'select 1')).rejects.toThrow('ECONNREFUSED')

  const second = await start(folder)
  expect(second.fresh).toBe(false)
  expect(second.jwtSecret).toBe(first.jwtSecret)
  expect(second.url).toBe(first.url)
  expect(await query(second.url, 'select n from kept')).toEqual([])
})

test('the server has the settings of the guide and an order of text of its own', async () => {
  const { url } = await start()
  const rows = await query(
    url,
    `select current_setting('shared_buffers') shared, current_setting('work_mem') work,
       current_setting('effective_cache_size') cache, current_setting('max_connections') connections,
       (select datlocale from pg_database where datname = current_database()) locale`,
  )
  expect(rows).toEqual([{ shared: '256MB', work: '64MB', cache: '1GB', connections: '100', locale: 'C.UTF-8' }])
})

test('nobody gets in without the password, and the secrets are for the owner only', async () => {
  const { url } = await start()
  const stranger = new URL(url)
  stranger.password = 'guess'
  await expect(query(stranger.href, 'select 1')).rejects.toThrow('password authentication failed')
  expect((await stat(join(shared, 'jwt-secret'))).mode & 0o777).toBe(0o600)
  expect((await stat(join(shared, 'postgres/password'))).mode & 0o777).toBe(0o600)
})

test('the last of several users stops the server, whoever started it', async () => {
  const starter = await start()
  const visitor = await start()
  expect(visitor.url).toBe(starter.url)
  await starter.stop()
  expect(await query(visitor.url, 'select 1 as n')).toEqual([{ n: 1 }])
  await visitor.stop()
  await expect(query(visitor.url, 'select 1')).rejects.toThrow('ECONNREFUSED')
})

test('starts at the same time, from nothing, share one server and one secret', async () => {
  const folder = await makeFolder()
  const servers = await Promise.all([start(folder), start(folder), start(folder)])
  expect(new Set(servers.map((server) => server.url)).size).toBe(1)
  expect(new Set(servers.map((server) => server.jwtSecret)).size).toBe(1)
})

test('starts and stops at the same time never leave a user without a server', async () => {
  let current = await start()
  for (let round = 0; round < 5; round++) {
    const [next] = await Promise.all([start(), current.stop()])
    expect(await query(next.url, 'select 1 as n')).toEqual([{ n: 1 }])
    current = next
  }
})

test('a killed server and killed users block nothing', async () => {
  const { url } = await start()
  await query(url, 'create table kept (n int)')
  const { pid } = await serverOf(join(shared, 'postgres'))
  process.kill(pid, 'SIGKILL')
  await expect.poll(() => isAlive(pid)).toBe(false)
  await writeFile(join(shared, 'processes', `${deadPid()}-00000000.stopping`), '')
  await writeFile(join(shared, 'processes', `${deadPid()}-00000001.using`), '')
  await mkdir(join(shared, `postgres.${deadPid()}-00000002`))

  const next = await start()
  expect(await query(next.url, 'select n from kept')).toEqual([])
  expect(await readdir(join(shared, 'processes'))).toHaveLength(2)
})

test('a lock file whose number belongs to another process by now blocks nothing', async () => {
  const { stop } = await start()
  await stop()
  const lock = ['', join(shared, 'postgres'), '0', '1', '', '127.0.0.1', '', 'ready', ''].join('\n')
  await writeFile(join(shared, 'postgres/postmaster.pid'), `${process.pid}${lock}`)
  expect(await query((await start()).url, 'select 1 as n')).toEqual([{ n: 1 }])
})

test('a port that somebody took meanwhile is replaced', async () => {
  const first = await start()
  await first.stop()
  const squatter = createServer().listen(Number(new URL(first.url).port), '127.0.0.1')
  try {
    const second = await start()
    expect(second.url).not.toBe(first.url)
    expect(await readFile(join(shared, 'port'), 'utf8')).toBe(new URL(second.url).port)
  } finally {
    squatter.close()
  }
})

test('a checkout in a private folder works, for root too', async () => {
  const folder = await makeFolder(0o700)
  const { url, stop } = await start(folder)
  expect(await query(url, 'select 1 as n')).toEqual([{ n: 1 }])
  await stop()
  const again = await start(folder)
  expect(await query(again.url, 'select 1 as n')).toEqual([{ n: 1 }])
})

test('a scratch server is removed when stopped', async () => {
  const { url, stop } = await startScratch()
  expect(await query(url, 'show fsync')).toEqual([{ fsync: 'off' }])
  const [row] = await query(url, 'show data_directory')
  await stop()
  await expect(stat(String(row?.data_directory))).rejects.toThrow('ENOENT')
})

test('a scratch server whose process died is stopped and removed by the next one', async () => {
  const probe = await startScratch()
  started.push(probe)
  const [row] = await query(probe.url, 'show data_directory')
  const left = join(dirname(String(row?.data_directory)), `plumbline-${deadPid()}-00000000`)
  await createCluster(left)
  await startCluster(left, {})
  const { pid } = await serverOf(await realpath(left))

  started.push(await startScratch())
  await expect(stat(left)).rejects.toThrow('ENOENT')
  expect(isAlive(pid)).toBe(false)
})
