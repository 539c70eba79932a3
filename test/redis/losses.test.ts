import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { test as always, expect } from 'vitest'
import { testWith } from '../needs.js'
import { freePort } from '../ports.js'
import { openRedis, outcome, type TestRedis } from './client.js'
import { ownRedis, startRedis } from './server.js'

const test = testWith(ownRedis)
const get = (redis: TestRedis, key = 'k') => outcome(redis.ask((client) => client.get(key)))
const hurried = { REDIS_TIMEOUT_MS: '20' }
/** Far beyond any timeout here, and what a busy machine may add to it. */
const soon = 1_000

test('nobody waits for a server that hangs, its circuit opens once, and late answers go to nobody', async () => {
  await using server = await startRedis()
  await using redis = openRedis(server.url, { REDIS_TIMEOUT_MS: '200' })
  await redis.available()
  await redis.ask((client) => client.mset({ a: 'of a', b: 'of b' }))
  server.pause()
  const waits: number[] = []
  for (let i = 0; i < 5; i++) {
    const began = performance.now()
    expect(await get(redis, 'a')).toBe('TIMEOUT')
    waits.push(performance.now() - began)
  }
  expect(Math.min(...waits)).toBeGreaterThan(190)
  expect(Math.max(...waits)).toBeLessThan(soon)
  expect(redis.isAvailable).toBe(false)
  expect(await Promise.all(Array.from({ length: 20 }, () => get(redis)))).toEqual(Array(20).fill('CIRCUIT_OPEN'))
  expect(redis.changed).toEqual([{ remote: 'redis', isOpen: true }])

  server.resume()
  await redis.available()
  expect(await get(redis, 'b')).toBe('of b')
  expect(await get(redis, 'a')).toBe('of a')
  expect(redis.changed).toEqual([true, false].map((isOpen) => ({ remote: 'redis', isOpen })))
})

test('one command tries a server that failed, while the others do not wait', async () => {
  await using server = await startRedis()
  await using redis = openRedis(server.url, hurried)
  await redis.available()
  server.pause()
  while (redis.isAvailable) await get(redis)
  await redis.available()
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => get(redis)))
  expect(outcomes).toEqual(['TIMEOUT', ...Array(19).fill('CIRCUIT_OPEN')])
  expect(redis.isAvailable).toBe(false)
  expect(redis.changed).toHaveLength(1)
  server.resume()
})

test('a pause fails what is under way, however much it is, and no more', async () => {
  await using server = await startRedis()
  await using redis = openRedis(server.url, { REDIS_TIMEOUT_MS: '300' })
  await redis.available()
  server.pause()
  expect(await Promise.all(Array.from({ length: 200 }, () => get(redis)))).toEqual(Array(200).fill('TIMEOUT'))
  server.resume()
  expect(redis.isAvailable).toBe(true)
  expect(redis.changed).toEqual([])
})

test('a server that was killed is asked again as soon as it is there; both are told of once', async () => {
  await using server = await startRedis()
  await using redis = openRedis(server.url)
  await redis.available()
  server.pause()
  const underWay = get(redis)
  await server.kill()
  expect(await underWay).toBe('DISCONNECTED')
  const began = performance.now()
  for (let i = 0; i < 100; i++) expect(await get(redis)).toBe('DISCONNECTED')
  expect(performance.now() - began).toBeLessThan(soon)
  expect(redis.isAvailable).toBe(false)
  await sleep(500)
  await server.start()
  await redis.available()
  expect(await get(redis)).toBe(null)
  expect(redis.changed.map(({ isOpen }) => isOpen)).toEqual([true, false])
  expect(redis.logged.map((line) => JSON.parse(line).msg)).toEqual([
    'Redis is not connected',
    'Redis is connected again',
  ])
})

test('it begins without a server, and uses one as soon as there is one', async () => {
  await using server = await startRedis()
  await server.kill()
  await using redis = openRedis(server.url)
  await expect.poll(() => redis.changed).toEqual([{ remote: 'redis', isOpen: true }])
  expect(await get(redis)).toBe('DISCONNECTED')
  await server.start()
  await redis.available()
  expect(await get(redis)).toBe(null)
})

test('closing ends quickly while the server hangs', async () => {
  await using server = await startRedis()
  const redis = openRedis(server.url, hurried)
  redis.subscribe('news', { message() {}, began() {}, lost() {} })
  await redis.available()
  server.pause()
  const asked = get(redis)
  const began = performance.now()
  await redis.close()
  expect(performance.now() - began).toBeLessThan(soon)
  expect(await asked).toBe('TIMEOUT')
  expect(redis.changed).toEqual([])
})

always('a server that takes connections and is silent keeps nobody waiting, and is connected to again', async () => {
  const sockets: Socket[] = []
  const silent = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const redis = openRedis(`redis://127.0.0.1:${(silent.address() as AddressInfo).port}`)
  await expect.poll(() => sockets.length).toBe(1)
  expect(await get(redis)).toBe('DISCONNECTED')
  await expect.poll(() => sockets.length).toBe(2)
  const began = performance.now()
  await redis.close()
  expect(performance.now() - began).toBeLessThan(soon)
  for (const socket of sockets) socket.destroy()
  silent.close()
})

always('attempts to connect are not told of one by one, and end with it', async () => {
  const redis = openRedis(`redis://:a-secret@127.0.0.1:${await freePort()}`)
  await sleep(700)
  expect(redis.logged.map((line) => JSON.parse(line))).toMatchObject([{ reason: 'ECONNREFUSED', level: 'warn' }])
  await redis.close()
  expect(redis.logged.join()).not.toContain('a-secret')
})

test('a password that is refused is told of once, and nowhere shown', async () => {
  await using server = await startRedis('--requirepass', 'the-right-secret')
  await using redis = openRedis(server.url.replace('//', '//somebody:a-wrong-secret@'))
  redis.subscribe('news', { message() {}, began() {}, lost() {} })
  await sleep(700)
  const error = await redis.ask((client) => client.get('k')).catch((failure) => failure)
  const lines = redis.logged.map((line) => JSON.parse(line).msg)
  expect(lines.toSorted()).toEqual(['Redis is not connected', 'Redis refuses a connection or subscription'])
  expect(redis.logged.join()).toContain('WRONGPASS')
  expect(`${redis.logged} ${JSON.stringify(error)} ${error.stack} ${JSON.stringify(redis.changed)}`).not.toMatch(
    /secret|somebody/,
  )
  await using right = openRedis(server.url.replace('//', '//:the-right-secret@'))
  await right.available()
  expect(await get(right)).toBe(null)
})
