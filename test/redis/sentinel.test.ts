import { expect } from 'vitest'
import { testWith } from '../needs.js'
import { openRedis, outcome } from './client.js'
import { redisBinary, startRedis, startSentinel } from './server.js'

testWith(redisBinary)('behind Sentinels the server that took over is used', async () => {
  await using master = await startRedis()
  await using replica = await startRedis('--replicaof', '127.0.0.1', String(master.port))
  await using watcher = openRedis(replica.url)
  await watcher.available()
  const link = () => outcome(watcher.ask((client) => client.info('replication')))
  await expect.poll(link, { interval: 20 }).toContain('master_link_status:up')

  await using sentinel = await startSentinel(master.port)
  await using asker = openRedis(sentinel.url)
  await asker.available()
  const replicas = () => asker.ask((client) => client.call('SENTINEL', 'REPLICAS', 'house') as Promise<unknown[]>)
  await expect.poll(async () => String(await replicas())).toContain(`127.0.0.1:${replica.port}`)

  await using redis = openRedis(`redis+sentinel://127.0.0.1:${sentinel.port},127.0.0.1:1/house`)
  await redis.available()
  await redis.ask((client) => client.set('k', 'kept'))
  await master.kill()
  await expect.poll(() => outcome(redis.ask((client) => client.set('k', 'written'))), { interval: 50 }).toBe('OK')
  // Who became master has closed its connections.
  await watcher.available()
  expect(await outcome(watcher.ask((client) => client.get('k')))).toBe('written')
})
