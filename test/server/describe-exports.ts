import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compileHouse, type House, type Running } from '../observe/process.js'
import { createTestDatabase } from '../support.js'
import { storeRows } from './numbers.js'

/** In MB: how much more memory a server may ever have for its exports; its young generation alone takes most of that. */
const room = 160

export interface Length {
  readonly rows: number
  readonly encodings: readonly string[]
  /** For how long a slow reader reads, in s, and how many readers leave. */
  readonly slowFor: number
  readonly leavers: number
}

/** A server of a process of its own, as in production, and the exports of so many rows that it answers. */
export function describeExports({ rows, encodings, slowFor, leavers }: Length): void {
  let house: House
  let server: Running
  let database: Awaited<ReturnType<typeof createTestDatabase>>
  let client: Client
  let idle = 0
  beforeAll(async () => {
    ;[house, database] = await Promise.all([
      compileHouse('test/server/numbers.ts'),
      createTestDatabase('template_house'),
    ])
    client = new Client({ connectionString: database.url })
    await client.connect()
    await client.query(storeRows(rows))
    server = await house.run({
      DATABASE_URL: database.url,
      NODE_OPTIONS: '--max-semi-space-size=32',
      LOG_LEVEL: 'info',
    })
    await drain(await open('numbers?count=20000'))
    idle = residentOf(server.pid)
  })
  afterAll(async () => {
    await server.stop()
    await client.end()
    await Promise.all([house[Symbol.asyncDispose](), database.drop()])
  })

  const open = async (path: string, encoding = 'identity'): Promise<IncomingMessage> => {
    const headers = { 'accept-encoding': encoding }
    const [response] = await once(get(`${server.url}/exports/${path}`, { headers }), 'response')
    expect(response.statusCode).toBe(200)
    return response
  }
  const connections = async () => {
    const { rowCount } = await client.query(
      "select from pg_stat_activity where application_name = 'plumbline export' and datname = current_database()",
    )
    return rowCount
  }

  test.each(encodings)(`${rows} rows (%s): the memory of the server stays what it is`, async (encoding) => {
    const [cpu, began] = [cpuOf(server.pid), performance.now()]
    const memory = watchMemory(server.pid)
    const { bytes, lines } = await drain(await open('stored', encoding))
    const seconds = (performance.now() - began) / 1000
    const used = cpuOf(server.pid) - cpu
    const peak = memory.stop()
    if (encoding === 'identity') expect(lines).toBe(rows)
    console.log(
      `${rows} rows, ${encoding}: ${seconds.toFixed(1)} s, ${(rows / seconds).toFixed()} rows/s, ` +
        `${(bytes / seconds / 1e6).toFixed(1)} MB/s of ${(bytes / 1e6).toFixed(1)} MB, server CPU ${used.toFixed(1)} s; ` +
        `memory ${idle.toFixed()} MB before, at most ${peak.toFixed()} MB`,
    )
    expect(peak).toBeLessThan(idle + room)
    await expect.poll(connections, { timeout: 1_000, interval: 20 }).toBe(0)
  })

  test.each(encodings)('a slow reader (%s) does not grow the server', async (encoding) => {
    const before = residentOf(server.pid)
    const response = await open('numbers?count=100000000', encoding)
    const memory = watchMemory(server.pid)
    const seconds = slowFor / encodings.length
    const end = performance.now() + seconds * 1000
    let bytes = 0
    for await (const chunk of response) {
      bytes += chunk.length
      if (performance.now() > end) break
      await sleep(50)
    }
    const peak = memory.stop()
    console.log(
      `A reader of ${(bytes / seconds / 1e6).toFixed(2)} MB/s (${encoding}): ${before.toFixed()} MB, then at most ${peak.toFixed()} MB`,
    )
    expect(peak).toBeLessThan(Math.max(before, idle) + room / 2)
    await expect.poll(connections, { timeout: 1_000, interval: 20 }).toBe(0)
  })

  test('readers that leave free their connection within a second, and leave nothing behind', async () => {
    const memory = watchMemory(server.pid)
    const times: number[] = []
    for (let leaver = 0; leaver < leavers; leaver++) {
      const response = await open('stored', encodings[leaver % encodings.length])
      let taken = 0
      for await (const chunk of response) {
        taken += chunk.length
        if (taken > leaver * 20_000) break
      }
      const began = performance.now()
      await expect.poll(connections, { timeout: 1_000, interval: 5 }).toBe(0)
      times.push(performance.now() - began)
    }
    const peak = memory.stop()
    console.log(
      `${leavers} readers left: connections free after at most ${Math.max(...times).toFixed()} ms, at most ${peak.toFixed()} MB`,
    )
    expect(peak).toBeLessThan(idle + room)
  })
}

async function drain(response: IncomingMessage): Promise<{ bytes: number; lines: number }> {
  const isPlain = response.headers['content-encoding'] === undefined
  let [bytes, lines] = [0, 0]
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    for (let at = isPlain ? chunk.indexOf(10) : -1; at >= 0; at = chunk.indexOf(10, at + 1)) lines++
  }
  expect(response.complete).toBe(true)
  return { bytes, lines }
}

/** The most resident memory from now to its `stop`, in MB. */
function watchMemory(pid: number): { stop(): number } {
  let most = residentOf(pid)
  const timer = setInterval(() => (most = Math.max(most, residentOf(pid))), 50)
  return {
    stop() {
      clearInterval(timer)
      return Math.max(most, residentOf(pid))
    },
  }
}

/** In MB. */
function residentOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

/** In seconds, of all its threads. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}
