import type { Config } from '../core/config.js'
import type { Log } from '../core/log.js'
import type { Database } from '../db/database.js'
import type { Redis } from '../redis/redis.js'
import { Cache } from './cache.js'
import { Computations } from './computations.js'
import { RedisLevel } from './redis-level.js'
import { Tags } from './tags.js'
import { Writes } from './writes.js'

/** The cache room. */
export interface CacheRoom {
  readonly values: Cache
  readonly computations: Computations
  /** Whether what is put in now is there for other processes too. */
  readonly isShared: boolean
  /** Remembers that a viewer wrote just now, for whoever answers them next. */
  wrote(viewer: string): Promise<void>
  /** When a viewer wrote last, in ms since 1970, as far as it matters still; 0 for long ago. */
  lastWrite(viewer: string): Promise<number>
  close(): Promise<void>
}

/** What the room is opened over. */
export interface Opening {
  readonly db: Database
  /** Absent where each process has its own values only. */
  readonly redis: Redis | undefined
  /** What tells apart processes whose values have another form. */
  readonly release: string
  readonly log: Log
}

/** Opens the cache: over Redis where there is one, else in the process alone. */
export function openCache(config: Config, { db, redis, release, log }: Opening): CacheRoom {
  const coherence = config.CACHE_COHERENCE_MS
  const level = redis && new RedisLevel(redis, release, log)
  // A change that nobody told is found within two fifths; for the rest a version may be relied on that was heard.
  const memoryBytes = config.CACHE_MEMORY_MB * 2 ** 20
  const tags = new Tags(level, coherence * 0.6, memoryBytes)
  const values = new Cache({
    tags,
    redis: level,
    memoryBytes,
    ttl: config.CACHE_TTL_S * 1_000,
    coherence,
  })
  const keysOf = (table: string) => db.keys(table)
  const writes = new Writes({ db, tags, redis: level, keysOf, interval: coherence / 5, log })
  return {
    values,
    computations: new Computations(values, level),
    get isShared() {
      return level?.isUp ?? false
    },
    async wrote(viewer) {
      await level?.mark(viewer, Date.now(), 2 * coherence)
    },
    lastWrite: async (viewer) => (level?.isUp ? level.marked(viewer) : 0),
    close: () => writes.close(),
  }
}
