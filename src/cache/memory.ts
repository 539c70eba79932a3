import type { Demand, Demands } from './demand.js'
import type { Basis } from './tag.js'

/** A cached value. */
export interface Entry<Value = unknown> {
  readonly value: Value
  readonly basis: Basis
  /** Until when it may be answered, whatever changes or not; on the clock of `performance.now()`. */
  readonly until: number
  /** How long it is as good as new, and how long it may be answered after that, in ms. */
  readonly ttl: number
  readonly stale: number
}

/** The entries of one name. */
interface Shelf {
  readonly places: Map<string, Place>
  /** {@link Place} leads here, so that counting what was found looks for nothing. */
  readonly demand: Demand
}

/** Where an entry is. */
export interface Place {
  readonly entry: Entry<never>
  readonly shelf: Shelf
  readonly key: string
  readonly bytes: number
  /** Whether it was asked for since the last look for room. */
  isUsed: boolean
  /** Its neighbours in the order in which they are looked at when room is needed. */
  before: Place | undefined
  after: Place | undefined
}

/** In bytes: what an entry takes beside its key and value, and for each tag that it rests on. */
const overhead = { entry: 200, tag: 170 }

/**
 * The process's own level: entries up to so many bytes in all. Where there is no room left, those go first that came
 * first and were not asked for lately.
 */
export class Memory {
  bytes = 0
  private readonly shelves = new Map<string, Shelf>()
  /** The ends of that order: a list, as a Set would pass over all that was ever taken from its beginning. */
  private first: Place | undefined
  private last: Place | undefined

  constructor(
    private readonly most: number,
    private readonly demands: Demands,
    private readonly onEvicted: (count: number) => void,
  ) {}

  /** How many entries were found at once, by name. */
  get found(): ReadonlyMap<string, number> {
    return new Map([...this.shelves].map(([name, { demand }]) => [name, demand.found]))
  }

  find(name: string, key: string): Place | undefined {
    const place = this.shelves.get(name)?.places.get(key)
    if (place) place.isUsed = true
    return place
  }

  get(name: string, key: string): Entry<never> | undefined {
    return this.find(name, key)?.entry
  }

  /** `size` is the value's, in bytes. */
  set(name: string, key: string, entry: Entry, size: number): void {
    const shelf = this.shelfOf(name)
    const old = shelf.places.get(key)
    if (old) this.remove(old)
    const bytes = size + 2 * key.length + overhead.entry + overhead.tag * entry.basis.tags.length
    if (bytes > this.most / 8) return
    const place: Place = {
      entry: entry as Entry<never>,
      shelf,
      key,
      bytes,
      isUsed: false,
      before: undefined,
      after: undefined,
    }
    shelf.places.set(key, place)
    this.append(place)
    this.bytes += bytes
    if (this.bytes > this.most) this.makeRoom()
  }

  /** How often what has that name is asked for again. */
  demandOf(name: string): Demand {
    return this.shelfOf(name).demand
  }

  private shelfOf(name: string): Shelf {
    const known = this.shelves.get(name)
    if (known) return known
    const shelf = { places: new Map<string, Place>(), demand: this.demands.create() }
    this.shelves.set(name, shelf)
    return shelf
  }

  private makeRoom(): void {
    let evicted = 0
    for (let place = this.first; place && this.bytes > this.most; place = this.first) {
      if (place.isUsed) {
        // To the end of the order: it has another round.
        place.isUsed = false
        this.unlink(place)
        this.append(place)
      } else {
        this.remove(place)
        evicted++
      }
    }
    this.onEvicted(evicted)
  }

  private remove(place: Place): void {
    this.unlink(place)
    place.shelf.places.delete(place.key)
    this.bytes -= place.bytes
  }

  private append(place: Place): void {
    place.before = this.last
    place.after = undefined
    if (this.last) this.last.after = place
    else this.first = place
    this.last = place
  }

  private unlink({ before, after }: Place): void {
    if (before) before.after = after
    else this.first = after
    if (after) after.before = before
    else this.last = before
  }
}

/** About how many bytes a value of JSON's kinds, or bytes, takes in memory. */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return 16 + value.length
  if (typeof value !== 'object' || value === null) return 8
  if (Buffer.isBuffer(value)) return 100 + value.length
  if (Array.isArray(value)) return value.reduce((sum: number, each) => sum + sizeOf(each), 32)
  let size = 40
  for (const name in value) size += 8 + sizeOf((value as Record<string, unknown>)[name])
  return size
}

/** Rows and lists of them: nobody may change for others what all of them share. */
export function freeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  for (const each of Object.values(value)) freeze(each)
  return Object.freeze(value)
}
