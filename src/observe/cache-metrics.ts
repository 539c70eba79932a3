import type { Attributes, BatchObservableCallback, Meter } from '@opentelemetry/api'
import { type CacheNumbers, fact } from '../core/events.js'
import { type InstrumentName, instruments } from './instruments.js'

interface Totals {
  memory: number
  redis: number
  missing: number
  filled: number
}

const describe = (cache: string): Attributes => ({ 'plumbline.cache.name': cache })

/** What the cache did is added up as plain numbers, and looked up when somebody collects. The answers stop it. */
export function measureCache(meter: Meter, readCache: () => CacheNumbers): (() => void)[] {
  const caches = new Map<string, Totals>()
  let evictions = 0
  let invalidations = 0
  const of = (name: string): Totals => {
    // What follows tells apart forms of the same, which releases have.
    const [cache = ''] = name.split(' ', 1)
    const known = caches.get(cache) ?? { memory: 0, redis: 0, missing: 0, filled: 0 }
    caches.set(cache, known)
    return known
  }
  return [
    fact('cache.read').listen(({ cache, inMemory, inRedis, missing }) => {
      const totals = of(cache)
      totals.memory += inMemory
      totals.redis += inRedis
      totals.missing += missing
    }),
    fact('cache.filled').listen(({ cache, entries }) => {
      of(cache).filled += entries
    }),
    fact('cache.evicted').listen(({ entries }) => {
      evictions += entries
    }),
    fact('cache.invalidated').listen(({ tags }) => {
      invalidations += tags
    }),
    observe(meter, () => ({ caches, of, evictions, invalidations, ...readCache() })),
  ]
}

interface Seen extends CacheNumbers {
  readonly caches: ReadonlyMap<string, Totals>
  of(cache: string): Totals
  readonly evictions: number
  readonly invalidations: number
}

function observe(meter: Meter, look: () => Seen): () => void {
  const counter = (name: InstrumentName) => meter.createObservableCounter(name, instruments[name])
  const reads = counter('plumbline.cache.reads')
  const fills = counter('plumbline.cache.fills')
  const evicted = counter('plumbline.cache.evictions')
  const invalidated = counter('plumbline.cache.invalidations')
  const name = 'plumbline.cache.memory.usage'
  const memory = meter.createObservableUpDownCounter(name, instruments[name])
  const all = [reads, fills, evicted, invalidated, memory]
  const tell: BatchObservableCallback = (result) => {
    const { caches, of, evictions, invalidations, bytes, found } = look()
    // Some were only ever found at once.
    for (const cache of found.keys()) of(cache)
    for (const [cache, { filled, ...counts }] of caches) {
      const attributes = describe(cache)
      counts.memory += found.get(cache) ?? 0
      for (const [place, count] of Object.entries(counts))
        result.observe(reads, count, { ...attributes, 'plumbline.cache.result': place })
      result.observe(fills, filled, attributes)
    }
    result.observe(evicted, evictions)
    result.observe(invalidated, invalidations)
    result.observe(memory, bytes)
  }
  meter.addBatchObservableCallback(tell, all)
  return () => meter.removeBatchObservableCallback(tell, all)
}
