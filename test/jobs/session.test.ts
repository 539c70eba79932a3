import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createLog } from '../../src/core/log.js'
import { openSession } from '../../src/jobs/session.js'
import { createTestDatabase } from '../support.js'

const log = createLog({ LOG_LEVEL: 'silent' })
let database: Awaited<ReturnType<typeof createTestDatabase>>
let pool: Pool

beforeAll(async () => {
  database = await createTestDatabase('template_house')
  pool = new Pool({ connectionString: database.url })
  pool.on('error', () => {}).on('connect', (client) => client.on('error', () => {}))
})
afterAll(async () => {
  await pool.end()
  await database.drop()
})
beforeEach(async () => {
  await pool.query('truncate graphile_worker._private_jobs, graphile_worker._private_job_queues')
})

/** A job, and its queue, locked by that worker so many seconds ago. */
async function lock(worker: string, seconds: number): Promise<void> {
  await pool.query(`select graphile_worker.add_job('some-job', queue_name => $1)`, [worker])
  for (const [table, name] of [
    ['_private_jobs', 'payload::text = $3'],
    ['_private_job_queues', 'queue_name = $1'],
  ])
    await pool.query(
      `update graphile_worker.${table} set locked_by = $1, locked_at = now() - $2 * interval '1 s' where ${name} or ($3 = '' and locked_by is null)`,
      [worker, seconds, ''],
    )
}
const holders = async (table: string) => {
  const { rows } = await pool.query(
    `select locked_by from graphile_worker.${table} where locked_by is not null order by 1`,
  )
  return rows.map((row) => row.locked_by)
}
const holdersOfBoth = async () => [await holders('_private_jobs'), await holders('_private_job_queues')]
const isHeld = (worker: string) =>
  expect
    .poll(() =>
      pool.query(
        `select 1 from pg_locks where locktype = 'advisory' and granted and objid = (hashtext($1)::bigint & 4294967295)::oid`,
        [worker],
      ),
    )
    .toMatchObject({ rowCount: 1 })

const cut = async (workers: string[]) => {
  const { rows } = await pool.query(
    `select pg_terminate_backend(pid, 5000) as cut from pg_locks
     where locktype = 'advisory' and objid = any (select (hashtext(name)::bigint & 4294967295)::oid from unnest($1::text[]) name)`,
    [workers],
  )
  return rows
}

test('what a worker without a session has locked is free for others, jobs and queues; what a living one has is not', async () => {
  const living = openSession(pool, 'pool-living', log)
  await isHeld('pool-living')
  await lock('pool-living', 3_600)
  await lock('pool-gone', 11)
  await lock('pool-new', 0)
  expect(await holdersOfBoth()).toEqual(Array(2).fill(['pool-gone', 'pool-living', 'pool-new']))
  const other = openSession(pool, 'pool-other', log)
  await expect.poll(holdersOfBoth).toEqual(Array(2).fill(['pool-living', 'pool-new']))
  await living.close()
  await other.close()
  const next = openSession(pool, 'pool-next', log)
  await expect.poll(holdersOfBoth).toEqual(Array(2).fill(['pool-new']))
  await next.close()
})

test('a session that is cut is opened again, before others look for workers without one', async () => {
  const session = openSession(pool, 'pool-cut', log)
  await isHeld('pool-cut')
  await sleep(200)
  expect(await cut(['pool-cut'])).toEqual([{ cut: true }])
  await isHeld('pool-cut')
  await session.close()
})

test('workers whose sessions were cut together keep what they have', async () => {
  const names = ['pool-one', 'pool-two', 'pool-three']
  const sessions = names.map((name) => openSession(pool, name, log))
  for (const name of names) await isHeld(name)
  await sleep(200)
  for (const name of names) await lock(name, 3_600)
  expect(await cut(names)).toHaveLength(3)
  await sleep(5_000)
  expect(await holders('_private_jobs')).toEqual(names.toSorted())
  for (const session of sessions) await session.close()
})

test('a session outlives that others cannot be freed now, as a transaction still holds their job', async () => {
  const impatient = new Pool({ connectionString: database.url, options: '-c statement_timeout=300' })
  impatient.on('error', () => {}).on('connect', (client) => client.on('error', () => {}))
  await lock('pool-gone', 11)
  const holding = await pool.connect()
  await holding.query('begin; select from graphile_worker._private_jobs for no key update')
  const session = openSession(impatient, 'pool-patient', log)
  await isHeld('pool-patient')
  const sessions =
    'select pid from pg_stat_activity where datname = current_database() and query like $1 and pid <> pg_backend_pid()'
  await expect.poll(async () => (await pool.query(sessions, ['%force_unlock%'])).rows).toHaveLength(1)
  await sleep(600)
  expect((await pool.query(sessions, ['%force_unlock%'])).rows).toHaveLength(1)
  await isHeld('pool-patient')
  holding.release(true)
  await session.close()
  await impatient.end()
})
