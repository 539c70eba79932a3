import type { Pool, PoolClient } from 'pg'
import { isUnsent } from './failure.js'
import { type Bound, type Rows, StatementQuery } from './query.js'

/** A statement to run. */
export interface Call extends Bound {
  /** When the server turned to it, in ms of `performance.now()`: known when it has ended, if it ever ran. */
  started: number | undefined
}

/** What became of a statement because of another one on its connection: it may be run again elsewhere. */
export class Unserved extends Error {}

/** invalid_sql_statement_name: the statement ahead was to prepare the name, and failed. */
const notPrepared = '26000'

/**
 * A connection that reads share: each is sent at once and the answers come in that order, so nobody waits for a round
 * trip but everybody for those ahead. It is the pool's while nothing is on its way.
 */
export class Lane {
  /** Reads that were sent, or wait for the connection. */
  inFlight = 0

  private client: PoolClient | undefined
  private opening: Promise<PoolClient> | undefined
  private sent = 0
  private headSince = 0
  private broken = false
  private held = false

  constructor(private readonly pool: Pool) {}

  /** Whether what is sent next would be answered: its connection is not known to be lost. */
  get isUsable(): boolean {
    return !this.broken
  }

  /** For how long the server has been at the statement that it is at, in ms; 0 where nothing is on its way. */
  busyFor(now: number): number {
    return this.sent > 0 ? now - this.headSince : 0
  }

  /** @throws Unserved, or whatever the pool or the database said. */
  async run(call: Call): Promise<Rows> {
    this.inFlight++
    const client = this.client ?? (await this.open())
    return new Promise((resolve, reject) => {
      const query = new StatementQuery(client, call, (error, rows) => {
        call.started = this.headSince
        this.headSince = performance.now()
        this.sent--
        if (error) reject(this.blame(error))
        else resolve(rows)
        this.leave()
      })
      this.hold(client)
      if (this.sent++ === 0) this.headSince = performance.now()
      client.query(query)
    })
  }

  /** Gives up a connection whose server is silent; everything on its way fails. */
  cut(): void {
    this.broken = true
    this.client?.connection.stream.destroy()
  }

  /** What is asked for in one turn of the event loop goes out in one write: each wakes the server's process. */
  private hold(client: PoolClient): void {
    if (this.held) return
    this.held = true
    const { stream } = client.connection
    stream.cork()
    setImmediate(() => {
      this.held = false
      stream.uncork()
    })
  }

  private async open(): Promise<PoolClient> {
    try {
      this.opening ??= this.pool.connect()
      this.client = await this.opening
      return this.client
    } catch (error) {
      this.leave()
      throw error
    }
  }

  /** The first whose connection is lost may be why it was: ended by an administrator, or by what it did to the server. */
  private blame(error: Error & { severity?: string; code?: string }): Error {
    const isNeighbour = error.code === notPrepared || isUnsent(error) || (this.broken && isFatal(error))
    if (isFatal(error)) this.broken = true
    return isNeighbour ? new Unserved(error.message, { cause: error }) : error
  }

  private leave(): void {
    if (--this.inFlight > 0) return
    const { client, broken } = this
    this.client = undefined
    this.opening = undefined
    this.broken = false
    client?.release(broken)
  }
}

/** Whether the connection ends with it: only what the database calls an ERROR leaves one to go on with. */
export function isFatal(error: { severity?: string }): boolean {
  return error.severity !== 'ERROR'
}
