import { AsyncLocalStorage } from 'node:async_hooks'
import { hash, randomUUID } from 'node:crypto'
import type { Log } from '../core/log.js'
import type { Redis } from '../redis/redis.js'
import { RedisUnavailable } from '../redis/unavailable.js'
import { changeAll, keepAll, readOrMake, unlock } from './redis-scripts.js'

/** What Redis said: an entry's bytes a key, and a version a tag, which it was given where it had none. */
export interface Said {
  readonly entries: readonly (Buffer | null)[]
  readonly versions: readonly (string | undefined)[]
}

/** An entry to keep for so many ms. */
export interface Kept {
  readonly key: string
  readonly bytes: Buffer
  readonly ttl: number
}

/** What is asked in one turn of the event loop: keys and tags, each once, and their places in what is said. */
interface Turn {
  readonly keys: Map<string, number>
  readonly tags: Map<string, number>
  readonly said: Promise<Said | undefined>
}

/** How long a tag's version is kept that nobody asks for, in ms; what rests on one that is gone is not found any more. */
const versionLife = 3_600_000

/** In characters: what clients ask for is in keys, and may have any length. Longer ones are known by their digest. */
const longestKey = 500

/** How many names one script is given: beyond 8,000 Lua's stack is full. */
const mostNames = 5_000

/** Hears of it when the tags of others change, and when it may have missed some. */
export interface Hearing {
  changed(tags: string[]): void
  missed(): void
}

/**
 * The level that processes share: entries and the versions of tags, each with a life of its own, and the word of changes.
 * A version is deleted where its tag changes, and replaced by the first one who asks, with one that never was: nothing
 * that Redis forgets, or refuses to take, makes an old entry stand again.
 */
export class RedisLevel {
  /** False until what was left untold of earlier changes has been told: what Redis says may be old before. */
  isTrusted = false
  private doubts = 0
  private turn: Turn | undefined
  /** Runs what is done for several at once in the context of none. */
  private readonly apart = AsyncLocalStorage.snapshot()
  private readonly channel = 'plumbline:changed'

  /** `release` tells apart what processes of different releases keep. */
  constructor(
    private readonly redis: Redis,
    private readonly release: string,
    private readonly log: Log,
  ) {}

  /** Whether it is worth asking at all. */
  get isReachable(): boolean {
    return this.redis.isAvailable
  }

  /** Whether what it says can be relied on. */
  get isUp(): boolean {
    return this.isTrusted && this.redis.isAvailable
  }

  /** The answer makes it trusted, unless there was a doubt since. */
  beginTrust(): () => void {
    const { doubts } = this
    return () => {
      if (this.doubts === doubts) this.isTrusted = true
    }
  }

  /** Undefined where Redis does not answer. All that is asked in one turn of the event loop goes as one command. */
  async read(keys: readonly string[], tags: readonly string[], fresh: string): Promise<Said | undefined> {
    this.turn ??= this.apart(() => this.beginTurn(fresh))
    const { turn } = this
    const places = keys.map((key) => placeIn(turn.keys, key))
    const tagPlaces = tags.map((tag) => placeIn(turn.tags, tag))
    const said = await turn.said
    return (
      said && {
        entries: places.map((place) => said.entries[place] ?? null),
        versions: tagPlaces.map((place) => said.versions[place]),
      }
    )
  }

