import { Packr } from 'msgpackr'
import { type Entry, freeze } from './memory.js'
import type { Tag } from './tag.js'

/** What Redis keeps of an entry. */
type Stored = readonly [
  at: number,
  expires: number,
  ttl: number,
  stale: number,
  decisive: number,
  tags: readonly string[],
  versions: readonly string[],
  value: unknown,
]

const unspeakable = '__proto__'

/** Rows of one kind tell their columns' names once; bytes are copied, or they would keep all that came with them. */
const packr = new Packr({ useRecords: true, encodeUndefinedAsNil: true, copyBuffers: true })

/**
 * An entry, whose value is of JSON's kinds or bytes, for any process to find. Undefined where its value holds something
 * called `__proto__`, which the library would find under another name.
 */
export function pack({ value, basis, until, ttl, stale }: Entry): Buffer | undefined {
  const { at, decisive, tags, versions } = basis
  const expires = Date.now() + Math.round(until - performance.now())
  const bytes = packr.pack([at, expires, ttl, stale, decisive, tags.map(({ name }) => name), versions, value])
  return bytes.includes(unspeakable) && holdsName(value, unspeakable) ? undefined : bytes
}

function holdsName(value: unknown, name: string): boolean {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false
  return Object.hasOwn(value, name) || Object.values(value).some((each) => holdsName(each, name))
}

/** The entry that was packed, with this process's tags; undefined for what is none of ours. */
export function unpack<Value>(bytes: Buffer, tagOf: (name: string) => Tag): Entry<Value> | undefined {
  const stored = read(bytes)
  if (!stored) return undefined
  const [at, expires, ttl, stale, decisive, names, versions, value] = stored
  // Clocks differ: whatever this one says, it has no longer than it had at first.
  const until = performance.now() + Math.min(expires - Date.now(), ttl + stale)
  return { value: freeze(value as Value), basis: { at, tags: names.map(tagOf), versions, decisive }, until, ttl, stale }
}

function read(bytes: Buffer): Stored | undefined {
  try {
    const stored = packr.unpack(bytes)
    const isOurs = Array.isArray(stored) && stored.length === 8 && Array.isArray(stored[5]) && Array.isArray(stored[6])
    return isOurs ? (stored as unknown as Stored) : undefined
  } catch {
    return undefined
  }
}
