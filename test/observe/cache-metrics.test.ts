import type { Attributes, BatchObservableCallback, Meter, Observable } from '@opentelemetry/api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cache } from '../../src/cache/cache.js'
import { Tags } from '../../src/cache/tags.js'
import { fact } from '../../src/core/events.js'
import { measureCache } from '../../src/observe/cache-metrics.js'

const cache = new Cache({
  tags: new Tags(undefined, 1_000),
  redis: undefined,
  memoryBytes: 100_000,
  ttl: 60_000,
  coherence: 60_000,
})
const observers = new Set<BatchObservableCallback>()
const create = (name: string) => name as unknown as Observable
/** A meter that is collected by hand. */
const meter = {
  createObservableCounter: create,
  createObservableUpDownCounter: create,
  addBatchObservableCallback: (observer: BatchObservableCallback) => observers.add(observer),
  removeBatchObservableCallback: (observer: BatchObservableCallback) => observers.delete(observer),
} as unknown as Meter
let stops: (() => void)[] = []
beforeAll(() => {
  stops = measureCache(meter, () => cache.numbers)
})
afterAll(() => {
  for (const stop of stops) stop()
  expect(observers.size).toBe(0)
})

/** A metric's values by its labels. */
async function valuesOf(name: string): Promise<Record<string, number>> {
  const values: Record<string, number> = {}
  const observe = (metric: Observable, value: number, attributes: Attributes = {}) => {
    if ((metric as unknown) === name) values[Object.values(attributes).join(' ')] = value
  }
  for (const observer of observers) await observer({ observe })
  return values
}

const source = { name: 'wordByLetter', rests: ['words.id'] }
const load = (...letters: string[]) =>
  cache.load(
    source,
    letters.map((key) => ({ key, by: key })),
    { fetch: async (keys) => keys.map((key) => `${key}…`), after: 0 },
  )

test('every value that was looked for counts once, by where it was', async () => {
  await load('a', 'b')
  await load('b', 'c')
  for (const letter of ['a', 'a', 'x']) cache.pick('wordByLetter', letter, 0)
  expect(await valuesOf('plumbline.cache.reads')).toEqual({
    'wordByLetter memory': 3,
    'wordByLetter redis': 0,
    'wordByLetter missing': 3,
  })
  expect(await valuesOf('plumbline.cache.fills')).toEqual({ wordByLetter: 3 })
})

test('what is told by others is counted too', async () => {
  fact('cache.read').publish({ cache: 'response', inMemory: 2, inRedis: 1, missing: 1 })
  fact('cache.filled').publish({ cache: 'response of a release', entries: 5 })
  expect(await valuesOf('plumbline.cache.fills')).toMatchObject({ response: 5 })
  fact('cache.invalidated').publish({ tags: 3 })
  expect(await valuesOf('plumbline.cache.reads')).toMatchObject({ 'response memory': 2, 'response redis': 1 })
  expect(await valuesOf('plumbline.cache.invalidations')).toEqual({ '': 3 })
})

test('memory that is taken, and what had to go for it', async () => {
  const before = (await valuesOf('plumbline.cache.memory.usage'))['']
  expect(before).toBeGreaterThan(1_000)
  await cache.load(
    source,
    Array.from({ length: 400 }, (_, index) => ({ key: `k${index}`, by: `k${index}` })),
    { fetch: async (keys) => keys.map((key) => key), after: 0 },
  )
  expect((await valuesOf('plumbline.cache.memory.usage'))['']).toBeLessThanOrEqual(100_000)
  expect((await valuesOf('plumbline.cache.evictions'))['']).toBeGreaterThan(50)
})
