import { randomUUID } from 'node:crypto'
import type { Task } from 'graphile-worker'
import { Failure, reasonOf } from '../core/errors.js'
import { fact } from '../core/events.js'
import type { Log } from '../core/log.js'
import { inRequest, type JobInfo, type RequestInfo } from '../core/request.js'
import type { Database } from '../db/database.js'
import type { Mailer } from '../mail/mailer.js'
import type { Remotes } from '../remote/remotes.js'
import { type Claim, createClaimedWrites, endClaim } from './claim.js'
import type { Envelope } from './enqueue.js'
import { type Job, JobLost, type Run } from './job.js'

/** What jobs are done with. */
export interface Tools {
  readonly db: Database
  readonly mail: Mailer
  readonly remotes: Remotes
  readonly log: Log
}

const defaultTimeout = 60_000

const started = fact('job.started')
const finished = fact('job.finished')

/** The engine's way to do a job: within its time, as part of the request that asked for it, and told of. */
export function performing(job: Job, tools: Tools): Task {
  return (raw, { job: row, abortSignal, query }) => {
    const { payload = {}, request: asker } = raw as Partial<Envelope>
    const info = { name: job.name, id: row.id, attempt: row.attempts, wait: Date.now() - row.run_at.getTime() }
    const request: RequestInfo = { id: asker?.id ?? randomUUID(), operation: job.name }
    if (started.heard) started.publish({ request, job: info, from: asker?.traceparent })
    return inRequest(request, async () => {
      const began = performance.now()
      const limit = limitTime(job.timeout ?? defaultTimeout, abortSignal)
      const { id, attempt } = info
      const claim: Claim = [id, row.locked_by as string, attempt, row.key !== null]
      let hasEnded = false
      let failure: unknown
      let isReplaced = false
      try {
        const writes = createClaimedWrites(tools.db, claim, () => {
          hasEnded = true
        })
        const { mail, remotes, log } = tools
        const run: Run = { id, attempt, signal: limit.signal, mail, call: remotes.call, log, ...writes }
        await Promise.race([job.run(job.payload.parse(payload), run), limit.over])
        // The engine looks for the next job without waiting for this one's end: the next one of a queue it would miss.
        // And it ends a job whoever has it now, whose queue would then stay locked.
        if (row.job_queue_id !== null && !hasEnded) {
          if (!hasRows(await query(endClaim, [...claim]))) throw new JobLost()
        }
      } catch (error) {
        failure = error ?? new Error('It failed without saying why.')
        // The engine would take one whose key somebody has enqueued meanwhile for dead.
        if (row.key !== null) isReplaced = await query(endClaim, ofNoAttempt(claim)).then(hasRows, () => false)
        if (!isReplaced) throw new Error(sayable(failure), { cause: failure })
      } finally {
        limit.end()
        const isDead = failure !== undefined && !isReplaced && attempt >= row.max_attempts
        tell(tools.log, info, { duration: performance.now() - began, error: failure, isReplaced, isDead })
      }
    })
  }
}

const ofNoAttempt = ([id, worker, , hasKey]: Claim) => [id, worker, 0, hasKey]
const hasRows = ({ rows }: { rows: unknown[] }) => rows.length > 0

/** In characters: what the queue keeps of a failure. */
const longestReason = 2_000

/**
 * What the queue keeps of a failure, for administrators: a driver's or system's own words may hold values and paths, and
 * what is no text for the database would have the engine stop.
 */
function sayable(error: unknown): string {
  const { code } = error as { code?: unknown }
  const isOther = error instanceof Error && code !== undefined && !(error instanceof Failure)
  const words = isOther ? `It failed with ${code}: the log has more.` : reasonOf(error)
  return words.slice(0, longestReason).replaceAll('\0', '\ufffd').toWellFormed()
}

interface Ending {
  readonly duration: number
  readonly error: unknown
  /** The next one with its key does what it should. */
  readonly isReplaced: boolean
  readonly isDead: boolean
}

function tell(log: Log, job: JobInfo, { duration, error, isReplaced, isDead }: Ending): void {
  if (finished.heard) finished.publish({ job, duration, error, isDead })
  const line = { job: job.name, id: job.id, attempt: job.attempt, duration: Math.round(duration * 10) / 10 }
  if (error === undefined) log.info(line, 'job')
  else if (error instanceof JobLost) log.warn(line, error.message)
  else if (isDead) log.error({ ...line, err: error }, 'a job is dead')
  else if (isReplaced) log.warn({ ...line, err: error }, 'a job failed; the next one with its key does what it should')
  else log.warn({ ...line, err: error }, 'a job failed and will be tried again')
}

/**
 * A signal that aborts after so many ms, or with `stop`. `over` rejects when the time is up; who must stop may still end
 * in its own way, until the worker leaves it to others.
 */
function limitTime(timeout: number, stop: AbortSignal) {
  const controller = new AbortController()
  const late = Promise.withResolvers<never>()
  const onStop = () => controller.abort(new Error('The worker is stopping.'))
  const timer = setTimeout(() => {
    const reason = new Error(`It took longer than ${timeout} ms.`)
    controller.abort(reason)
    late.reject(reason)
  }, timeout)
  stop.addEventListener('abort', onStop, { once: true })
  return {
    signal: controller.signal,
    over: late.promise,
    end() {
      clearTimeout(timer)
      stop.removeEventListener('abort', onStop)
    },
  }
}
