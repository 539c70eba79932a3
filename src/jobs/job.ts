import type { z } from 'zod'
import type { Log } from '../core/log.js'
import type { Transaction } from '../db/transaction.js'
import type { Mailer } from '../mail/mailer.js'
import type { Remotes } from '../remote/remotes.js'

/** Work that is done after the transaction which asked for it, by whichever worker is free, until it succeeds. */
export interface Job<Payload = object> {
  /** An order, as in `settle-order`. */
  readonly name: string
  /** What it needs to know, as JSON. Checked when it is enqueued and again before it runs. */
  readonly payload: z.ZodType<Payload>
  /**
   * Jobs that answer the same key, those of other definitions too, run one after another: by priority, then in the order
   * of the transactions that enqueued them. One that failed, or whose worker was lost, is overtaken by the others
   * meanwhile. Jobs by cron are in no queue.
   */
  queue?(payload: Payload): string
  /**
   * While a job with the same key waits, the next one takes its place. One that runs goes on, and the next one may run
   * beside it; if it fails it is not tried again, as the next one does what it should.
   */
  unique?(payload: Payload): string
  /** Lower ones run first; 0 by default. */
  readonly priority?: number
  /** How often it is tried, waiting e^n seconds after the n-th time, 6 hours at most; 25 by default. Then it is dead. */
  readonly attempts?: number
  /** In ms: when one attempt counts as failed, which `signal` tells it: it may go on beside the next; 60,000 by default. */
  readonly timeout?: number
  /** When it is enqueued by itself, with an empty payload: a line of cron, in UTC. */
  readonly cron?: string
  /** Resolves when it is done. Whoever throws is tried again. */
  run(payload: Payload, run: Run): Promise<void>
}

/** One attempt at a job, and what it is done with. */
export interface Run {
  /** The same at every attempt: what makes repetition harmless elsewhere. */
  readonly id: string
  /** 1 for the first. */
  readonly attempt: number
  /** Aborted when the time is up, or the worker must stop. */
  readonly signal: AbortSignal
  readonly mail: Mailer
  /** Asks another service. */
  readonly call: Remotes['call']
  readonly log: Log
  /** A transaction that commits only while the job is still this attempt's. @throws JobLost, and as `Database.write`. */
  write<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result>
  /**
   * The same, and the job ends with its commit: it is never run again, however the worker ends. What a job changes in
   * here alone happens exactly once.
   */
  finish<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result>
}

/** A job that another worker may have begun meanwhile, as this one was taken for dead: what it wrote is rolled back. */
export class JobLost extends Error {
  constructor() {
    super('Another worker has been given this job.')
  }
}

export function defineJob<Payload extends object>(job: Job<Payload>): Job<Payload> {
  return job
}
