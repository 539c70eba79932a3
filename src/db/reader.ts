import type { Pool } from 'pg'
// @ts-expect-error Its own conversion of parameters, which its types do not declare.
import driver from 'pg/lib/utils.js'
import { fact } from '../core/events.js'
import { traceComment } from './comment.js'
import { asFailure } from './failure.js'
import { type Call, isFatal, Lane, Unserved } from './lane.js'
import { type Rows, StatementQuery } from './query.js'
import type { Statement, Values } from './statement.js'

export interface ReaderOptions {
  /** How many of the pool's connections fast reads may share; one is always left to writes and slow reads. */
  readonly lanes: number
  /** The server's own, in ms. */
  readonly statementTimeout: number
  /** Whether statements of sampled requests carry their trace context, and no name. */
  readonly traceContext: boolean
}

export interface ReadOptions {
  /** A slow one gets a connection to itself; others share. */
  readonly isSlow?: boolean | undefined
  /** Who asked, for whoever is told of it. */
  readonly field?: string | undefined
}

/** So many reads are on their way over one connection before another is worth its switches between processes. */
const worthAnother = 16

/** With so many on their way, a further read waits for a connection of its own, as long as the pool lets it. */
const deepest = 256

/** In ms: behind a statement that has taken so long nobody queues up. */
const patience = 50

/** In ms: a statement that took so long is kept from the others, for so long. */
const slow = 200
const keptAway = 60_000

/** In ms: how long after the server's timeout a connection that is still silent counts as lost. */
const grace = 5_000

const prepareValue: (value: unknown) => unknown = driver.prepareValue

const finished = fact('statement.finished')

/**
 * Runs statements outside transactions. Fast ones share connections of the pool; one that says it is slow, or was, has
 * a connection to itself, so that nobody waits behind it.
 */
export class Reader {
  private readonly lanes: readonly Lane[]
  private readonly slowUntil = new WeakMap<Statement, number>()

  constructor(
    private readonly pool: Pool,
    private readonly options: ReaderOptions,
  ) {
    const count = Math.min(options.lanes, pool.options.max - 1)
    this.lanes = Array.from({ length: count }, () => new Lane(pool))
  }

  /** @throws Failure TIMEOUT, OVERLOADED, or the driver's own error. */
  async read<Row>(statement: Statement, values: Values, { isSlow, field }: ReadOptions): Promise<Row[]> {
    const asked = performance.now()
    const comment = this.options.traceContext ? traceComment() : ''
    const sent = comment ? { ...statement, text: statement.text + comment, prepared: undefined } : statement
    const call: Call = { statement: sent, values: statement.bind(values).map(prepareValue), started: undefined }
    let rows: Rows = []
    let failure: unknown
    try {
      const lane = isSlow || this.wasSlow(statement, asked) ? undefined : this.choose(asked)
      rows = lane ? await this.share(lane, call) : await this.runAlone(call)
      return rows as Row[]
    } catch (error) {
      failure = error
      throw asFailure(error)
    } finally {
      const ended = performance.now()
      const { started = ended } = call
      const duration = ended - started
      if (sent.rows) statement.rows = sent.rows
      if (duration > slow) this.slowUntil.set(statement, ended + keptAway)
      if (finished.heard) {
        const { name, text } = statement
        finished.publish({
          statement: name,
          text,
          values: call.values,
          rows: rows.length,
          duration,
          wait: started - asked,
          pool: 'primary',
          inTransaction: false,
          field,
          error: failure,
        })
      }
    }
  }

  private wasSlow(statement: Statement, now: number): boolean {
    return (this.slowUntil.get(statement) ?? 0) > now
  }

  /** The one with the fewest on their way, an unused one where those are many; undefined where none will do. */
  private choose(now: number): Lane | undefined {
    let best: Lane | undefined
    for (const lane of this.lanes) {
      const busy = lane.busyFor(now)
      if (busy > this.options.statementTimeout + grace) lane.cut()
      if (busy > patience || lane.inFlight >= deepest || !lane.isUsable) continue
      if (!best || cost(lane) < cost(best)) best = lane
    }
    return best
  }

  /** Reads change nothing: one that failed because of another is run again, once. */
  private async share(lane: Lane, call: Call): Promise<Rows> {
    try {
      return await lane.run(call)
    } catch (error) {
      if (error instanceof Unserved) return this.runAlone(call)
      throw error
    }
  }

  private async runAlone(call: Call): Promise<Rows> {
    const client = await this.pool.connect()
    let isLost = false
    try {
      return await new Promise<Rows>((resolve, reject) => {
        call.started = performance.now()
        client.query(new StatementQuery(client, call, (error, rows) => (error ? reject(error) : resolve(rows))))
      })
    } catch (error) {
      isLost = isFatal(error as { severity?: string })
      throw error
    } finally {
      client.release(isLost)
    }
  }
}

/** With none on its way it has no connection. */
function cost(lane: Lane): number {
  return lane.inFlight || worthAnother
}
