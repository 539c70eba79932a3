import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { RedisLevel } from '../../src/cache/redis-level.js'
import { Tags } from '../../src/cache/tags.js'
import { Writes } from '../../src/cache/writes.js'
import { writeLog } from '../../src/core/log.js'
import type { Database } from '../../src/db/database.js'
import type { Redis } from '../../src/redis/redis.js'
import type { Hearing } from '../../src/redis/subscription.js'

const log = writeLog({ LOG_LEVEL: 'silent' }, { write: () => {} })
const interval = 10

function open() {
  const left = [{ id: '1', tags: ['posts'] }]
  let hearing: Hearing | undefined
  const redis = {
    isAvailable: true,
    ask: async () => null,
    subscribe: (_channel: string, given: Hearing) => {
      hearing = given
    },
  }
  const tx = {
    sql: async (build: () => { compile(): { sql: string } }) =>
      /^delete/.test(build().compile().sql) ? left.splice(0) : [...left],
  }
  const db = { follow: () => () => {}, write: (work: (given: typeof tx) => unknown) => work(tx) }
  const level = new RedisLevel(redis as unknown as Redis, 'release', log)
  const tags = new Tags(level, 60_000)
  const writes = new Writes({
    db: db as unknown as Database,
    tags,
    redis: level,
    keysOf: () => undefined,
    interval,
    log,
  })
  return { level, redis, left, writes, begin: () => hearing?.began() }
}

test('who could not look after what others left untold does not believe Redis until it did', async () => {
  const { level, redis, left, writes, begin } = open()
  expect(level.isUp).toBe(false)
  begin()
  await expect.poll(() => level.isUp).toBe(true)
  expect(left).toEqual([])
  // Its commands do not come through, though it hears. Meanwhile somebody is killed between their commit and its telling.
  redis.isAvailable = false
  left.push({ id: '2', tags: ['users'] })
  await sleep(10 * interval)
  redis.isAvailable = true
  expect(level.isUp).toBe(false)
  await expect.poll(() => level.isUp).toBe(true)
  expect(left).toEqual([])
  await writes.close()
})
