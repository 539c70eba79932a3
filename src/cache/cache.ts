import { type CacheNumbers, fact } from '../core/events.js'
import { pack, unpack } from './codec.js'
import { type Demand, Demands, type TellFound } from './demand.js'
import { type Entry, freeze, Memory, type Place, sizeOf } from './memory.js'
import type { RedisLevel } from './redis-level.js'
import { type Basis, basisOf, everything, type Rests, rowsTag, stands, type Tag } from './tag.js'
import type { Tags } from './tags.js'

/** A kind of cached values: its name, and what each of them rests on. */
export interface Source {
  readonly name: string
  /** Tables (`tags`), and keys by which rows are found (`posts.authorId`). */
  readonly rests: readonly string[]
}

/** One value of a source. */
export interface Wanted {
  readonly key: string
  /** The value of the keys that it rests on. */
  readonly by: string
}

/** What was read to be kept. */
type Made<Value> = Pick<Entry<Value>, 'value' | 'basis' | 'ttl'> & { readonly stale?: number }

/** How values are read that the cache has not: one each, in the keys' order. */
export type Fetch<Value> = (keys: readonly string[]) => Promise<Value[]>

export interface Loading<Value> {
  readonly fetch: Fetch<Value>
  /** Only what was read later counts; in ms since 1970. */
  readonly after: number
  /** Hears how many of them there were. */
  readonly tellFound?: TellFound
}

export interface CacheOptions {
  readonly tags: Tags
  readonly redis: RedisLevel | undefined
  /** How many bytes the process's own level may hold; 0 is none. */
  readonly memoryBytes: number
  /** In ms, how long a value stands that nobody changed; up to a tenth less, so that not all end at once. */
  readonly ttl: number
  /** In ms, how long a value stands of whose changes we may not be told. */
  readonly coherence: number
}

/** What is looked for, and found at last. */
interface Asked<Value> extends Wanted {
  entry: Entry<Value> | undefined
  rests?: Rests
}

const evicted = fact('cache.evicted')
const filled = fact('cache.filled')
const read = fact('cache.read')

/**
 * Values that were read before: in the process, and behind it in Redis. A value stands as long as the tags that it rests
 * on have the versions that they had before it was read, and its time is not up. With `after`, in ms since 1970, only one
 * that was read later counts. Values are frozen, and shared by all who ask.
 */
export class Cache {
  readonly demands = new Demands(() => this.options.redis?.isUp ?? false)
  private readonly memory: Memory
  private readonly tagOf = (name: string) => this.options.tags.get(name)

  constructor(private readonly options: CacheOptions) {
    this.memory = new Memory(options.memoryBytes, this.demands, (entries) => evicted.publish({ entries }))
  }

  get numbers(): CacheNumbers {
    return { bytes: this.memory.bytes, found: this.memory.found }
  }

  /** What the process itself has of it and knows to stand. */
  peek<Value>(name: string, key: string, after: number): Entry<Value> | undefined {
    return this.look(name, key, after)?.entry
  }

  /** The same for one row of many, for which a fact would cost too much: it is counted, for {@link numbers}. */
  pick<Value>(name: string, key: string, after: number): Entry<Value> | undefined {
    const place = this.look(name, key, after)
    if (place) place.shelf.demand.found++
    return place?.entry
  }

  /** Whether what is read of a source is asked for again. */
  demandOf({ name }: Source): Demand {
    return this.memory.demandOf(name)
  }

  /** The first of these that stands, in the process or in Redis. */
  async find<Value>(name: string, keys: readonly string[], after: number): Promise<Entry<Value> | undefined> {
    const { tags } = this.options
    const held = keys.map((key) => this.memory.get(name, key)).filter((entry) => entry !== undefined)
    // Of what is held, it may be the tags alone that are not known.
    if (held.length > 0)
      await tags.learn(
        held.flatMap(({ basis }) => basis.tags),
        [],
      )
    for (const key of keys) {
      const entry = this.peek<Value>(name, key, after)
      if (entry) return entry
    }
    const stored = await tags.learn(
      [],
      keys.map((key) => keyOf(name, key)),
    )
    for (const [index, bytes] of stored.entries()) {
      const entry = bytes && unpack<Value>(bytes, this.tagOf)
      if (!entry || entry.basis.at <= after) continue
      await tags.learn(entry.basis.tags, [])
      if (!stands(entry.basis, performance.now())) continue
      this.memory.set(name, keys[index] as string, entry, sizeOf(entry.value))
      return entry
    }
    return undefined
  }

  /** Whether what was read still stands; the versions of what it rests on are learned where they must be. */
  async confirm({ basis }: Entry): Promise<boolean> {
    if (stands(basis, performance.now())) return true
    await this.options.tags.learn(basis.tags, [])
    return stands(basis, performance.now())
  }