  private beginTurn(fresh: string): Turn {
    const keys = new Map<string, number>()
    const tags = new Map<string, number>()
    const said = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      this.turn = undefined
      return this.readAll([...keys.keys()], [...tags.keys()], fresh)
    })
    return { keys, tags, said }
  }

  private async readAll(keys: readonly string[], tags: readonly string[], fresh: string): Promise<Said | undefined> {
    if (keys.length + tags.length > mostNames) return this.readInParts(keys, tags, fresh)
    const entries = keys.map((key) => this.entryKey(key))
    const all = [...entries, ...tags.map(tagKey)]
    const buffers = await this.attempt(() =>
      this.redis.ask((client) =>
        tags.length === 0 ? client.mgetBuffer(...all) : readOrMake(client, all, [keys.length, fresh, versionLife]),
      ),
    )
    if (!buffers) return undefined
    return {
      entries: buffers.slice(0, keys.length),
      versions: buffers.slice(keys.length).map((version) => version?.toString('latin1')),
    }
  }

  /** Answers nothing and waits for nothing: an entry that was not kept is computed again. */
  keep(entries: readonly Kept[]): void {
    if (entries.length === 0) return
    const keys = entries.map(({ key }) => this.entryKey(key))
    const values = entries.flatMap(({ bytes, ttl }) => [bytes, Math.max(1, Math.ceil(ttl))])
    void this.attempt(() => this.redis.ask((client) => keepAll(client, keys, values)))
  }

  /**
   * Whether whoever asks from now on gets other versions, and who hears of changes hears of these. Where not, nothing is
   * believed until that has been made up for.
   */
  async change(tags: readonly string[]): Promise<boolean> {
    const isTold = await this.attempt(async () => {
      for (const part of partsOf(tags))
        await this.redis.ask((client) => changeAll(client, part.map(tagKey), [this.channel, JSON.stringify(part)]))
      return true
    })
    if (!isTold) this.distrust()
    return isTold ?? false
  }

  /**
   * Takes a lock for so many ms: the answer gives it back. `false` where another has it, undefined where Redis does not
   * answer, and nobody need wait.
   */
  async lock(name: string, life: number): Promise<(() => void) | false | undefined> {
    const key = this.entryKey(`lock:${name}`)
    const owner = randomUUID()
    const taken = await this.attempt(() => this.redis.ask((client) => client.set(key, owner, 'PX', life, 'NX')))
    if (taken === null) return false
    const release = () => void this.attempt(() => this.redis.ask((client) => unlock(client, [key], [owner])))
    if (taken) return release
    // It may yet be taken, by a command that arrives late.
    release()
    return undefined
  }

  /** Remembers for so many ms that a viewer wrote at that time. */
  async mark(viewer: string, at: number, life: number): Promise<void> {
    await this.attempt(() => this.redis.ask((client) => client.set(`plumbline:wrote:${viewer}`, at, 'PX', life)))
  }

  /** When the viewer wrote last, in ms since 1970; 0 where nothing is known of it. */
  async marked(viewer: string): Promise<number> {
    const at = await this.attempt(() => this.redis.ask((client) => client.get(`plumbline:wrote:${viewer}`)))
    return Number(at ?? 0)
  }

  hear({ changed, missed }: Hearing): void {
    this.redis.subscribe(this.channel, {
      message(text) {
        const tags = readTags(text)
        if (tags) changed(tags)
        else missed()
      },
      began: () => {
        this.distrust()
        missed()
      },
      lost: () => this.distrust(),
    })
  }

  private async readInParts(
    keys: readonly string[],
    tags: readonly string[],
    fresh: string,
  ): Promise<Said | undefined> {
    const said = await Promise.all([
      ...partsOf(keys).map((part) => this.readAll(part, [], fresh)),
      ...partsOf(tags).map((part) => this.readAll([], part, fresh)),
    ])
    const parts = said.filter((part) => part !== undefined)
    if (parts.length < said.length) return undefined
    return { entries: parts.flatMap(({ entries }) => entries), versions: parts.flatMap(({ versions }) => versions) }
  }

  /** Changes may go untold from now on: nothing that it says is believed until that was made up for. */
  distrust(): void {
    this.isTrusted = false
    this.doubts++
  }

  /** Undefined where Redis does not answer, or refuses: it is full, say. */
  private async attempt<Answer>(ask: () => Promise<Answer>): Promise<Answer | undefined> {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof RedisUnavailable)) this.log.debug({ err: error }, 'Redis refused')
      return undefined
    }
  }

  private entryKey(key: string): string {
    const told = key.length > longestKey ? hash('sha256', key, 'base64url') : key
    return `plumbline:${this.release}:${told}`
  }
}

/** Undefined for what is no word of changes: another release's, or anybody's. */
function readTags(text: string): string[] | undefined {
  try {
    const tags: unknown = JSON.parse(text)
    return Array.isArray(tags) && tags.every((tag) => typeof tag === 'string') ? tags : undefined
  } catch {
    return undefined
  }
}

function placeIn(places: Map<string, number>, name: string): number {
  const place = places.get(name) ?? places.size
  places.set(name, place)
  return place
}

function partsOf(names: readonly string[]): string[][] {
  const count = Math.ceil(names.length / mostNames)
  return Array.from({ length: count }, (_, index) => names.slice(index * mostNames, (index + 1) * mostNames))
}

function tagKey(tag: string): string {
  return `plumbline:tag:${tag}`
}
