import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { Pool } from 'pg'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { createWorker } from '../../src/app.js'
import { type Environment, loadConfig } from '../../src/core/config.js'
import { createLog } from '../../src/core/log.js'
import { clusterUrl, createCluster, removeCluster, startCluster, stopCluster } from '../../src/db/cluster.js'
import { giveToPostgres } from '../../src/db/postgres.js'
import { written } from '../../src/db/statement.js'
import { defineJob, type Run } from '../../src/jobs/job.js'
import { migrateQueue } from '../../src/jobs/migrations.js'
import { jwtSecret } from '../settings.js'
import { createTestDatabase } from '../support.js'

let database: Awaited<ReturnType<typeof createTestDatabase>>
let pool: Pool

beforeAll(async () => {
  database = await createTestDatabase('template_house')
  pool = new Pool({ connectionString: database.url })
})
afterAll(async () => {
  await pool.end()
  await database.drop()
})

/** A worker of one job, `count`, and what it was given. */
async function start(url: string, work: (run: Run) => Promise<unknown> = async () => {}, config: Environment = {}) {
  const done: number[] = []
  const job = defineJob({
    name: 'count',
    payload: z.object({ number: z.number() }),
    async run({ number }, run) {
      await work(run)
      done.push(number)
    },
  })
  const settings = loadConfig({
    DATABASE_URL: url,
    JWT_SECRET: jwtSecret,
    LOG_LEVEL: 'silent',
    SHUTDOWN_TIMEOUT_MS: '1000',
    ...config,
  })
  const slice = { name: 'counting', entities: [], resolvers: [], nodes: [], jobs: [job] }
  const worker = await createWorker(settings, [slice], { log: createLog(settings) })
  return { worker, done }
}
const add = (to: Pool, number: number, queue?: string) =>
  to.query(`select graphile_worker.add_job('count', $1, $2)`, [JSON.stringify({ payload: { number } }), queue])
const jobs = async () => (await pool.query('select attempts, locked_by, last_error from graphile_worker.jobs')).rows

test('a worker refuses to start where the queue has no tables', async () => {
  await expect(start(inject('postgres'))).rejects.toThrow('run `npm run db:migrate` first')
})

test('a job that runs when the worker is closed is done', async () => {
  const { worker, done } = await start(database.url, () => sleep(300))
  await add(pool, 1)
  await expect.poll(jobs).toMatchObject([{ attempts: 1 }])
  await worker.close()
  expect(done).toEqual([1])
  expect(await jobs()).toEqual([])
})

test('one that takes longer is told to end, and is left to other workers in time', async () => {
  const signals: AbortSignal[] = []
  const { worker, done } = await start(database.url, ({ signal }) => {
    signals.push(signal)
    return sleep(30_000, undefined, { ref: false })
  })
  await add(pool, 2)
  await expect.poll(() => signals).toHaveLength(1)
  const began = performance.now()
  await worker.close()
  expect(performance.now() - began).toBeLessThan(5_000)
  expect(signals[0]?.aborted).toBe(true)
  expect(await jobs()).toMatchObject([{ attempts: 1, locked_by: null, last_error: 'Its worker had to stop.' }])
  expect(done).toEqual([])
  await pool.query('delete from graphile_worker._private_jobs')
})

test('one that is told to end may do so in its own way, without having failed', async () => {
  const { worker, done } = await start(database.url, async ({ signal, finish }) => {
    while (!signal.aborted) await sleep(10)
    await sleep(100)
    await finish((tx) =>
      tx.sql(written(sql`insert into boxes (id, label, secret) values (gen_random_uuid(), 'end', '')`), []),
    )
  })
  await add(pool, 3)
  await expect.poll(jobs).toMatchObject([{ attempts: 1 }])
  await worker.close()
  expect(done).toEqual([3])
  expect(await jobs()).toEqual([])
  expect((await pool.query('select label from boxes')).rows).toEqual([{ label: 'end' }])
})

