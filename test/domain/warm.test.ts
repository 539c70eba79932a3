import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Config, loadConfig } from '../../src/core/config.js'
import { fact } from '../../src/core/events.js'
import { createLog } from '../../src/core/log.js'
import { readOperation, readWarmOperations, sentDocument } from '../../src/tools/operation-file.js'
import { seedDatabase } from '../../src/tools/seed.js'
import { warmCache, whyNot } from '../../src/tools/warm.js'
import { warmStart } from '../../src/tools/warm-start.js'
import { warm } from '../../src/tools/warming.js'
import { testWith } from '../needs.js'
import { freePort } from '../ports.js'
import { ownRedis, type RedisServer, startRedis } from '../redis/server.js'
import { jwtSecret } from '../settings.js'
import { startBusiness, type TestApp } from '../support.js'

const silent = createLog({ LOG_LEVEL: 'silent' })
const seeding = { scale: 0.005, today: new Date('2026-11-20T00:00:00Z') }
const sent = async (name: string) => sentDocument(await readOperation(name))
/** Answers are kept apart by what servers refuse: this must be what the server has. */
const configOf = ({ url }: TestApp, more: Record<string, string> = {}): Config =>
  loadConfig({ DATABASE_URL: url, JWT_SECRET: jwtSecret, LOG_LEVEL: 'silent', INTROSPECTION: 'on', ...more })

test('nothing is filled where nobody else would find it', () => {
  const given = { DATABASE_URL: 'postgresql://somewhere/something', JWT_SECRET: jwtSecret }
  expect(whyNot(loadConfig(given))).toContain('no REDIS_URL')
  expect(whyNot(loadConfig({ ...given, REDIS_URL: 'redis://nowhere:6379', CACHE: 'off' }))).toContain('CACHE is off')
  expect(whyNot(loadConfig({ ...given, REDIS_URL: 'redis://nowhere:6379' }))).toBeUndefined()
})

testWith(ownRedis)('a server finds in Redis what was filled before it was asked', async () => {
  await using redis = await startRedis()
  await using api = await startBusiness({ CACHE: 'on', REDIS_URL: redis.url })
  await seedDatabase(configOf(api), seeding)
  await expect.poll(() => api.app.cache?.isShared).toBe(true)
  const told: string[] = []
  const progress = (name: string, done: number, of: number) => void (done === of && told.push(name))
  // It may be run again at any time.
  for (const _ of [1, 2]) await warmCache(configOf(api, { REDIS_URL: redis.url }), progress)
  const warmed = ['recent posts', 'popular products', 'home-feed', 'post-page', 'product-detail', 'product-list']
  expect(told).toEqual(expect.arrayContaining([...warmed, 'product-table']))
  const feed = await api.query(await sent('home-feed'))
  expect(feed.data.posts.edges).toHaveLength(20)
  expect(feed.statements).toEqual([])
  // Another text and other columns, of rows that the cache has.
  const ids = (await api.query('{ popularProducts(first: 20) { id } }')).data.popularProducts
  const popular = await api.query('{ popularProducts(first: 20) { name description } }')
  expect(ids).toHaveLength(popular.data.popularProducts.length)
  expect(popular.statements).toEqual([])
})

testWith(ownRedis)('an unreachable Redis is said to be one', async () => {
  await using api = await startBusiness()
  const REDIS_URL = `redis://127.0.0.1:${await freePort()}`
  await expect(warmCache(configOf(api, { REDIS_URL }), () => {}, 200)).rejects.toThrow('Redis does not answer')
})

describe('a server that starts', () => {
  let redis: RedisServer | undefined
  let api: TestApp
  beforeAll(async () => {
    redis = ownRedis.isThere ? await startRedis() : undefined
    api = await startBusiness({ CACHE: 'on', GRAPHQL_PLAN_AT_USE: '3', ...(redis && { REDIS_URL: redis.url }) })
    await seedDatabase(configOf(api), seeding)
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await redis?.[Symbol.asyncDispose]()
  })

  test('is ready once it knows the documents, and has told what failed', async () => {
    let looks = 0
    const isMigrated = async () => {
      if (++looks === 1) throw Object.assign(new Error(''), { code: 'ECONNREFUSED' })
    }
    const { begin, stop } = warmStart(api.app, { log: silent, isMigrated })
    begin()
    const ready = async () => (await fetch(new URL('/readyz', api.app.url))).status
    expect(await ready()).toBe(503)
    await expect.poll(ready).toBe(200)
    await stop()
    expect(looks).toBe(2)
    const parsed: unknown[] = []
    const unlisten = fact('operation.parsed').listen((document) => void parsed.push(document))
    for (const name of (await readWarmOperations()).keys())
      await api.query(await sent(name), { id: 'none', first: 3, page: 3, perPage: 3 })
    unlisten()
    expect(parsed).toEqual([])
  })

  test('goes on where an operation fails, and tells which', async () => {
    const operations = new Map([
      ['broken', { document: '{ nothing }', each: '', documents: 1, from: '{ nothing }', warm: [] }],
      ...(await readWarmOperations()),
    ])
    const { signal } = new AbortController()
    const done: string[] = []
    const progress = (name: string) => void done.push(name)
    const failures = await warm(api.app, { operations, isServing: true, progress, signal })
    expect([...failures.keys()]).toEqual(['broken'])
    if (redis) expect(done).toContain('home-feed')
  })

  test('tells nobody of a rehearsal as of a client’s operation', async () => {
    const told: unknown[] = []
    const names = ['operation.started', 'operation.finished'] as const
    const stops = names.map((name) => fact(name).listen((value) => void told.push(value)))
    await api.app.rehearse({ query: '{ __typename }' })
    await api.app.rehearse({ query: '{ nothing }' })
    expect(told).toEqual([])
    await api.query('{ __typename }')
    expect(told).toHaveLength(2)
    for (const stop of stops) stop()
  })

  test('begins nothing more once it must stop', async () => {
    let asked = 0
    const stop = fact('operation.started').listen(() => asked++)
    const operations = await readWarmOperations()
    await warm(api.app, { operations, isServing: true, progress: () => {}, signal: AbortSignal.abort() })
    stop()
    expect(asked).toBe(0)
  })
})
