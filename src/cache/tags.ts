import { randomBytes } from 'node:crypto'
import type { RedisLevel } from './redis-level.js'
import { Tag } from './tag.js'

/** A process knows a tag of rows for so many bytes of its memory, 10,000 at least: what rests on those beyond is forgotten. */
const bytesEach = 320

/** The versions of tags as this process knows them, and the way to learn them. */
export class Tags {
  private readonly tables = new Map<string, Tag>()
  private readonly rows = new Map<string, Tag>()
  private readonly unsettled = new Map<string, number>()
  private readonly prefix = `${Date.now().toString(36)}${randomBytes(4).toString('hex')}.`
  private count = 0
  private readonly mostRows: number

  /**
   * `trust` is how long a version counts as known, in ms, once Redis has said it. Without `redis`, versions are our own.
   * `memoryBytes` is what all that rests on them may take.
   */
  constructor(
    private readonly redis: RedisLevel | undefined,
    private readonly trust: number,
    memoryBytes = 2 ** 26,
  ) {
    this.mostRows = Math.max(10_000, memoryBytes / bytesEach)
  }

  get(name: string): Tag {
    const isRows = name.includes(':')
    const known = isRows ? this.rows : this.tables
    const tag = known.get(name) ?? new Tag(name)
    if (tag.until === 0) {
      known.set(name, tag)
      if (isRows && known.size > this.mostRows) this.dropOldest()
    }
    return tag
  }

  /**
   * Learns the versions of those tags that are not known, and on the way the entries of those keys: one round trip.
   * A version that Redis cannot say is one of our own for a while. Whatever is read from the database afterwards may be
   * kept with the versions as they are then.
   */
  async learn(tags: readonly Tag[], keys: readonly string[]): Promise<readonly (Buffer | null)[]> {
    const now = performance.now()
    // Of one that was dropped nobody would be told the next change.
    const unknown = [...new Set(tags)].filter((tag) => !tag.isKnown(now) && this.find(tag.name) === tag)
    const times = unknown.map((tag) => tag.times)
    const fresh = this.fresh()
    const names = unknown.map(({ name }) => name)
    const answer =
      this.redis?.isUp && names.length + keys.length > 0 ? await this.redis.read(keys, names, fresh) : undefined
    for (const [index, tag] of unknown.entries()) {
      // Forgotten since: what was said may be from before.
      if (tag.times !== times[index]) continue
      const version = this.unsettled.has(tag.name) ? undefined : answer?.versions[index]
      // Not the one that was sent: a late command may yet make that one Redis's own.
      if (version === undefined) this.invent(tag, this.fresh(), now)
      else Object.assign(tag, { version, isShared: true, until: now + this.trust })
      this.keep(tag)
    }
    return answer?.entries ?? keys.map(() => null)
  }

  /** What rests on them does not stand any more. */
  forget(names: readonly string[]): void {
    for (const name of names) this.find(name)?.forget()
  }

  forgetAll(): void {
    for (const tag of [...this.tables.values(), ...this.rows.values()]) tag.forget()
    this.rows.clear()
  }

  /** Until `settle` is called, Redis is not believed what it says of them: it does not know of their change yet. */
  unsettle(names: readonly string[]): void {
    for (const name of names) this.unsettled.set(name, (this.unsettled.get(name) ?? 0) + 1)
    this.forget(names)
  }

  settle(names: readonly string[]): void {
    for (const name of names) {
      const left = (this.unsettled.get(name) ?? 1) - 1
      if (left > 0) this.unsettled.set(name, left)
      else this.unsettled.delete(name)
    }
    this.forget(names)
  }

  private find(name: string): Tag | undefined {
    return (name.includes(':') ? this.rows : this.tables).get(name)
  }

  /** Never the same twice, in this process or another, now or after any restart: it begins with a time and a random number. */
  private fresh(): string {
    return this.prefix + (++this.count).toString(36)
  }

  private invent(tag: Tag, fresh: string, now: number): void {
    if (tag.version === undefined || tag.isShared) Object.assign(tag, { version: fresh, isShared: false })
    tag.until = this.redis ? now + this.trust : Number.POSITIVE_INFINITY
  }

  /** The last one learned is the last one dropped. */
  private keep(tag: Tag): void {
    if (this.rows.get(tag.name) !== tag) return
    this.rows.delete(tag.name)
    this.rows.set(tag.name, tag)
  }

  private dropOldest(): void {
    const [[name, oldest] = []] = this.rows
    if (name === undefined || !oldest) return
    oldest.forget()
    this.rows.delete(name)
  }
}
