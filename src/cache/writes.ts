import type { Change } from '../core/events.js'
import { fact } from '../core/events.js'
import type { Log } from '../core/log.js'
import type { Database } from '../db/database.js'
import type { Transaction } from '../db/transaction.js'
import { type Keys, tagsOf } from './changes.js'
import { Outbox } from './outbox.js'
import type { RedisLevel } from './redis-level.js'
import type { Tags } from './tags.js'

/** What is written is told by. */
export interface Telling {
  readonly db: Database
  readonly tags: Tags
  readonly redis: RedisLevel | undefined
  readonly keysOf: Keys
  /** How often it is looked after what others could not tell, in ms; they have as long for it themselves. */
  readonly interval: number
  readonly log: Log
}

const invalidated = fact('cache.invalidated')

/**
 * Has every write forget what it changed: after its commit, before whoever wrote goes on, here; and, by way of Redis,
 * everywhere. What cannot be told at once stays in the outbox, where whoever comes first finds it.
 */
export class Writes {
  private readonly outbox: Outbox
  private readonly stop: () => void
  private timer: NodeJS.Timeout | undefined
  private looking: Promise<void> | undefined
  private isClosed = false
  private hasFailed = false

  constructor(private readonly telling: Telling) {
    const { db, redis, tags, log } = telling
    this.outbox = new Outbox(db, log)
    this.stop = db.follow((tx, changes) => this.follow(tx, changes))
    redis?.hear({
      changed: (names) => tags.forget(names),
      // Whatever was said meanwhile was not heard.
      missed: () => {
        tags.forgetAll()
        this.look()
      },
    })
    if (redis) this.schedule()
  }

  async close(): Promise<void> {
    this.isClosed = true
    this.stop()
    clearTimeout(this.timer)
    await this.looking
    if (this.telling.redis?.isUp) await this.sweep(this.telling.redis)
  }

  private async follow(tx: Transaction, changes: readonly Change[]): Promise<() => void | Promise<void>> {
    const names = tagsOf(changes, this.telling.keysOf)
    if (names.length === 0) return async () => {}
    const { redis, tags } = this.telling
    const id = redis && (await this.outbox.put(tx, names))
    return async () => {
      if (invalidated.heard) invalidated.publish({ tags: names.length })
      if (id === undefined) return tags.forget(names)
      // In between Redis still says what was true before.
      tags.unsettle(names)
      if (await redis?.change(names)) this.outbox.check(id)
      tags.settle(names)
    }
  }

  private schedule(): void {
    if (this.isClosed) return
    this.timer = setTimeout(() => this.look().finally(() => this.schedule()), this.telling.interval).unref()
  }

  /** Tells what is left to tell; one look at a time. */
  private look(): Promise<void> {
    // Not inside of it: one that ends at once ends before it is noted here.
    this.looking ??= this.lookOnce().finally(() => {
      this.looking = undefined
    })
    return this.looking
  }

  private async lookOnce(): Promise<void> {
    const { redis } = this.telling
    if (!redis || this.isClosed) return
    // What is left untold meanwhile may get old.
    if (!redis.isReachable) return redis.distrust()
    try {
      await this.sweep(redis)
    } catch (error) {
      redis.distrust()
      this.tellOnce(error)
    }
  }

  /** While it fails, nothing that Redis has is used: whoever runs this must know, but not once a second. */
  private tellOnce(error: unknown): void {
    const { log } = this.telling
    log[this.hasFailed ? 'debug' : 'error'](
      { err: error },
      'Redis is not used: what writes left to tell cannot be read',
    )
    this.hasFailed = true
  }

  private async sweep(redis: RedisLevel): Promise<void> {
    // Whoever comes back, or begins, cannot know what was not told meanwhile: all of it comes before anything is believed.
    const age = redis.isTrusted ? this.telling.interval : 0
    const trust = redis.beginTrust()
    await this.outbox.sweep(age, async (tags) => {
      if (!(await redis.change(tags))) throw new Error('Redis does not answer.')
    })
    trust()
    this.hasFailed = false
  }
}
