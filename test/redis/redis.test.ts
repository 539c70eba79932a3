import { inspect } from 'node:util'
import { expect } from 'vitest'
import { defineScript } from '../../src/redis/script.js'
import { testWith } from '../needs.js'
import { openRedis, outcome } from './client.js'
import { anyRedis, ownRedis, reachRedis, startRedis } from './server.js'

const test = testWith(anyRedis)
const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i))

test('commands are answered, bytes as they are', async () => {
  await using server = await reachRedis()
  await using redis = openRedis(server.url)
  await redis.available()
  await redis.ask((client) => client.set('test:bytes', bytes, 'PX', 60_000))
  expect(await redis.ask((client) => client.mgetBuffer('test:bytes', 'test:none'))).toEqual([bytes, null])
  const pipelined = redis.ask((client) => client.pipeline().getBuffer('test:bytes').del('test:bytes').exec())
  expect(await pipelined).toEqual([
    [null, bytes],
    [null, 1],
  ])
})

test('scripts run by their digest, bytes in and out, also when the server has forgotten them', async () => {
  await using server = await reachRedis()
  await using redis = openRedis(server.url)
  await redis.available()
  const echo = defineScript<[Buffer, Buffer, number]>('return { KEYS[1], ARGV[1], #ARGV }')
  const run = () => redis.ask((client) => echo(client, [bytes], [bytes, 7]))
  expect(await run()).toEqual([bytes, bytes, 2])
  await redis.ask((client) => client.script('FLUSH'))
  expect(await Promise.all([run(), run()])).toEqual(Array(2).fill([bytes, bytes, 2]))
  const wrong = defineScript('return redis.error_reply("NO no")')
  await expect(redis.ask((client) => wrong(client, [], []))).rejects.toThrow('NO no')
})

test('what the server refuses is thrown as it is, without what was sent, and says nothing of its health', async () => {
  await using server = await reachRedis()
  await using redis = openRedis(server.url)
  await redis.available()
  for (let i = 0; i < 10; i++) {
    const error = await redis.ask((client) => client.call('SET', 'test:k', 'a private row', 'NONSENSE')).catch((e) => e)
    expect(error).toMatchObject({ name: 'ReplyError', message: expect.stringContaining('ERR') })
    expect(inspect(error)).not.toContain('a private row')
  }
  expect(redis.isAvailable).toBe(true)
  expect(redis.changed).toEqual([])
})

testWith(ownRedis)('a full server refuses writes, and is still asked', async () => {
  await using server = await startRedis('--maxmemory', '100kb', '--maxmemory-policy', 'noeviction')
  await using redis = openRedis(server.url)
  await redis.available()
  for (let i = 0; i < 10; i++)
    await expect(redis.ask((client) => client.set('k', 'v'))).rejects.toMatchObject({
      message: expect.stringMatching(/^OOM/),
    })
  expect(await redis.ask((client) => client.get('k'))).toBe(null)
  expect(redis.changed).toEqual([])
})

test('an answer that came while the process was busy is not late', async () => {
  await using server = await reachRedis()
  await using redis = openRedis(server.url, { REDIS_TIMEOUT_MS: '50' })
  await redis.available()
  const asked = outcome(redis.ask((client) => client.echo('here')))
  for (const until = performance.now() + 500; performance.now() < until; );
  expect(await asked).toBe('here')
})

test('closing waits for what was asked', async () => {
  await using server = await reachRedis()
  const redis = openRedis(server.url)
  await redis.available()
  const asked = outcome(redis.ask((client) => client.echo('here')))
  await redis.close()
  expect(await asked).toBe('here')
  expect(await outcome(redis.ask((client) => client.echo('there')))).toBe('DISCONNECTED')
})