  /** An entry for each; `fetch` is asked at once for those that there are none of. Redis is asked in one round trip. */
  async load<Value>(
    source: Source,
    wanted: readonly Wanted[],
    { fetch, after, tellFound }: Loading<Value>,
  ): Promise<Entry<Value>[]> {
    const asked = wanted.map(({ key, by }): Asked<Value> => ({ key, by, entry: this.peek(source.name, key, after) }))
    const unknown = asked.filter(({ entry }) => !entry)
    if (unknown.length > 0) await this.recall(source, unknown, after)
    const missing = unknown.filter(({ entry }) => !entry)
    tellFound?.(asked.length - missing.length)
    if (read.heard)
      read.publish({
        cache: source.name,
        inMemory: asked.length - unknown.length,
        inRedis: unknown.length - missing.length,
        missing: missing.length,
      })
    if (missing.length > 0) await this.fill(source, missing, fetch)
    return asked.map(({ entry }) => entry as Entry<Value>)
  }

  /** What something that is about to be read from these tables rests on. */
  capture(tables: readonly string[]): Basis | Promise<Basis> {
    const { tags } = this.options
    const rests = { tags: [everything, ...tables].map((name) => tags.get(name)), decisive: tables.length + 1 }
    const now = performance.now()
    if (rests.tags.every((tag) => tag.isKnown(now))) return basisOf(rests)
    return tags.learn(rests.tags, []).then(() => basisOf(rests))
  }

  /** Keeps a value that was read, for `ttl` ms and then `stale` at most, unless what it rests on has changed since. */
  keep<Value>(name: string, key: string, made: Made<Value>): Entry<Value> {
    const entry = this.make(made)
    this.store(name, [{ key, entry }])
    return entry
  }

  private look(name: string, key: string, after: number): Place | undefined {
    const place = this.memory.find(name, key)
    if (!place || place.entry.basis.at <= after) return undefined
    const now = performance.now()
    return now < place.entry.until && stands(place.entry.basis, now) ? place : undefined
  }

  private restsOf({ rests }: Source, by: string): Rests {
    const { tags } = this.options
    const decisive = rests.map((rest) => {
      const [table = '', property] = rest.split('.')
      return property === undefined ? table : rowsTag(table, property, by)
    })
    const tables = rests.filter((rest) => rest.includes('.')).map((rest) => rest.slice(0, rest.indexOf('.')))
    const names = [everything, ...decisive, ...tables]
    return { tags: names.map((name) => tags.get(name)), decisive: decisive.length + 1 }
  }

  /** Gives those an entry that Redis has one of, and learns the versions of what the others rest on. */
  private async recall<Value>(source: Source, asked: readonly Asked<Value>[], after: number): Promise<void> {
    const { tags } = this.options
    const all: Tag[] = []
    for (const each of asked) {
      each.rests = this.restsOf(source, each.by)
      all.push(...each.rests.tags)
    }
    // Of those that are held, it may be their tags alone that are not known.
    const absent = asked.filter(({ key }) => !this.memory.get(source.name, key))
    const entries = await tags.learn(
      all,
      absent.map(({ key }) => keyOf(source.name, key)),
    )
    const now = performance.now()
    for (const each of asked) each.entry = this.peek(source.name, each.key, after)
    for (const [index, each] of absent.entries()) {
      const bytes = entries[index]
      if (each.entry || !bytes) continue
      const entry = unpack<Value>(bytes, this.tagOf)
      if (!entry || entry.basis.at <= after || !stands(entry.basis, now)) continue
      each.entry = entry
      this.memory.set(source.name, each.key, entry, sizeOf(entry.value))
    }
  }

  private async fill<Value>(source: Source, missing: readonly Asked<Value>[], fetch: Fetch<Value>): Promise<void> {
    const bases = missing.map(({ rests }) => basisOf(rests as Rests))
    const keys = missing.map(({ key }) => key)
    const values = await fetch(keys)
    const entries = missing.map((each, index) => {
      each.entry = this.make({ value: values[index] as Value, basis: bases[index] as Basis, ttl: this.options.ttl })
      return { key: each.key, entry: each.entry }
    })
    this.store(source.name, entries)
  }

  private make<Value>({ value, basis, ttl, stale = 0 }: Made<Value>): Entry<Value> {
    // What rests on nothing but its time is told of nothing.
    const isTold = basis.tags.length <= 1 || basis.tags.every((tag) => tag.isShared)
    const most = isTold ? Number.POSITIVE_INFINITY : this.options.coherence
    const good = Math.min(ttl * (1 - Math.random() / 10), most)
    const life = Math.min(good + stale, most)
    return { value: freeze(value), basis, until: performance.now() + life, ttl: good, stale: life - good }
  }

  private store(name: string, made: readonly { key: string; entry: Entry }[]): void {
    const now = performance.now()
    const standing = made.filter(({ entry }) => now < entry.until && stands(entry.basis, now))
    if (filled.heard) filled.publish({ cache: name, entries: standing.length })
    for (const { key, entry } of standing) this.memory.set(name, key, entry, sizeOf(entry.value))
    const { redis } = this.options
    if (!redis?.isUp) return
    const told = standing.filter(({ entry }) => entry.basis.tags.every((tag) => tag.isShared))
    redis.keep(
      told.flatMap(({ key, entry }) => {
        const bytes = pack(entry)
        return bytes ? { key: keyOf(name, key), bytes, ttl: entry.until - now } : []
      }),
    )
  }
}

function keyOf(name: string, key: string): string {
  return `${name}:${key}`
}
