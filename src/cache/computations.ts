import { setTimeout as sleep } from 'node:timers/promises'
import { fact } from '../core/events.js'
import type { Cache } from './cache.js'
import type { Entry } from './memory.js'
import type { RedisLevel } from './redis-level.js'

/** How something that is computed is kept. */
export interface Computing {
  /** For how many ms it is as good as new. */
  readonly ttl: number
  /** For how many ms after that it may still be answered while it is computed anew. */
  readonly stale: number
  /** Tables that it does not outlive a change of; none for what may be as old as it is. */
  readonly tables: readonly string[]
}

/** What is asked for: read later than `after`. */
export interface Wish extends Computing {
  readonly name: string
  readonly key: string
  readonly after: number
}

/** What was computed. */
export interface Computed<Value> {
  readonly value: Value
  /** When the oldest was read of what it was made of, in ms since 1970; Infinity for nothing kept. */
  readonly at: number
  /** Until when other computed values that it was made of are as good as new, on the clock of `performance.now()`. */
  readonly until?: number
}

/** In ms: how long another process that computes the same is waited for, and how often it is looked whether it has. */
const patience = 2_000
const pause = 10

/** In ms: how long a computation keeps other processes from theirs, at most. */
const lockLife = patience

interface Flight {
  readonly began: number
  readonly entry: Promise<Entry<never>>
}

const read = fact('cache.read')

/** What is computed once for many: by one at a time, in this process and, where there is a Redis, in all. */
export class Computations {
  private readonly flights = new Map<string, Flight>()

  constructor(
    private readonly cache: Cache,
    private readonly redis: RedisLevel | undefined,
  ) {}

  /** What was computed later than `after`; whoever comes while it is computed, or computed anew, does not compute it. */
  async get<Value>(wish: Wish, compute: () => Promise<Computed<Value>>): Promise<Entry<Value>> {
    const { name, key, after } = wish
    const fly = () => this.join(wish, () => this.fly(wish, compute))
    const held = this.cache.peek<Value>(name, key, after)
    const entry = held ?? (await this.cache.find<Value>(name, [key], after))
    if (read.heard)
      read.publish({
        cache: name,
        inMemory: held ? 1 : 0,
        inRedis: entry && !held ? 1 : 0,
        missing: entry ? 0 : 1,
      })
    if (!entry) return fly()
    // Each process at another moment, and most often none has to wait for it.
    const renewal = entry.until - entry.stale - (Math.random() * entry.ttl) / 10
    if (performance.now() > renewal) fly().catch(() => {})
    return entry
  }

  private async join<Value>({ name, key, after }: Wish, begin: () => Promise<Entry<Value>>): Promise<Entry<Value>> {
    const id = `${name}:${key}`
    const flying = this.flights.get(id)
    if (flying && flying.began > after) {
      const entry = await flying.entry
      // What it is made of may be older, or have changed by now; what was begun since is not.
      if (entry.basis.at > after && (await this.cache.confirm(entry))) return entry
      const next = this.flights.get(id)
      if (next && next !== flying && next.began > after) return next.entry
    }
    return this.begin(id, begin)
  }

  private begin<Value>(id: string, begin: () => Promise<Entry<Value>>): Promise<Entry<Value>> {
    const entry = begin()
    const flight = { began: Date.now(), entry: entry as Promise<Entry<never>> }
    this.flights.set(id, flight)
    const land = () => {
      if (this.flights.get(id) === flight) this.flights.delete(id)
    }
    entry.then(land, land)
    return entry
  }

  private async fly<Value>(
    { name, key, after, ttl, stale, tables }: Wish,
    compute: () => Promise<Computed<Value>>,
  ): Promise<Entry<Value>> {
    // What others compute by now is no answer to a wish for what is read later.
    let release = after < Date.now() ? await this.redis?.lock(`${name}:${key}`, lockLife) : undefined
    const end = performance.now() + patience
    while (release === false && performance.now() < end) {
      await sleep(pause)
      // The other may have ended with nothing to share: what it read has changed meanwhile.
      release = await this.redis?.lock(`${name}:${key}`, lockLife)
      const other = await this.cache.find<Value>(name, [key], after)
      if (!other) continue
      if (release) release()
      return other
    }
    try {
      const began = performance.now()
      const basis = await this.cache.capture(tables)
      const { value, at, until = Number.POSITIVE_INFINITY } = await compute()
      // It is as old as what it was read from.
      const left = Math.min(began + ttl, until) - performance.now()
      return this.cache.keep(name, key, {
        value,
        basis: { ...basis, at: Math.min(basis.at, at) },
        ttl: Math.max(0, left),
        stale: Math.max(0, stale + Math.min(0, left)),
      })
    } finally {
      if (release) release()
    }
  }
}
