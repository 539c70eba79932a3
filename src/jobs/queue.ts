import { sql } from 'kysely'
import type { JobCount } from '../core/events.js'
import type { Database } from '../db/database.js'
import { param, written } from '../db/statement.js'

/** A job that failed for the last time. */
export interface DeadJob {
  readonly id: string
  readonly name: string
  readonly attempts: number
  /** Null where its last worker was lost. */
  readonly error: string | null
  readonly enqueuedAt: string
  readonly failedAt: string
}

const isDead = sql<boolean>`locked_at is null and attempts >= max_attempts`
const isWaiting = sql<boolean>`locked_at is null and attempts < max_attempts`

/** The counts of every name that has jobs. */
export const countJobs = written(
  sql<JobCount>`
    select
      task_identifier as name,
      count(*) filter (where ${isWaiting})::int as waiting,
      count(*) filter (where locked_at is not null)::int as running,
      count(*) filter (where ${isDead})::int as dead,
      min(run_at) filter (where ${isWaiting} and run_at <= now()) as "dueSince"
    from graphile_worker.jobs
    group by task_identifier
    order by task_identifier`,
)

/** Dead jobs, `limit` of them at most, those that failed last first. */
export const findDeadJobs = written(
  sql<DeadJob>`
    select id::text, task_identifier as name, attempts, last_error as error, created_at as "enqueuedAt", updated_at as "failedAt"
    from graphile_worker.jobs
    where ${isDead}
    order by updated_at desc, id desc
    limit ${param<number>('limit')}`,
)

/** Has a dead job tried again from now on, as often as a new one, and answers its id; nothing for any other job. */
export const retryDeadJob = (id: string) =>
  written(
    sql<{ id: string }>`
    select retried.id::text
    from graphile_worker.reschedule_jobs(
      array(select id from graphile_worker.jobs where id = ${id}::bigint and ${isDead}), run_at => now(), attempts => 0
    ) as retried`,
  )

/** The counts at this moment. */
export function readJobCounts(db: Pick<Database, 'statements' | 'read'>): Promise<JobCount[]> {
  const none = { key: '', columns: [] }
  const stated = { name: 'jobCounts', definition: countJobs, variant: '', build: countJobs }
  const text = db.statements.get(stated, none, none)
  return db.read<JobCount>(text, {}, { isSlow: true })
}
