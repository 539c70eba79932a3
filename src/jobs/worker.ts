import { EventEmitter } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type CronItem, Logger, parseCronItems, type Runner, run, type WorkerPool } from 'graphile-worker'
import type { Pool } from 'pg'
import type { Config } from '../core/config.js'
import type { Log } from '../core/log.js'
import { createPool } from '../db/connection.js'
import type { Job } from './job.js'
import { refuseToMigrate } from './migrations.js'
import { performing, type Tools } from './perform.js'
import { openSession } from './session.js'

/** Does jobs until it is closed. */
export interface Worker {
  /**
   * Takes no further job, and waits for those that are running: they are told to end after half of
   * SHUTDOWN_TIMEOUT_MS, and left to other workers shortly before its end. Calling it again waits for the first.
   */
  close(): Promise<void>
}

/** In ms: before it begins anew where the engine has given up. */
const restartAfter = 1_000

/** In ms: how far back a time of a cron line is made up for, that passed while no worker ran. */
const backfill = 3_600_000

/** The connections beside those that take jobs: one listens, one says that the worker lives. */
const further = 2

/**
 * Does WORKER_CONCURRENCY of these jobs at a time, as long as there are any.
 * @throws Error where the queue's migrations are missing, or the database does not answer.
 */
export async function createWorker(config: Config, jobs: readonly Job[], tools: Tools): Promise<Worker> {
  const { log } = tools
  const pool = createPool(config, log, { name: 'plumbline worker', max: config.WORKER_CONCURRENCY + further })
  let engine = await startEngine(config, jobs, { ...tools, pool }).catch(async (error) => {
    await pool.end()
    throw error
  })
  let closed: Promise<void> | undefined
  const working = work()

  async function work(): Promise<void> {
    await engine.ended
    while (!closed) {
      log.error('the worker has stopped by itself, and begins anew')
      await sleep(restartAfter)
      if (closed) return
      const next = await startEngine(config, jobs, { ...tools, pool }).catch((error) => log.error({ err: error }))
      if (next) engine = next
      // Whoever closed it meanwhile has stopped the one before.
      if (closed) await engine.stop()
      await engine.ended
    }
  }

  const close = async () => {
    await engine.stop()
    await working
    await pool.end()
  }
  return {
    close: () => {
      closed ??= close()
      return closed
    },
  }
}

async function startEngine(config: Config, jobs: readonly Job[], { pool, ...tools }: Tools & { pool: Pool }) {
  const events = new EventEmitter()
  let workers: WorkerPool | undefined
  events.once('pool:create', ({ workerPool }: { workerPool: WorkerPool }) => (workers = workerPool))
  endOnceStuck(events, () => workers?.gracefulShutdown('It does not look for jobs any more.'))
  const runner: Runner = await run({
    pgPool: pool,
    events,
    noHandleSignals: true,
    taskList: Object.fromEntries(jobs.map((job) => [job.name, performing(job, tools)])),
    parsedCronItems: parseCronItems(jobs.flatMap(scheduleOf)),
    preset: {
      plugins: [refuseToMigrate],
      worker: {
        concurrentJobs: config.WORKER_CONCURRENCY,
        preparedStatements: config.DB_STATEMENT_NAMES,
        gracefulShutdownAbortTimeout: config.SHUTDOWN_TIMEOUT_MS / 2,
        // Where the end of a job cannot be told, only a batch has the engine stop, and its locks freed with its session.
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0,
        logger: writeTo(tools.log),
      },
    },
  })
  const session = openSession(pool, workers?.id as string, tools.log)
  const ended = runner.promise.catch((error) => tools.log.error({ err: error })).then(() => session.close())
  return {
    ended,
    async stop() {
      const force = () => workers?.forcefulShutdown('Its worker had to stop.')
      const timer = setTimeout(force, config.SHUTDOWN_TIMEOUT_MS * 0.8)
      await runner.stop().catch(() => {})
      await ended
      clearTimeout(timer)
    },
  }
}

/** Where the engine's first look at the queue fails, it keeps that failure, and has it again instead of looking. */
function endOnceStuck(events: EventEmitter, end: () => void): void {
  const failures = new WeakMap<object, unknown>()
  const hear = ({ worker, error }: { worker: object; error: unknown }) => {
    if (failures.get(worker) === error) {
      events.off('worker:getJob:error', hear)
      end()
    }
    failures.set(worker, error)
  }
  events.on('worker:getJob:error', hear)
}

function scheduleOf({ name, cron, attempts, priority }: Job): CronItem[] {
  if (!cron) return []
  const options = {
    backfillPeriod: backfill,
    jobKey: `${name}:cron`,
    ...(attempts && { maxAttempts: attempts }),
    ...(priority && { priority }),
  }
  return [{ task: name, match: cron, identifier: name, options }]
}

/** The engine's own words; what it says of each job is told by {@link performing}. */
function writeTo(log: Log): Logger {
  const levels = { error: 'error', warning: 'warn', info: 'debug', debug: 'debug' } as const
  return new Logger(() => (level, message, meta) => {
    if (!('job' in (meta ?? {}))) log[levels[level]]({ source: 'graphile-worker' }, message)
  })
}
