import type { Pool } from 'pg'
import { expect, test } from 'vitest'
import { forgetEverything } from '../../src/cache/outbox.js'
import { loadConfig } from '../../src/core/config.js'
import { createLog } from '../../src/core/log.js'
import { migrationsTable } from '../../src/mikro-orm.config.js'
import { migrate, withMigrator } from '../../src/tools/migrate.js'
import { seedDatabase } from '../../src/tools/seed.js'
import { testWith } from '../needs.js'
import { ownRedis, startRedis } from '../redis/server.js'
import { jwtSecret } from '../settings.js'
import { startBusiness, type TestApp } from '../support.js'

const silent = createLog({ LOG_LEVEL: 'silent' })
const newest = '{ posts(first: 1) { nodes { id title author { name } } } }'
/** What a server shows after it has shown something else, as soon as it knows. */
const shown = async (api: TestApp, field = 'title') => (await api.query(newest)).data.posts.nodes[0]?.[field]

testWith(ownRedis)('servers hear of it when the database is filled anew', async () => {
  await using redis = await startRedis()
  await using api = await startBusiness({ CACHE: 'on', REDIS_URL: redis.url, CACHE_COHERENCE_MS: '60000' })
  await expect.poll(() => api.app.cache?.isShared).toBe(true)
  expect(await shown(api)).toBeUndefined()
  const config = loadConfig({
    DATABASE_URL: api.url,
    JWT_SECRET: jwtSecret,
    LOG_LEVEL: 'silent',
    REDIS_URL: redis.url,
  })
  await seedDatabase(config, { scale: 0.005, today: new Date('2026-11-20T00:00:00Z') })
  await expect.poll(() => shown(api)).toBeTruthy()
  const first = await shown(api, 'id')
  await seedDatabase(config, { scale: 0.005, today: new Date('2026-11-21T00:00:00Z'), reset: true })
  await expect.poll(() => shown(api, 'id')).not.toBe(first)
})

testWith(ownRedis)('servers look for word that was left for them', async () => {
  await using redis = await startRedis()
  await using api = await startBusiness({ CACHE: 'on', REDIS_URL: redis.url, CACHE_COHERENCE_MS: '2000' })
  await expect.poll(() => api.app.cache?.isShared).toBe(true)
  await api.sql(`insert into users (id, name, email, role, active, password_hash, joined_at)
    values (gen_random_uuid(), 'A', 'a@example.com', 'USER', true, '', now())`)
  await api.sql(`insert into posts (id, author_id, status, title, body, published_at, created_at)
    select gen_random_uuid(), id, 'PUBLISHED', 'before', 'b', now(), now() from users`)
  expect(await shown(api)).toBe('before')
  await api.sql(`update posts set title = 'after'`)
  expect(await shown(api)).toBe('before')
  await forgetEverything((await api.app.db.orm.em.getConnection().getNativeClient()) as Pool)
  await expect.poll(() => shown(api)).toBe('after')
})

test('a migration leaves word where there is a Redis, as it changes rows by no write of ours', async () => {
  await using api = await startBusiness()
  const told = () => api.sql('select tags from plumbline_cache.changes')
  const [last] = await api.sql<{ name: string }>(`select name from "${migrationsTable}" order by id desc limit 1`)
  const config = { DATABASE_URL: api.url, JWT_SECRET: jwtSecret }
  const again = async (more: Record<string, string> = {}) => {
    const given = loadConfig({ ...config, ...more })
    const migrations = [last?.name as string]
    await withMigrator(given, silent, (migrator) => migrator.down({ migrations }))
    expect(await migrate(given, silent)).toEqual(migrations)
    // Nothing was pending any more.
    await migrate(given, silent)
  }
  await again()
  expect(await told()).toEqual([])
  await again({ REDIS_URL: 'redis://127.0.0.1:1' })
  expect(await told()).toEqual([{ tags: ['*'] }])
})
