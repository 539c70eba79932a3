import { expect } from 'vitest'
import { testWith } from '../needs.js'
import { openRedis, type TestRedis } from './client.js'
import { anyRedis, ownRedis, reachRedis, startRedis } from './server.js'

const patience = { interval: 10 }

/** What a subscription was told, in its order. */
function hear(redis: TestRedis, channel: string) {
  const heard: string[] = []
  redis.subscribe(channel, {
    message: (text) => void heard.push(text),
    began: () => void heard.push('began'),
    lost: () => void heard.push('lost'),
  })
  return heard
}

testWith(anyRedis)('a channel is heard from when it says so, and no other', async () => {
  await using server = await reachRedis()
  await using redis = openRedis(server.url)
  const heard = hear(redis, 'test:news')
  await expect.poll(() => heard, patience).toEqual(['began'])
  await redis.available()
  await redis.ask((client) => client.publish('test:others', 'no'))
  for (const text of ['one', 'zwölf', '']) await redis.ask((client) => client.publish('test:news', text))
  await expect.poll(() => heard, patience).toEqual(['began', 'one', 'zwölf', ''])
})

testWith(ownRedis)('it says that it is lost, and begins again, after a kill and after a silence', async () => {
  await using server = await startRedis()
  await using redis = openRedis(server.url)
  const heard = hear(redis, 'news')
  await expect.poll(() => heard, patience).toEqual(['began'])
  await server.kill()
  await expect.poll(() => heard, patience).toEqual(['began', 'lost'])
  await server.start()
  await expect.poll(() => heard, patience).toEqual(['began', 'lost', 'began'])

  server.pause()
  await expect.poll(() => heard, patience).toEqual(['began', 'lost', 'began', 'lost'])
  server.resume()
  await expect.poll(() => heard, patience).toEqual(['began', 'lost', 'began', 'lost', 'began'])
  await redis.available()
  await redis.ask((client) => client.publish('news', 'still'))
  await expect.poll(() => heard.at(-1), patience).toBe('still')
})

testWith(ownRedis)('where it may not hear a channel that is told once, and tried again', async () => {
  await using server = await startRedis()
  await using admin = openRedis(server.url)
  await admin.available()
  await admin.ask((client) => client.acl('SETUSER', 'reader', 'on', '>pass', '~*', 'resetchannels', '+@all'))
  await using redis = openRedis(server.url.replace('//', '//reader:pass@'))
  const heard = hear(redis, 'news')
  await expect.poll(() => redis.logged.length, patience).toBe(1)
  expect(redis.logged.join()).toContain('NOPERM')
  await admin.ask((client) => client.acl('SETUSER', 'reader', '&news'))
  await expect.poll(() => heard, patience).toEqual(['began'])
  expect(redis.logged).toHaveLength(1)
})
