import type { Database } from '../db/database.js'
import { plain } from '../db/statement.js'
import type { Transaction } from '../db/transaction.js'
import { JobLost, type Run } from './job.js'

/**
 * One attempt at a job, as the engine's tables know it: the job's id, who has locked it, the attempt's number, and
 * whether it had a key. Whoever enqueues that key meanwhile takes it, and the attempts that are left.
 */
export type Claim = readonly [id: string, worker: string, attempt: number, hasKey: boolean]

/**
 * Transactions that hold the job's row as they commit: they do nothing where somebody else was given the job before, and
 * nobody is until they have ended. `onEnd` is called once the job has ended with one.
 */
export function createClaimedWrites(
  db: Pick<Database, 'write'>,
  claim: Claim,
  onEnd: () => void,
): Pick<Run, 'write' | 'finish'> {
  const upTo = (hold: string, then = () => {}) => {
    const holdAll = async (tx: Transaction, claims: readonly Claim[]) => {
      // The queue is no table whose rows anybody keeps: nothing is to be told of it.
      for (const each of claims) if ((await tx.sql(plain(hold, each), [])).length === 0) throw new JobLost()
    }
    return async <Result>(work: (tx: Transaction) => Promise<Result>) => {
      const result = await db.write(async (tx) => {
        const result = await work(tx)
        // Last: whoever enqueues the same key waits for nothing else, and locks what it writes first too.
        tx.collect(holdAll, claim)
        return result
      })
      then()
      return result
    }
  }
  return { write: upTo(holdClaim), finish: upTo(endClaim, onEnd) }
}

const holdClaim = `
  select 1 from "graphile_worker"."_private_jobs"
  where id = $1::bigint and locked_by = $2 and (attempts = $3 or $4 and key is null)
  for no key update`

/**
 * What the engine does when a job has succeeded, which then finds nothing left to do. Of no attempt, it ends one whose key
 * somebody has enqueued since it began.
 */
export const endClaim = `
  with ended as (
    delete from "graphile_worker"."_private_jobs"
    where id = $1::bigint and locked_by = $2 and (attempts = $3 or $4 and key is null)
    returning job_queue_id
  ),
  freed as (
    update "graphile_worker"."_private_job_queues" as queues set locked_by = null, locked_at = null
    from ended where queues.id = ended.job_queue_id and queues.locked_by = $2
  )
  select 1 from ended`
