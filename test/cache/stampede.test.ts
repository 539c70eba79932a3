import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { Cache } from '../../src/cache/cache.js'
import { Computations } from '../../src/cache/computations.js'
import { RedisLevel } from '../../src/cache/redis-level.js'
import { Tags } from '../../src/cache/tags.js'
import { fact } from '../../src/core/events.js'
import { writeLog } from '../../src/core/log.js'
import { testWith } from '../needs.js'
import { openRedis, type TestRedis } from '../redis/client.js'
import { ownRedis, startRedis } from '../redis/server.js'
import { startHouse } from '../support.js'

const test = testWith(ownRedis)
const askers = 500

function open(redis: TestRedis): Computations {
  const level = new RedisLevel(redis, 'release', writeLog({ LOG_LEVEL: 'silent' }, { write: () => {} }))
  level.beginTrust()()
  const tags = new Tags(level, 60_000)
  const cache = new Cache({ tags, redis: level, memoryBytes: 2 ** 20, ttl: 60_000, coherence: 60_000 })
  return new Computations(cache, level)
}

test(`${askers} ask two processes for one key that nobody has: it is computed once`, async () => {
  await using server = await startRedis()
  await using one = openRedis(server.url)
  await using other = openRedis(server.url)
  while (!one.isAvailable || !other.isAvailable) await sleep(5)
  const processes = [open(one), open(other)]
  let computed = 0
  const compute = async () => {
    computed++
    await sleep(100)
    return { value: { sum: 42 }, at: Number.POSITIVE_INFINITY }
  }
  const wish = { name: 'sum', key: 'k', after: 0, ttl: 60_000, stale: 0, tables: ['posts'] }
  const entries = await Promise.all(
    Array.from({ length: askers }, (_, index) => processes[index % 2]?.get(wish, compute)),
  )
  expect(entries.map((entry) => entry?.value)).toEqual(Array(askers).fill({ sum: 42 }))
  expect(computed).toBe(1)
})

test(`${askers} ask one question that nobody has answered: the database is asked once`, async () => {
  await using house = await startHouse({ CACHE: 'on' })
  let statements = 0
  const stop = fact('statement.finished').listen(({ statement }) => {
    if (statement.startsWith('things')) statements++
  })
  const agent = new Agent({ keepAlive: true })
  const body = JSON.stringify({ query: '{ things(first: 10) { nodes { name } } }' })
  const ask = () =>
    new Promise<string>((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': body.length }
      const sent = request(`${house.app.url}/graphql`, { agent, method: 'POST', headers, timeout: 15_000 })
      sent.on('error', reject).on('timeout', () => sent.destroy(new Error('late')))
      sent.on('response', async (response) => resolve(Buffer.concat(await response.toArray()).toString()))
      sent.end(body)
    })
  try {
    const answers = await Promise.all(Array.from({ length: askers }, ask))
    expect(new Set(answers).size).toBe(1)
    expect(JSON.parse(answers[0] as string)).toEqual({ data: { things: { nodes: [] } } })
    expect(statements).toBe(1)
  } finally {
    stop()
    agent.destroy()
  }
})
