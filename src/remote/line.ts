import { setTimeout as sleep } from 'node:timers/promises'
import { CountBreaker, ExponentialBackoff, TaskCancelledError, TimeoutStrategy, timeout } from 'cockatiel'
import { Circuit } from '../core/circuit.js'
import { RetryBudget } from './budget.js'
import { exchange } from './exchange.js'
import { type Call, type Remote, RemoteFailure } from './remote.js'

/** A circuit opens when more than half of the last 20 requests failed, of 5 at least. */
const failing = { threshold: 0.5, size: 20, minimumNumberOfCalls: 5 }

/** In ms; each wait is random, and longer on average than the one before. */
const backoff = new ExponentialBackoff({ initialDelay: 50, maxDelay: 1_000 })

/** Answers that say nothing of the next one. */
const passing = [502, 503, 504]

/** One call as it goes on. */
export interface Going<Answer> {
  readonly call: Call<Answer>
  /** Gives it up. */
  readonly signal: AbortSignal
  /** Requests made for it so far. */
  attempts: number
}

/** The way to one service: its circuit, and what is left of its retry budget. */
export class Line {
  private readonly circuit
  private readonly whole
  private readonly single
  private readonly budget = new RetryBudget()

  constructor(
    private readonly remote: Remote,
    private readonly url: URL,
  ) {
    const { name, attemptTimeout = remote.timeout, rest = 10_000 } = remote
    this.whole = timeout(remote.timeout, TimeoutStrategy.Aggressive)
    this.single = timeout(attemptTimeout, TimeoutStrategy.Aggressive)
    const breaker = new CountBreaker(failing)
    this.circuit = new Circuit({ name, breaker, rest, isFault: (error) => this.isFault(error) })
  }

  /** @throws RemoteFailure, or the signal's reason. */
  async call<Answer>(going: Going<Answer>): Promise<Answer> {
    this.budget.earn()
    const deadline = performance.now() + this.remote.timeout
    try {
      return await this.whole.execute(({ signal }) => this.persist(going, deadline, signal), going.signal)
    } catch (error) {
      throw this.explain(error, going)
    }
  }

  private async persist<Answer>(going: Going<Answer>, deadline: number, signal: AbortSignal): Promise<Answer> {
    const { method = 'GET', isIdempotent = method === 'GET' } = going.call
    for (let next = backoff.next(); ; next = next.next(undefined)) {
      try {
        return await this.attempt(going, signal)
      } catch (error) {
        if (!isIdempotent || going.attempts >= this.remote.attempts || !mayPass(error)) throw error
        const wait = Math.max(next.duration, error.retryAfter ?? 0)
        const isLate = signal.aborted || performance.now() + wait >= deadline
        if (isLate || !this.circuit.isClosed || !this.budget.take()) throw error
        await sleep(wait, undefined, { signal })
      }
    }
  }

  private async attempt<Answer>(going: Going<Answer>, signal: AbortSignal): Promise<Answer> {
    return this.circuit.execute(async () => {
      going.attempts++
      const place = { name: this.remote.name, url: this.url }
      try {
        return await this.single.execute((within) => exchange(place, going.call, within.signal), signal)
      } catch (error) {
        throw this.explain(error, going)
      }
    }, signal)
  }

  private explain(cause: unknown, { signal }: Going<unknown>): unknown {
    if (signal.aborted) return signal.reason
    if (cause instanceof RemoteFailure) return cause
    return new RemoteFailure(this.remote.name, cause instanceof TaskCancelledError ? 'TIMEOUT' : 'UNAVAILABLE', {
      cause,
    })
  }

  /** True for what says that the service is ill; a call that was given up says nothing, and so does not close a circuit. */
  private isFault(error: unknown): boolean {
    if (!(error instanceof RemoteFailure)) return this.circuit.isTrying
    const { reason, status = 0 } = error
    return reason === 'TIMEOUT' || reason === 'UNAVAILABLE' || (reason === 'REFUSED' && status >= 500)
  }
}

/** True where the same request may be answered the next time. */
function mayPass(error: unknown): error is RemoteFailure {
  if (!(error instanceof RemoteFailure)) return false
  const { reason, status = 0, retryAfter } = error
  if (reason === 'REFUSED') return passing.includes(status) || (status === 429 && retryAfter !== undefined)
  return reason !== 'INVALID'
}
