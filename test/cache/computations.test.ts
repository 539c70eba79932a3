import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Cache } from '../../src/cache/cache.js'
import { Computations } from '../../src/cache/computations.js'
import type { RedisLevel } from '../../src/cache/redis-level.js'
import { Tags } from '../../src/cache/tags.js'

function open(level?: RedisLevel, coherence = 60_000) {
  const tags = new Tags(undefined, 60_000)
  const cache = new Cache({ tags, redis: undefined, memoryBytes: 2 ** 20, ttl: 60_000, coherence })
  return { tags, computations: new Computations(cache, level) }
}

const wish = { name: 'sum', key: 'k', after: 0, ttl: 60_000, stale: 0, tables: ['posts'] }

test('who comes after a write does not get what was read before it, though it is still being computed', async () => {
  const { tags, computations } = open()
  const slow = Promise.withResolvers<void>()
  let value = 'old'
  let computed = 0
  const compute = async () => {
    computed++
    const read = value
    await slow.promise
    return { value: read, at: Date.now() }
  }
  const early = computations.get(wish, compute)
  await sleep(5)
  const joined = computations.get(wish, compute)
  await sleep(5)
  value = 'new'
  tags.forget(['posts'])
  const late = [computations.get(wish, compute), computations.get(wish, compute)]
  await sleep(5)
  slow.resolve()
  expect((await early).value).toBe('old')
  expect((await Promise.all(late)).map((entry) => entry.value)).toEqual(['new', 'new'])
  await joined
  expect(computed).toBe(2)
})

test('who must read past what others compute does not wait for them', async () => {
  const { computations } = open({ lock: async () => false } as unknown as RedisLevel)
  const began = performance.now()
  const { value } = await computations.get({ ...wish, after: Date.now() + 1_000 }, async () => ({
    value: 'mine',
    at: Date.now(),
  }))
  expect(value).toBe('mine')
  expect(performance.now() - began).toBeLessThan(1_000)
})

test('who waits for another’s computation goes on by itself as soon as that one ended with nothing to share', async () => {
  const release = () => {}
  const answers = [false, false, release] as const
  let asked = 0
  const { computations } = open({ lock: async () => answers[Math.min(asked++, 2)] } as unknown as RedisLevel)
  const began = performance.now()
  expect((await computations.get(wish, async () => ({ value: 'mine', at: Number.POSITIVE_INFINITY }))).value).toBe(
    'mine',
  )
  expect(performance.now() - began).toBeLessThan(1_000)
})

test('a value is as old as it may be from when it began to be computed, and with what it is made of', async () => {
  const { computations } = open()
  const slow = { ...wish, tables: [], ttl: 1_000 }
  const began = performance.now()
  const made = await computations.get(slow, async () => {
    await sleep(300)
    return { value: 'slow', at: Number.POSITIVE_INFINITY }
  })
  expect(made.until).toBeLessThanOrEqual(began + 1_000)
  const until = performance.now() + 500
  const of = await computations.get({ ...wish, tables: [], key: 'of' }, async () => ({
    value: 1,
    at: Date.now(),
    until,
  }))
  expect(of.until).toBeLessThanOrEqual(until)
})

test.each([
  ['that may be answered for longer than it is new', { ttl: 10_000, stale: 300_000, tables: [] }],
  ['that rests on tables of whose changes nobody tells', { ttl: 60_000, stale: 60_000, tables: ['posts'] }],
])('a value %s is not computed at every asking', async (_, times) => {
  const { computations } = open(undefined, 5_000)
  let computed = 0
  const ask = () => computations.get({ ...wish, ...times }, async () => ({ value: ++computed, at: Date.now() }))
  for (let asking = 0; asking < 50; asking++) {
    await ask()
    await sleep(1)
  }
  expect(computed).toBe(1)
})