test('a worker that was taken for dead leaves the job, and its queue, to the one that has it now', async () => {
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const lost = await start(database.url, () => first.promise, { WORKER_CONCURRENCY: '1' })
  await add(pool, 3, 'some queue')
  await expect.poll(jobs).toMatchObject([{ attempts: 1 }])
  await pool.query('select graphile_worker.force_unlock_workers(array(select locked_by from graphile_worker.jobs))')
  const { worker, done } = await start(database.url, () => second.promise, { WORKER_CONCURRENCY: '1' })
  await expect.poll(jobs).toMatchObject([{ attempts: 2 }])
  first.resolve()
  await expect.poll(() => lost.done).toEqual([3])
  await sleep(200)
  expect(await jobs()).toMatchObject([{ attempts: 2, last_error: null }])
  second.resolve()
  await add(pool, 4, 'some queue')
  await expect.poll(jobs).toEqual([])
  expect([...lost.done, ...done].sort()).toEqual([3, 3, 4])
  await lost.worker.close()
  await worker.close()
})

test('a transaction that does not end is not waited for when the worker is closed', async () => {
  const { worker } = await start(database.url, ({ write }) => write(() => sleep(6_000)))
  await add(pool, 6)
  await expect.poll(jobs).toMatchObject([{ attempts: 1 }])
  const began = performance.now()
  await worker.close()
  expect(performance.now() - began).toBeLessThan(3_000)
  await sleep(6_500 - (performance.now() - began))
  await pool.query('delete from graphile_worker._private_jobs')
})

test('a worker is closed while it begins anew', async () => {
  const { worker, done } = await start(database.url, () => sleep(300))
  await add(pool, 5)
  await expect.poll(jobs).toMatchObject([{ attempts: 1 }])
  // Its end cannot be told: the engine gives up.
  await pool.query('alter table graphile_worker._private_jobs rename to away')
  await expect.poll(() => done).toEqual([5])
  await sleep(500)
  await pool.query('alter table graphile_worker.away rename to _private_jobs')
  expect(await Promise.race([worker.close(), sleep(4_000, 'hangs')])).toBeUndefined()
  await pool.query('delete from graphile_worker._private_jobs')
})

test('a worker whose first look at the queue failed takes jobs all the same', async () => {
  await pool.query('alter table graphile_worker._private_tasks rename to away')
  const { worker, done } = await start(database.url)
  await sleep(500)
  await pool.query('alter table graphile_worker.away rename to _private_tasks')
  await add(pool, 7)
  await expect.poll(() => done).toEqual([7])
  await worker.close()
})

test('a worker goes on after PostgreSQL was restarted, with what it had begun and what is new', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'restarted-'))
  await giveToPostgres(parent)
  const folder = join(parent, 'cluster')
  await createCluster(folder)
  await startCluster(folder, { fsync: 'off' })
  const url = (await clusterUrl(folder)) as string
  const queue = new Pool({ connectionString: url })
  queue.on('error', () => {}).on('connect', (client) => client.on('error', () => {}))
  try {
    await migrateQueue(queue)
    const { worker, done } = await start(url, () => sleep(500))
    await add(queue, 1)
    await sleep(200)
    await stopCluster(folder)
    await sleep(700)
    expect(done).toEqual([1])
    await startCluster(folder, { fsync: 'off' }, Number(new URL(url).port))
    await add(queue, 2)
    await expect.poll(() => done).toContain(2)
    const left = async () => (await queue.query('select 1 from graphile_worker.jobs')).rows
    // The first one's end could not be told: it is done again, once its worker counts as gone.
    await expect.poll(left, { timeout: 90_000 }).toEqual([])
    expect(done).toEqual([1, 2, 1])
    await worker.close()
  } finally {
    await queue.end()
    await removeCluster(folder)
    await rm(parent, { recursive: true, force: true })
  }
})
