import { RedisUnavailable } from './unavailable.js'

interface Waiting {
  /** By `performance.now()`. */
  readonly until: number
  reject(reason: unknown): void
}

/** Hears how the waiting ended. */
export interface Ending {
  answered(): void
  /** The answer is what is thrown. */
  failed(error: unknown): unknown
}

/** Bounds how long answers are waited for, with one timer for all of them: a timer for each costs as much as the rest. */
export class Deadlines {
  /** In the order of their ends, as all are given the same time. */
  private readonly waiting = new Set<Waiting>()
  private isArmed = false

  /** `timeout` is in ms. */
  constructor(
    private readonly timeout: number,
    private readonly ending: Ending,
  ) {}

  /** What `answer` is; one that comes later than it may is dropped. @throws what `failed` makes of RedisUnavailable */
  keep<Answer>(answer: PromiseLike<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const waiting = { until: performance.now() + this.timeout, reject }
      this.waiting.add(waiting)
      answer.then(
        (value) => {
          if (!this.waiting.delete(waiting)) return
          this.ending.answered()
          resolve(value)
        },
        (error) => {
          if (this.waiting.delete(waiting)) reject(this.ending.failed(error))
        },
      )
      if (!this.isArmed) this.arm(this.timeout)
    })
  }

  /** Resolves when nobody waits any more. */
  async settle(): Promise<void> {
    while (this.waiting.size > 0) await new Promise((resolve) => setTimeout(resolve, 1))
  }

  private arm(delay: number): void {
    this.isArmed = true
    // Timers come before sockets are read: an answer that is there already, while this process was busy, is not late.
    setTimeout(() => setImmediate(() => this.sweep()), delay)
  }

  private sweep(): void {
    this.isArmed = false
    const now = performance.now()
    for (const waiting of this.waiting) {
      if (waiting.until > now) {
        this.arm(Math.max(1, waiting.until - now))
        break
      }
      this.waiting.delete(waiting)
      waiting.reject(this.ending.failed(new RedisUnavailable('TIMEOUT')))
    }
  }
}
