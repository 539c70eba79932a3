import { channel } from 'node:diagnostics_channel'
import type { IncomingHttpHeaders } from 'node:http'
import type { BatchInfo, JobInfo, OperationInfo, RequestInfo } from './request.js'

/** A row change that a transaction made: which table, how, and the keys it touched. */
export interface Change {
  table: string
  kind: 'insert' | 'update' | 'delete'
  /** How many rows, or 1 for what may have changed any; a change of rows that are not known gives only this. */
  rows: number
  /** Column values by which later rooms find what to forget: primary and foreign keys, old and new. */
  keys?: readonly Record<string, unknown>[]
}

/** A statement's end. */
export interface StatementEnd {
  /** A statement's own name (`userById`), or for one made by MikroORM what it does (`insert users`). */
  statement: string
  text: string
  /** What its parameters were bound to: for whoever runs it again, never to be told outside of the process. */
  values: readonly unknown[]
  rows: number
  duration: number
  /** The time before a connection turned to it: in the pool's queue, or behind others on a shared connection. */
  wait: number
  /** Where it ran; a stream's duration is what the database took, without the waiting for its reader. */
  pool: 'primary' | 'export' | 'export-replica'
  /** True for one that runs in a transaction: it may have changed something. */
  inTransaction: boolean
  /** The field whose resolver asked for it first, as in `Post.author`, as far as that is known. */
  field: string | undefined
  error?: unknown
}

/**
 * Why a call to another service failed: not answered in time; not reached, or not tried while its circuit is open;
 * answered with another status than 2xx; answered with something else than was agreed.
 */
export type RemoteReason = 'TIMEOUT' | 'UNAVAILABLE' | 'REFUSED' | 'INVALID'

/** How many jobs of a name there are, by state. */
export interface JobCount {
  readonly name: string
  /** Due or not, those that failed and are tried again included. */
  readonly waiting: number
  readonly running: number
  /** Failed for the last time. */
  readonly dead: number
  /** Since when the one that has been due for the longest is; null where none is due. */
  readonly dueSince: string | null
}

/** What a cache holds in the process, and what nobody tells of because it is asked so often. */
export interface CacheNumbers {
  readonly bytes: number
  /** How many values were found at once, beside those that `cache.read` tells of, by the cache's name. */
  readonly found: ReadonlyMap<string, number>
}

/** What a detector found. */
export interface Finding {
  kind: 'repeated-statement' | 'split-batch' | 'over-fetch' | 'plan'
  /** What is wrong, where, what it costs and how it is mended; without values of rows or parameters. */
  message: string
  statement: string
  /** The field that is to be changed, as in `Post.author`, where one is known. */
  field?: string | undefined
}

/** As the client, or a trusted proxy, has it. */
export type Scheme = 'http' | 'https'

/** An error as the client was told of it. */
export interface ToldError {
  message: string
  path?: readonly (string | number)[]
  extensions?: { readonly [name: string]: unknown }
}

/**
 * Every fact the house publishes, by channel, in the scope of what caused it (`currentScope`). Durations and waits are
 * milliseconds, and end now.
 */
