import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  CircuitState,
  circuitBreaker,
  handleWhen,
  type IBreaker,
} from 'cockatiel'
import { fact } from './events.js'

export interface CircuitSettings {
  /** By which all that is told of it names what stands behind it. */
  readonly name: string
  /** When it opens. */
  readonly breaker: IBreaker
  /** How long it is open until one call tries, in ms. */
  readonly rest: number
  /** True for what says that the other side is ill. */
  isFault(error: unknown): boolean
}

const changed = fact('circuit.changed')

/** Stands before what may fail: open, it lets nothing through. It tells of itself by `circuit.changed`, once for each change. */
export class Circuit {
  private readonly policy: CircuitBreakerPolicy
  private readonly rest
  private readonly breaker
  private isOpen = false
  private openedAt = 0

  constructor({ name, breaker, rest, isFault }: CircuitSettings) {
    this.rest = rest
    this.breaker = breaker
    this.policy = circuitBreaker(handleWhen(isFault), { halfOpenAfter: rest, breaker })
    this.policy.onStateChange((state) => {
      if (state === CircuitState.Open) this.openedAt = Date.now()
      if (state === CircuitState.HalfOpen || this.isOpen === (state !== CircuitState.Closed)) return
      this.isOpen = !this.isOpen
      changed.publish({ remote: name, isOpen: this.isOpen })
    })
  }

  /** Whether everything is let through. */
  get isClosed(): boolean {
    return this.policy.state === CircuitState.Closed
  }

  /** Whether one call is trying at the moment. */
  get isTrying(): boolean {
    return this.policy.state === CircuitState.HalfOpen
  }

  /** Whether a call would be let through now. */
  get isPassable(): boolean {
    return this.isClosed || (this.policy.state === CircuitState.Open && Date.now() - this.openedAt >= this.rest)
  }

  /** Does the work where it is let through. @throws BrokenCircuitError, or what the work throws. */
  async execute<Answer>(work: () => PromiseLike<Answer>, signal?: AbortSignal): Promise<Answer> {
    // The library lets the others wait for the one that tries, which may hang.
    if (this.isTrying) throw new BrokenCircuitError()
    return this.policy.execute(work, signal)
  }

  /** Counts what went well while it was closed, for who does its work beside it: that costs less than {@link execute}. */
  succeeded(): void {
    if (this.isClosed) this.breaker.success(CircuitState.Closed)
  }

  /** Counts what failed while it was closed. */
  failed(error: unknown): void {
    if (this.isClosed) this.policy.execute(() => Promise.reject(error)).catch(() => {})
  }

  /** Opens it until the answer is called, which closes it. */
  hold(): () => void {
    return this.policy.isolate().dispose
  }
}
