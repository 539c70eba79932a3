import { expect } from 'vitest'
import { fillThings } from '../graph/things.js'
import { testWith } from '../needs.js'
import { anyRedis, reachRedis } from '../redis/server.js'
import { startHouse } from '../support.js'

const test = testWith(anyRedis)

test('whoever refuses more than others does not find what they answered', async () => {
  await using redis = await reachRedis()
  const shared = { CACHE: 'on', REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '5000' }
  await using open = await startHouse({ ...shared, INTROSPECTION: 'on' })
  await using closed = await startHouse({ ...shared, INTROSPECTION: 'off' })
  await using shallow = await startHouse({ ...shared, INTROSPECTION: 'on', LIMIT_DEPTH: '1' })
  for (const { app } of [open, closed, shallow])
    await expect.poll(() => app.cache?.isShared, { timeout: 10_000 }).toBe(true)
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
  for (const { app } of [one, other]) await expect.poll(() => app.cache?.isShared, { timeout: 10_000 }).toBe(true)
  const document = '{ things { nodes { size } } }'
  expect((await one.query(document)).data.things.nodes).toHaveLength(1)
  expect((await other.query(document)).data.things.nodes).toHaveLength(0)
})
