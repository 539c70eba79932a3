import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect } from 'vitest'
import { Cache } from '../../src/cache/cache.js'
import { RedisLevel } from '../../src/cache/redis-level.js'
import { Tags } from '../../src/cache/tags.js'
import { writeLog } from '../../src/core/log.js'
import { testWith } from '../needs.js'
import { openRedis, type TestRedis } from '../redis/client.js'
import { ownRedis, type RedisServer, startRedis } from '../redis/server.js'

const test = testWith(ownRedis)
const silent = writeLog({ LOG_LEVEL: 'silent' }, { write: () => {} })
let server: RedisServer
let redis: TestRedis
beforeAll(async () => {
  if (!ownRedis.isThere) return
  server = await startRedis()
  redis = openRedis(server.url)
  while (!redis.isAvailable) await sleep(5)
})
afterAll(async () => {
  await redis?.[Symbol.asyncDispose]()
  await server?.[Symbol.asyncDispose]()
})

function open() {
  const level = new RedisLevel(redis, 'release', silent)
  level.beginTrust()()
  return level
}

test('a key has a bound, whatever clients ask for', async () => {
  const level = open()
  const [long, other] = ['x'.repeat(100_000), `${'x'.repeat(99_999)}y`]
  level.keep([{ key: long, bytes: Buffer.from('bytes'), ttl: 60_000 }])
  await expect
    .poll(async () => (await level.read([long, other], [], 'v'))?.entries)
    .toEqual([Buffer.from('bytes'), null])
  const keys = await redis.ask((client) => client.keys('*'))
  expect(Math.max(...keys.map(({ length }) => length))).toBeLessThan(1_000)
})

const names = (count: number) => Array.from({ length: count }, (_, index) => `posts.id:${index}`)

test('what many writes changed while Redis was away can be told at once', async () => {
  const level = open()
  const many = names(20_000)
  const before = await level.read([], many, 'v1')
  expect(new Set(before?.versions)).toEqual(new Set(['v1']))
  expect(await level.change(many)).toBe(true)
  expect(level.isUp).toBe(true)
  const after = await level.read(many, many, 'v2')
  expect(after?.entries).toHaveLength(20_000)
  expect(new Set(after?.versions)).toEqual(new Set(['v2']))
})

test('what is asked in one turn of the event loop is one command, of nobody, and each hears of its own', async () => {
  const storage = new AsyncLocalStorage<string>()
  const asked: (string | undefined)[] = []
  const ask: typeof redis.ask = (command) => {
    asked.push(storage.getStore())
    return redis.ask(command)
  }
  const level = new RedisLevel({ ...redis, isAvailable: true, ask }, 'release', silent)
  level.keep([{ key: 'a', bytes: Buffer.from('of a'), ttl: 60_000 }])
  level.keep([{ key: 'shared', bytes: Buffer.from('of both'), ttl: 60_000 }])
  await redis.ask((client) => client.ping())
  asked.length = 0
  const said = await Promise.all(
    ['a', 'b'].map((name) =>
      storage.run(name, async () => {
        const { entries, versions } = (await level.read([name, 'shared'], [`turn:${name}`, 'turn'], name)) ?? {}
        return { by: storage.getStore(), entries: entries?.map((bytes) => bytes && String(bytes)), versions }
      }),
    ),
  )
  expect(asked).toEqual([undefined])
  expect(said).toEqual([
    { by: 'a', entries: ['of a', 'of both'], versions: ['a', 'a'] },
    { by: 'b', entries: [null, 'of both'], versions: ['a', 'a'] },
  ])
  const keys = Array.from({ length: 5_200 }, (_, index) => (index === 5_100 ? 'a' : `none ${index}`))
  const [many, few] = await Promise.all([level.read(keys, ['turn'], 'c'), level.read(['shared'], ['turn'], 'd')])
  expect([many?.entries.indexOf(null), String(many?.entries[5_100]), many?.versions]).toEqual([0, 'of a', ['a']])
  expect([String(few?.entries[0]), few?.versions]).toEqual(['of both', ['a']])
})

test('what is none of ours under a key of ours is nothing', async () => {
  const level = open()
  const tags = new Tags(level, 60_000)
  const cache = new Cache({ tags, redis: level, memoryBytes: 0, ttl: 60_000, coherence: 1_000 })
  const source = { name: 'postById', rests: ['posts.id'] }
  const load = (key: string) => cache.load(source, [{ key, by: key }], { fetch: async () => ['read'], after: 0 })
  for (const bytes of [
    '',
    'text',
    Buffer.from([0xff, 0xd9, 0x72]),
    Buffer.from([0x93, 1, 2, 3]),
    Buffer.alloc(100, 0xc1),
  ]) {
    for (const name of ['postById:k', 'other:k'])
      await redis.ask((client) => client.set(`plumbline:release:${name}`, bytes as Buffer))
    expect((await load('k')).map(({ value }) => value)).toEqual(['read'])
    expect(await cache.find('other', ['k'], 0)).toBeUndefined()
  }
})

test('a lock that was taken too late for whoever asked is given back', async () => {
  await using hurried = openRedis(server.url, { REDIS_TIMEOUT_MS: '30' })
  while (!hurried.isAvailable) await sleep(5)
  const level = new RedisLevel(hurried, 'release', silent)
  server.pause()
  expect(await level.lock('late', 60_000)).toBeUndefined()
  server.resume()
  await sleep(100)
  const taken = await open().lock('late', 60_000)
  expect(taken).toBeTypeOf('function')
})

test('a version that is asked for lives on', async () => {
  const level = open()
  await level.read([], ['lasting'], 'v1')
  await redis.ask((client) => client.pexpire('plumbline:tag:lasting', 1_000))
  expect((await level.read([], ['lasting'], 'v2'))?.versions).toEqual(['v1'])
  expect(await redis.ask((client) => client.pttl('plumbline:tag:lasting'))).toBeGreaterThan(3_000_000)
})

test('what is no word of changes has everything asked for again, and ends nothing', async () => {
  const level = open()
  const heard: unknown[] = []
  level.hear({ changed: (tags) => heard.push(tags), missed: () => heard.push('missed') })
  await expect.poll(() => heard).toEqual(['missed'])
  for (const text of ['hello', 'null', '[1]', '{"tags":["posts"]}', '["posts"]'])
    await redis.ask((client) => client.publish('plumbline:changed', text))
  await expect.poll(() => heard).toEqual(['missed', 'missed', 'missed', 'missed', 'missed', ['posts']])
})
