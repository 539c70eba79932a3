import { expect } from 'vitest'
import { fact } from '../../src/core/events.js'
import { fillThings } from '../graph/things.js'
import { testWith } from '../needs.js'
import { openRedis } from '../redis/client.js'
import { anyRedis, reachRedis } from '../redis/server.js'
import { startHouse } from '../support.js'

const test = testWith(anyRedis)

test('whoever refuses more than others does not find what they answered', async () => {
  await using redis = await reachRedis()
  const shared = { CACHE: 'on', REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '5000' }
  await using open = await startHouse({ ...shared, INTROSPECTION: 'on' })
  await using closed = await startHouse({ ...shared, INTROSPECTION: 'off' })
  await using shallow = await startHouse({ ...shared, INTROSPECTION: 'on', LIMIT_DEPTH: '1' })
  for (const { app } of [open, closed, shallow]) await expect.poll(() => app.cache?.isShared).toBe(true)
  const introspection = '{ __type(name: "Thing") { name } }'
  const deep = '{ things { edges { cursor } } }'
  for (const document of [introspection, deep]) expect((await open.query(document)).errors).toBeUndefined()
  expect((await closed.query(introspection)).errors).toHaveLength(1)
  expect((await shallow.query(deep)).errors).toHaveLength(1)
})

test('nor does whoever reads another database', async () => {
  await using redis = await reachRedis()
  const shared = { CACHE: 'on', REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '5000' }
  await using one = await startHouse(shared)
  await using other = await startHouse(shared)
  await fillThings(one, [{ box: 0, size: 1, weight: '1', seenAt: null }])
  for (const { app } of [one, other]) await expect.poll(() => app.cache?.isShared).toBe(true)
  const document = '{ things { nodes { size } } }'
  expect((await one.query(document)).data.things.nodes).toHaveLength(1)
  expect((await other.query(document)).data.things.nodes).toHaveLength(0)
})

test('who wrote by another process is not answered from before, though nobody told yet what changed', async () => {
  await using redis = await reachRedis()
  await using client = openRedis(redis.url)
  await client.available()
  await using house = await startHouse({ CACHE: 'on', REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '5000' })
  await expect.poll(() => house.app.cache?.isShared).toBe(true)
  const as = { id: '01900000-0000-7000-8000-00000000000a', role: 'USER' } as const
  const found: boolean[] = []
  const stop = fact('cache.read').listen(({ cache, missing }) => {
    if (cache === 'response') found.push(missing === 0)
  })
  const ask = () => house.query('{ things { nodes { size } } }', {}, { as })
  await ask()
  await ask()
  await client.ask((commands) => commands.set(`plumbline:wrote:${as.id}`, Date.now(), 'PX', 60_000))
  await ask()
  stop()
  expect(found).toEqual([false, true, false])
})

test('what another process answered is told as found in Redis, and as found at once from then on', async () => {
  await using redis = await reachRedis()
  const shared = { CACHE: 'on', REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '5000' }
  await using one = await startHouse(shared)
  await using other = await startHouse({ ...shared, DATABASE_URL: one.url })
  for (const { app } of [one, other]) await expect.poll(() => app.cache?.isShared).toBe(true)
  const document = '{ things { nodes { weight } } }'
  await using client = openRedis(redis.url)
  await client.available()
  const kept = async () => (await client.ask((commands) => commands.keys('plumbline:*:response:*'))).length
  const before = await kept()
  await one.query(document)
  await expect.poll(kept).toBeGreaterThan(before)
  const read: object[] = []
  const stop = fact('cache.read').listen(({ cache, ...numbers }) => {
    if (cache === 'response') read.push(numbers)
  })
  for (const _ of [1, 2]) expect((await other.query(document)).statements).toEqual([])
  stop()
  expect(read).toEqual([
    { inMemory: 0, inRedis: 1, missing: 0 },
    { inMemory: 1, inRedis: 0, missing: 0 },
  ])
})
