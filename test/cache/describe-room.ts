import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect } from 'vitest'
import { Cache } from '../../src/cache/cache.js'
import { RedisLevel } from '../../src/cache/redis-level.js'
import { Tags } from '../../src/cache/tags.js'
import { fact } from '../../src/core/events.js'
import { writeLog } from '../../src/core/log.js'
import { testWith } from '../needs.js'
import { openRedis } from '../redis/client.js'
import { ownRedis, startRedis } from '../redis/server.js'

const megabyte = 2 ** 20
const batch = 500

/** What tags of rows take beside the entries: 200,000 at most, in bytes each. */
const tagBytes = 300

/** So many values are offered to one process and Redis: neither takes more room, or keeps it longer, than it may. */
export function describeRoom(count: number, memory: number): void {
  testWith(ownRedis)(`${count} values offered to ${memory} MB`, async () => {
    setFlagsFromString('--expose-gc')
    const collect: () => void = runInNewContext('gc')
    const heap = () => {
      collect()
      return process.memoryUsage().heapUsed
    }
    await using server = await startRedis()
    await using redis = openRedis(server.url)
    while (!redis.isAvailable) await sleep(5)
    const level = new RedisLevel(redis, 'release', writeLog({ LOG_LEVEL: 'silent' }, { write: () => {} }))
    level.beginTrust()()
    const tags = new Tags(level, 3_600_000, memory * megabyte)
    const cache = new Cache({ tags, redis: level, memoryBytes: memory * megabyte, ttl: 600_000, coherence: 5_000 })
    const source = { name: 'rowById', rests: ['rows.id'] }
    let evicted = 0
    const stop = fact('cache.evicted').listen(({ entries }) => {
      evicted += entries
    })
    const before = heap()
    const began = performance.now()
    for (let first = 0; first < count; first += batch) {
      const wanted = Array.from({ length: Math.min(batch, count - first) }, (_, index) => {
        const key = `row-${first + index}`
        return { key, by: key }
      })
      const fetch = async (keys: readonly string[]) =>
        keys.map((id) => ({ id, name: `name of ${id}`, text: id.repeat(10) }))
      await cache.load(source, wanted, { fetch, after: 0 })
    }
    const seconds = (performance.now() - began) / 1_000
    stop()
    let held = 0
    for (let index = 0; index < count; index++) if (cache.peek('rowById', `row-${index}`, 0)) held++
    const grown = heap() - before
    // Asked for after it: what nobody needs any more would not be counted.
    expect(cache.numbers.bytes).toBeLessThanOrEqual(memory * megabyte)
    await redis.ask((client) => client.ping())
    let keys = 0
    let lasting = 0
    for (let cursor = '0', isDone = false; !isDone; ) {
      const [next, found] = await redis.ask((client) => client.scan(cursor, 'COUNT', 2_000))
      const ttls = (await redis.ask((client) => {
        const pipeline = client.pipeline()
        for (const key of found) pipeline.pttl(key)
        return pipeline.exec()
      })) as [Error | null, number][]
      keys += found.length
      lasting += ttls.filter(([, ttl]) => ttl === -1).length
      cursor = next
      isDone = next === '0'
    }
    console.log(
      `${count} values, ${memory} MB: ${held} held, ${evicted} evicted, heap grew ${(grown / megabyte).toFixed(1)} MB; ` +
        `${keys} keys in Redis, ${lasting} without an end; ${seconds.toFixed(1)} s`,
    )
    expect(evicted).toBe(count - held)
    expect(evicted).toBeGreaterThan(0)
    expect(held).toBeGreaterThan(0)
    expect(grown).toBeLessThan(
      1.25 * memory * megabyte + Math.min(count, (memory * megabyte) / 320) * tagBytes + 8 * megabyte,
    )
    expect(keys).toBeGreaterThan(count)
    expect(lasting).toBe(0)
  })
}