export interface Facts {
  /** A request's head is read. Whoever wants the costly parts of its facts marks it as sampled now. */
  'request.started': {
    request: RequestInfo
    method: string
    path: string
    scheme: Scheme
    headers: IncomingHttpHeaders
  }
  /** A request was answered, or its connection closed before it was. */
  'request.finished': {
    request: RequestInfo
    method: string
    path: string
    scheme: Scheme
    /** The path as it was declared; undefined where there is nothing at that path. */
    route: string | undefined
    status: number
    duration: number
  }
  /** A document that was not known yet was parsed, or could not be. */
  'operation.parsed': { hash: string | undefined; duration: number; error: boolean }
  /** A document that was not known yet was validated; with the number of its errors. */
  'operation.validated': { hash: string | undefined; duration: number; errors: number }
  /** An operation's first resolver is about to be called. `paths` answers where a field (`Post.author`) stands in it. */
  'operation.started': { operation: OperationInfo; paths: (coordinate: string) => readonly string[] }
  /**
   * An operation is answered, or refused for who asks; `executed` is absent where it was refused before its first
   * resolver, or answered as it was before. That a persisted query is not known yet is none of its `errors`.
   * What is no request of GraphQL's is told by `request.finished` alone.
   */
  'operation.finished': {
    operation: OperationInfo
    errors: readonly ToldError[]
    hasData: boolean
    duration: number
    executed: number | undefined
  }
  /** A resolver's answer has come; told only for requests that ask for it. */
  'field.resolved': { coordinate: string; duration: number; error: unknown }
  /** A loader's keys of one tick are about to be fetched. */
  'batch.dispatched': { batch: BatchInfo }
  /** A loader's batch was answered. */
  'batch.loaded': { batch: BatchInfo; duration: number; error: unknown }
  /** Columns were read that neither the operation nor its statement's definition asked for; in watched requests. */
  'columns.unasked': { statement: string; entity: string; columns: readonly string[] }
  /** A statement ended, inside or outside of transactions. */
  'statement.finished': StatementEnd
  /** A job was enqueued, by a transaction that has committed. */
  'job.enqueued': { job: string }
  /** A worker begins with a job, as a request of its own; `from` is where what enqueued it stands in its trace. */
  'job.started': { request: RequestInfo; job: JobInfo; from: string | undefined }
  /** A worker is done with a job, which succeeded unless there is an error; `isDead` where it is not tried again. */
  'job.finished': { job: JobInfo; duration: number; error: unknown; isDead: boolean }
  /**
   * A call to another service ended, after so many requests: none where it was not tried at all. CANCELLED is one that
   * its caller gave up.
   */
  'remote.called': {
    remote: string
    reason?: RemoteReason | 'CANCELLED' | undefined
    duration: number
    attempts: number
  }
  /** Another service is not asked any more for a while, because it fails; or it is asked again. */
  'circuit.changed': { remote: string; isOpen: boolean }
  /** Something that a developer should mend. */
  'finding.made': Finding
  /**
   * Values were looked for in the cache, beside those that {@link CacheNumbers} has: how many were in the process, how
   * many in Redis, and how many in neither.
   */
  'cache.read': { cache: string; inMemory: number; inRedis: number; missing: number }
  /** Values were put into the cache, those left out whose rows changed meanwhile. */
  'cache.filled': { cache: string; entries: number }
  /** Values were dropped to make room in the process. */
  'cache.evicted': { entries: number }
  /** A write had the cache forget what rests on so many tags. */
  'cache.invalidated': { tags: number }
  /** A transaction committed; nothing is published for one that rolled back. `wait` is the time before it began. */
  'transaction.committed': { changes: readonly Change[]; duration: number; wait: number }
}

export interface Fact<Value> {
  /** True while somebody listens: ask before computing what the fact carries. */
  readonly heard: boolean
  publish(value: Value): void
  /** Calls `listener` with every value from now on; the answer stops it. What it throws is a warning of the process. */
  listen(listener: (value: Value) => void): () => void
}

/** The fact of that name, on the diagnostics channel `plumbline:<name>`. */
export function fact<Name extends keyof Facts>(name: Name): Fact<Facts[Name]> {
  const source = channel(`plumbline:${name}`)
  return {
    get heard() {
      return source.hasSubscribers
    },
    publish: (value) => source.publish(value),
    listen(listener) {
      // One that throws would end the process: whoever listens must not be able to.
      const subscriber = (value: unknown) => {
        try {
          listener(value as Facts[Name])
        } catch (error) {
          process.emitWarning(error as Error)
        }
      }
      source.subscribe(subscriber)
      return () => void source.unsubscribe(subscriber)
    },
  }
}
