import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool, PoolClient } from 'pg'
import type { Log } from '../core/log.js'

/** The first key of the advisory locks that say which workers live: any number, the same in every release. */
const space = 7_264_002

/** In ms. Together with what the database needs to notice a lost machine: less than a minute. */
const sweepEvery = 15_000
const reopenAfter = 1_000

/** In ms: where the database has cut all sessions, living workers have theirs again before anyone looks for dead ones. */
const settling = 3_000

/** In s: a worker that has just begun says so within this time; none is taken for dead before. */
const grace = 10

/** A worker's sign of life, which ends with its process however that ends: a session that holds a lock of its name. */
export interface Session {
  close(): Promise<void>
}

/**
 * Says that this worker lives, and has other workers' jobs done by those who do: a job is locked for hours by a worker
 * that was killed. A session that ends by itself is opened again.
 */
export function openSession(pool: Pool, worker: string, log: Log): Session {
  const closing = new AbortController()
  const { signal } = closing
  const living = live()

  async function live(): Promise<void> {
    while (!signal.aborted) {
      const client = await pool.connect().catch(() => undefined)
      if (client) await serve(client).catch((error) => log.warn({ err: error }, "a worker's session ended"))
      await sleep(reopenAfter, undefined, { signal }).catch(() => {})
    }
  }

  async function serve(client: PoolClient): Promise<void> {
    const gone = new AbortController()
    client.once('end', () => gone.abort())
    const pause = (ms: number) =>
      sleep(ms, undefined, { signal: AbortSignal.any([signal, gone.signal]) }).catch(() => {})
    try {
      await client.query('select pg_advisory_lock($1, hashtext($2))', [space, worker])
      await pause(settling)
      while (!signal.aborted && !gone.signal.aborted) {
        // Who must wait for another's transaction lives none the less.
        const released = await release(client, worker).catch((error) => {
          log.warn({ err: error }, 'workers that are gone could not be looked for')
          return []
        })
        if (released.length > 0) log.warn({ workers: released }, 'jobs of workers that are gone are free again')
        await pause(sweepEvery)
      }
    } finally {
      // Closed, not given back: the lock ends with its session.
      client.release(true)
    }
  }

  return {
    async close() {
      closing.abort()
      await living
    },
  }
}

/** Frees what is locked by workers without a session, and answers their names. */
async function release(client: PoolClient, self: string): Promise<string[]> {
  const { rows } = await client.query<{ locked_by: string }>(
    `with holders as (
       select locked_by from graphile_worker._private_jobs where locked_at < now() - interval '${grace} s'
       union
       select locked_by from graphile_worker._private_job_queues where locked_at < now() - interval '${grace} s'
     ),
     gone as materialized (
       select locked_by from holders where locked_by <> $2 and pg_try_advisory_xact_lock($1, hashtext(locked_by))
     ),
     freed as materialized (select graphile_worker.force_unlock_workers(array(select locked_by from gone)))
     select locked_by from gone, freed`,
    [space, self],
  )
  return rows.map(({ locked_by }) => locked_by)
}
