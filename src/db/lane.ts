import type { Pool, PoolClient, QueryConfig } from 'pg'
import { isUnsent } from './failure.js'
import type { Statement } from './statement.js'

/** A statement to run. */
export interface Call {
  readonly statement: Statement
  readonly values: unknown[]
  /** When the server turned to it, in ms of `performance.now()`: known when it has ended, if it ever ran. */
  started: number | undefined
}

export type Rows = Record<string, unknown>[]

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
      if (this.sent++ === 0) this.headSince = performance.now()
      client.query(queryOf(call), (error, result) => {
        call.started = this.headSince
        this.headSince = performance.now()
        this.sent--
        if (error) reject(this.blame(error))
        else resolve(result.rows)
        this.leave()
      })
    })
  }

  /** Gives up a connection whose server is silent; everything on its way fails. */
  cut(): void {
    this.broken = true
    this.client?.connection.stream.destroy()
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

/** A new one for each run: the driver writes into it. */
export function queryOf({ statement, values }: Call): QueryConfig {
  return { name: statement.prepared as string, text: statement.text, values }
}

/** Whether the connection ends with it: only what the database calls an ERROR leaves one to go on with. */
export function isFatal(error: { severity?: string }): boolean {
  return error.severity !== 'ERROR'
}
