import type { Fetch, Source, Wanted } from '../cache/cache.js'
import type { Computing } from '../cache/computations.js'
import type { Entry } from '../cache/memory.js'
import type { CacheRoom } from '../cache/open.js'
import { Reading } from '../cache/reading.js'
import { fact } from '../core/events.js'
import type { Defined, Kept } from './kept.js'

const read = fact('cache.read')

/** The way of one operation to what was read before. */
export class Caching {
  /** `after`, in ms since 1970: what was read before it is not shown. `reading` notes what the answer rests on. */
  constructor(
    private readonly rooms: { readonly cache: CacheRoom; readonly kept: Kept },
    private readonly after: number,
    private readonly reading: Reading | undefined,
  ) {}

  /** What the process itself has. */
  peek<Value>(source: Defined, key: string): Entry<Value> | undefined {
    const { cache, kept } = this.rooms
    kept.admit(source)
    const entry = cache.values.pick<Value>(source.name, key, this.after)
    if (entry) this.reading?.add(entry)
    return entry
  }

  async load<Value>(source: Source, wanted: readonly Wanted[], fetch: Fetch<Value>): Promise<Value[]> {
    const { values } = this.rooms.cache
    // What an answer rests on that is kept is kept too.
    const keys = wanted.map(({ key }) => key)
    const tellFound = values.demandOf(source).admits(keys, this.reading !== undefined)
    if (!tellFound) {
      if (read.heard) read.publish({ cache: source.name, inMemory: 0, inRedis: 0, missing: keys.length })
      return fetch(keys)
    }
    const entries = await values.load(source, wanted, { fetch, after: this.after, tellFound })
    if (this.reading) for (const entry of entries) this.reading.add(entry)
    return entries.map(({ value }) => value)
  }

  /** Reads what is not kept itself; `tables` is undefined where nobody can say when it changes. */
  async read<Row>(tables: readonly string[] | undefined, read: () => Promise<Row[]>): Promise<Row[]> {
    if (!this.reading) return read()
    if (!tables) {
      this.reading.spoil()
      return read()
    }
    const basis = await this.rooms.cache.values.capture(tables)
    this.reading.add({ basis, until: Number.POSITIVE_INFINITY })
    return read()
  }

  /**
   * What was computed for that key, or is now. `compute` is given a way of its own to what was read before: what it
   * reads is neither older than what may be shown here, nor noted as read by this operation.
   */
  async compute<Value>(
    { name, ...computing }: Computing & { readonly name: string },
    key: string,
    compute: (within: Caching) => Promise<Value>,
  ): Promise<Value> {
    const { basis, until, stale, value } = await this.rooms.cache.computations.get(
      { ...computing, name, key, after: this.after },
      async () => {
        const reading = new Reading()
        const value = await compute(new Caching(this.rooms, this.after, reading))
        return { value, at: reading.at, until: reading.until }
      },
    )
    // An answer that shows it may stand as long as it is as good as new: whoever asks then has it computed anew.
    this.reading?.addComputed({ basis, until: until - stale })
    return value
  }

  /** It was read who asks. */
  readViewer(): void {
    if (this.reading) this.reading.isPersonal = true
  }

  /** It was answered with errors. */
  fail(): void {
    if (this.reading) this.reading.hasFailed = true
  }

  /** Something was read that no change tells of: another service's word, say. */
  spoil(): void {
    this.reading?.spoil()
  }
}
