import type { RequestListener } from 'node:http'
import type { z } from 'zod'
import { type ErrorCode, Failure } from '../core/errors.js'
import type { RemoteReason } from '../core/events.js'

/** Another service, spoken to in JSON over HTTP: how long it may take and how often it is asked. REMOTE_URLS says where it is. */
export interface Remote {
  /** Its name in REMOTE_URLS and in all that is told of it: lower-case letters, digits and hyphens. */
  readonly name: string
  /** What a whole call may take, retries and the waits between them included, in ms. */
  readonly timeout: number
  /** What one request of it may take, in ms; where it is not said, as long as the call: what hangs is not asked again. */
  readonly attemptTimeout?: number
  /** How many requests one call may make: 1 is no retry. Beyond that, a budget bounds the retries of all calls. */
  readonly attempts: number
  /** How long it is left alone once it fails, until one request tries it again, in ms; 10,000 where it is not said. */
  readonly rest?: number
  /** Answers in its place where it has no URL, on a developer's machine and in tests. */
  readonly standIn?: RequestListener
}

/** One call. */
export interface Call<Answer> {
  /** Below the service's URL, with its query: begins with a slash. Whatever is put into it is encoded already. */
  readonly path: string
  /** GET where it is not said. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Sent as JSON. */
  readonly body?: unknown
  /** True where the same call twice does no more than once: then it is retried, as a GET is anyway. */
  readonly isIdempotent?: boolean
  /** What the answer must be; an empty one is `undefined`. */
  readonly schema: z.ZodType<Answer>
  /** Gives the call up. */
  readonly signal?: AbortSignal
}

/** States what is true of another service. @throws Error for numbers that make no sense. */
export function defineRemote(remote: Remote): Remote {
  const { name, timeout, attemptTimeout = timeout, attempts, rest = 0 } = remote
  if (!/^[a-z][a-z0-9-]*$/.test(name)) throw new Error(`"${name}" cannot be the name of a service.`)
  if (!(timeout > 0 && attemptTimeout > 0 && attemptTimeout <= timeout && rest >= 0 && attempts >= 1))
    throw new Error(`The times and attempts of ${name} contradict each other.`)
  return remote
}

export interface RemoteFailureDetails {
  /** The status of what was answered. */
  readonly status?: number
  /** How long it asks not to be asked again, in ms. */
  readonly retryAfter?: number | undefined
  readonly cause?: unknown
}

const told: Readonly<Record<RemoteReason, readonly [ErrorCode, string]>> = {
  TIMEOUT: ['TIMEOUT', 'Another service did not answer in time.'],
  UNAVAILABLE: ['OVERLOADED', 'Another service cannot be reached now.'],
  REFUSED: ['INTERNAL', 'Another service refused.'],
  INVALID: ['INTERNAL', 'Another service answered something else than was agreed.'],
}

/** Why another service gave no answer. Nothing in it that a client sees comes from the service. */
export class RemoteFailure extends Failure {
  readonly status: number | undefined
  readonly retryAfter: number | undefined

  constructor(
    readonly remote: string,
    readonly reason: RemoteReason,
    { status, retryAfter, cause }: RemoteFailureDetails = {},
  ) {
    super(...told[reason])
    this.status = status
    this.retryAfter = retryAfter
    this.cause = cause
  }
}
