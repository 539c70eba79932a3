import { createHash } from 'node:crypto'
import { fact } from '../core/events.js'
import { currentRequest } from '../core/request.js'
import { plain } from '../db/statement.js'
import type { Transaction } from '../db/transaction.js'
import type { Job } from './job.js'

/** What the queue keeps of a job: its payload, and which request asked for it. */
export interface Envelope {
  readonly payload: object
  readonly request?: { readonly id: string; readonly traceparent?: string }
}

interface Spec {
  readonly name: string
  readonly payload: Envelope
  readonly queue: string | undefined
  readonly attempts: number | undefined
  readonly key: string | undefined
  readonly priority: number | undefined
}

/**
 * So many queues there are, whatever the number of keys: to find a job, the engine looks at each queue that was ever
 * used, and two keys that share one only wait for each other.
 */
const queues = 64

const enqueued = fact('job.enqueued')

/**
 * Has the job done once `tx` has committed; never, where it rolls back. All jobs of a transaction are sent together at
 * its end, and those of one queue run in the order given.
 * @throws ZodError for a payload that the job does not take, and Error where no slice lists the job, or `tx` has ended.
 */
export function enqueue<Payload extends object>(tx: Transaction, job: Job<Payload>, payload: Payload): void {
  if (!tx.jobs.has(job)) throw new Error(`No slice lists the job ${job.name} in its \`jobs\`: it would wait for ever.`)
  const checked = job.payload.parse(payload)
  tx.collect(send, {
    name: job.name,
    payload: { payload: checked, ...asker() },
    queue: job.queue && queueOf(job.queue(checked)),
    attempts: job.attempts,
    key: job.unique && `${job.name}:${job.unique(checked)}`,
    priority: job.priority,
  })
}

/** Jobs of one queue run by the time they are due, which is that of the transaction: now(), for all of them. */
const addJobs = `
  select key from "graphile_worker"."add_jobs"(array(
    select row(name, payload, queue, now() + position * interval '1 microsecond', attempts, key, priority, null)
      ::graphile_worker.job_spec
    from json_to_recordset($1) as spec(
      name text, payload json, queue text, attempts int, key text, priority int, position int
    )
  ))`

async function send(tx: Transaction, specs: readonly Spec[]): Promise<void> {
  const placed = specs.map((spec, position) => ({ ...spec, position }))
  // The engine takes no key twice. In one order, so that of those who enqueue the same none waits for who waits for it.
  const last = new Map(placed.map((spec) => [spec.key ?? spec.position, spec]))
  const rows = [...last.values()].sort(({ key: a = '' }, { key: b = '' }) => (a < b ? -1 : a > b ? 1 : 0))
  let left = rows
  while (left.length > 0) {
    // The queue is no table whose rows anybody keeps: nothing is to be told of it.
    const added = await tx.sql(plain<{ key: string | null }>(addJobs, [JSON.stringify(left)]), [])
    const keys = new Set(added.map(({ key }) => key))
    // The engine drops one whose predecessor a worker takes just then.
    left = left.filter(({ key }) => key !== undefined && !keys.has(key))
  }
  tx.afterCommit(() => {
    if (enqueued.heard) for (const { name } of rows) enqueued.publish({ job: name })
  })
}

function asker(): Pick<Envelope, 'request'> {
  const request = currentRequest()
  if (!request) return {}
  const { id, trace } = request
  const flags = trace?.traceFlags.toString(16).padStart(2, '0')
  return { request: { id, ...(trace && { traceparent: `00-${trace.traceId}-${trace.spanId}-${flags}` }) } }
}

function queueOf(key: string): string {
  return `queue ${createHash('sha256').update(key).digest().readUInt32BE() % queues}`
}
