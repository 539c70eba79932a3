import { Client } from 'pg'
import { expect, test } from 'vitest'
import { createTestDatabase } from '../support.js'
import { compileHouse } from './process.js'
import { prepareScrape } from './scrape.js'

/** In ms: Prometheus waits for ten seconds, unless it is told otherwise. */
const soon = 3_000

test('a scrape is answered soon while the queue is locked, with what was known of its jobs last', async () => {
  const database = await createTestDatabase('template_house')
  const locking = new Client({ connectionString: database.url })
  await using house = await compileHouse('test/observe/slices.ts')
  const metrics = await prepareScrape()
  const server = await house.run({ DATABASE_URL: database.url, WORKER: 'on', ...metrics.variables })
  const scrape = async (name: string) => {
    const began = performance.now()
    const value = await metrics.sum(name)
    expect(performance.now() - began).toBeLessThan(soon)
    return value
  }
  await locking.connect()
  try {
    // Nobody knows how to do it: it stays.
    await locking.query(`select graphile_worker.add_job('unknown', run_at => now() - interval '1 minute')`)
    const before = await scrape('plumbline_jobs_oldest_age')
    expect(before).toBeGreaterThan(59)
    await locking.query('begin; lock table graphile_worker._private_jobs')
    expect(await scrape('process_memory_usage')).toBeGreaterThan(0)
    expect(await scrape('plumbline_jobs_count')).toBe(1)
    expect(await scrape('plumbline_jobs_oldest_age')).toBeGreaterThan(before + 1)
    await locking.query('delete from graphile_worker._private_jobs; commit')
    await expect.poll(() => scrape('plumbline_jobs_count')).toBe(0)
  } finally {
    await locking.end()
    await server.stop()
    await database.drop()
  }
})
