import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest'
import { removeCluster, serverOf } from '../src/db/cluster.js'
import { databaseUrl, jwtSecret } from './settings.js'

/** A checkout of its own, compiled: its processes and its data are nobody else's. */
let house: string
const running = new Map<ChildProcess, Promise<unknown>>()

beforeAll(async () => {
  house = await mkdtemp(join(tmpdir(), 'house-'))
  await chmod(house, 0o755)
  execFileSync('node_modules/.bin/tsc', ['--incremental', 'false', '--outDir', join(house, 'dist')])
  for (const name of ['node_modules', 'migrations', 'package.json']) {
    if (existsSync(name)) await symlink(join(process.cwd(), name), join(house, name))
  }
})

afterEach(async () => {
  for (const child of running.keys()) child.kill('SIGKILL')
  await Promise.all(running.values())
})

afterAll(async () => {
  await removeCluster(join(house, '.data/postgres')).catch(() => {})
  await rm(house, { recursive: true, force: true })
})

test('without its variables a server names them and exits 1, and brings no database', async () => {
  const { code, errors } = await run([], {}).ended
  expect(code).toBe(1)
  expect(errors).toContain('DATABASE_URL: is required')
  expect(errors).toContain('JWT_SECRET: is required')
  expect(existsSync(join(house, '.data'))).toBe(false)
})

test('an older Node is told what to do before anything else is loaded', async () => {
  const older = `data:text/javascript,Object.defineProperty(process,'versions',{value:{node:'20.1.0'}})`
  const { code, errors } = await run([], {}, ['--import', older]).ended
  expect(code).toBe(1)
  expect(errors).toBe('This needs Node 24 or newer and runs on 20.1.0: use "npm start", which brings its own.\n')
})

test('a server with a DATABASE_URL leaves the schema alone, embedded mode or not', async () => {
  const name = `main_${process.pid}`
  await onServer(`create database ${name}`)
  const given = { DATABASE_URL: databaseUrl(inject('postgres'), name), JWT_SECRET: jwtSecret }
  for (const args of [[], ['--embedded']]) {
    const server = run(args, given)
    await server.ready()
    server.child.kill('SIGTERM')
    expect((await server.ended).code).toBe(0)
  }
  const client = new Client(given.DATABASE_URL)
  await client.connect()
  const { rows } = await client.query(`select tablename from pg_tables where schemaname = 'public'`)
  await client.end()
  await onServer(`drop database ${name}`)
  expect(rows).toEqual([])
  expect(existsSync(join(house, '.data'))).toBe(false)
})

test('the embedded mode serves, drains on SIGTERM, and starts again with what it had', async () => {
  const first = run(['--embedded'], {})
  await first.ready()
  expect(await first.ask('{ __typename }')).toEqual({ data: { __typename: 'Query' } })
  expect(first.said.output).not.toContain('services without a URL')
  expect(existsSync(join(house, '.data/postgres/filled'))).toBe(true)
  first.child.kill('SIGTERM')
  expect((await first.ended).code).toBe(0)
  expect((await serverOf(join(house, '.data/postgres'))).alive).toBe(false)
  const secret = await readFile(join(house, '.data/jwt-secret'), 'utf8')

  const second = run(['--embedded'], {})
  await second.ready()
  expect(second.said.output).not.toContain('Creating')
  expect(await readFile(join(house, '.data/jwt-secret'), 'utf8')).toBe(secret)
})

test('a killed server blocks nothing', async () => {
  const first = run(['--embedded'], {})
  await first.ready()
  first.child.kill('SIGKILL')
  await first.ended
  const { pid } = await serverOf(join(house, '.data/postgres'))
  process.kill(pid, 'SIGKILL')

  const second = run(['--embedded'], {})
  await second.ready()
  expect(await second.ask('{ __typename }')).toEqual({ data: { __typename: 'Query' } })
})

test('a taken port is named, and the embedded server does not stay behind', async () => {
  const squatter = createServer().listen(0, '127.0.0.1')
  await once(squatter, 'listening')
  const { port } = squatter.address() as AddressInfo
  const { code, errors } = await run(['--embedded'], { PORT: String(port) }).ended
  squatter.close()
  expect(code).toBe(1)
  expect(errors).toContain(`127.0.0.1:${port}): set PORT to another.`)
  expect((await serverOf(join(house, '.data/postgres'))).alive).toBe(false)
})

test.each([
  ['exits', 'process.exit()'],
  ['fails', 'throw new Error()'],
  ['is done', ''],
])('what was logged right before a process %s reaches its standard output', async (_how, end) => {
  const log = `import { createLog } from './dist/core/log.js'; const log = createLog({ LOG_LEVEL: 'info' })`
  const child = spawn(process.execPath, ['--eval', `${log}; log.info('first'); log.info('last'); ${end}`], {
    cwd: house,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const lines = (await text(child.stdout)).trim().split('\n')
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['first', 'last'])
})

function run(args: string[], variables: Record<string, string>, nodeArgs: string[] = []) {
  const env = { PATH: process.env.PATH, PORT: '0', ...variables }
  const child = spawn(process.execPath, [...nodeArgs, join(house, 'dist/main.js'), ...args], { env })
  const said = { output: '', errors: '', code: null as number | null }
  child.stdout.on('data', (text) => (said.output += text))
  child.stderr.on('data', (text) => (said.errors += text))
  const url = () => /https?:\/\/127\.0\.0\.1:\d+/.exec(said.output)?.[0]
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child)
    return { ...said, code: code as number | null }
  })
  running.set(child, ended)
  return {
    child,
    said,
    ended,
    async ready() {
      while (!url()) {
        if (child.exitCode !== null) throw new Error(`It ended: ${said.errors}`)
        await sleep(20)
      }
    },
    async ask(query: string) {
      const response = await fetch(`${url()}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      })
      return await response.json()
    },
  }
}

async function onServer(statement: string): Promise<void> {
  const client = new Client(inject('postgres'))
  await client.connect()
  await client.query(statement)
  await client.end()
}
