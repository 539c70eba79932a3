import { setTimeout as sleep } from 'node:timers/promises'
import { Client, type ClientConfig, type CustomTypesConfig } from 'pg'
import type { Config } from '../core/config.js'
import { traceComment } from './comment.js'
import { streamOptions } from './connection.js'
import type { Point } from './consistency.js'
import { type Rows, StatementQuery } from './query.js'
import type { Statement } from './statement.js'

/** Which server a cursor is opened on. */
export interface Place {
  readonly url: string
  readonly types: CustomTypesConfig | undefined
  readonly isReplica: boolean
  readonly after: Point | undefined
}

/**
 * What a chunk is to be like: with fewer bytes of the database's answer, round trips cost more than rows; one that takes
 * so many ms is far from the statement timeout, and its reader sees that something comes.
 */
const chunkBytes = 128 * 1024
const chunkTime = 100

/** In rows: those of the first chunk, whose size nobody knows, and the most there are in any. */
const firstChunk = 100
const largestChunk = 1_000

/** In ms: how long a server that is not the only one may take to answer. */
const replicaPatience = 2_000

/** A cancel that comes before its statement is lost. In ms: after which it is sent again; and how often. */
const cancelAgain = 100
const mostCancels = 20

/**
 * One statement's rows by a cursor, in a transaction that changes nothing and sees one moment, on a connection that
 * lives as long as it does: whoever cancels it cannot hit anything else.
 */
export class Cursor {
  rows = 0
  /** In ms: what the server took for the rows, and what it took to get a connection. */
  duration = 0
  wait = 0
  isOnReplica = false
  /** Set from the moment of closing on; resolves when the connection is gone. */
  closed: Promise<void> | undefined

  private client: Client | undefined
  private options: ClientConfig = {}
  /** Resolves, whatever comes of it, when the server is done with what it was sent. */
  private running: Promise<unknown> | undefined

  constructor(
    readonly statement: Statement,
    readonly values: readonly unknown[],
  ) {}

  /** Begins it there; false where that server is behind `after`. @throws whatever the server said. */
  async open(config: Config, { url, types, isReplica, after }: Place): Promise<boolean> {
    const began = performance.now()
    if (this.closed) throw new Error('It was closed before it began.')
    const patience = isReplica ? Math.min(replicaPatience, config.DATABASE_POOL_WAIT_MS) : config.DATABASE_POOL_WAIT_MS
    this.options = { ...streamOptions(config, url), ...(types && { types }), connectionTimeoutMillis: patience }
    const client = new Client(this.options)
    // A lost connection is told by what was asked of it, or will be.
    client.on('error', () => {})
    this.client = client
    try {
      await client.connect()
      this.wait += performance.now() - began
      if (after && !(await this.hasReplayed(client, after))) return await leave(client)
      this.isOnReplica = isReplica
      await this.track(client.query('begin isolation level repeatable read read only'))
      const text = this.statement.text + (config.DB_TRACE_CONTEXT ? traceComment() : '')
      await this.track(client.query(`declare stream no scroll cursor for ${text}`, [...this.values]))
      return true
    } catch (error) {
      client.connection.stream.destroy()
      throw error
    }
  }

  /** All rows, by chunks; the next one is on its way while one is looked at. */
  async *read(): AsyncGenerator<Rows> {
    let size = firstChunk
    let next = this.fetch(size)
    while (true) {
      const { rows, bytes, took } = await next
      const isLast = rows.length < size
      if (!isLast) {
        const fitting = size * Math.min(chunkBytes / bytes, chunkTime / took)
        size = Math.max(1, Math.min(largestChunk, Math.floor(fitting)))
        next = this.fetch(size)
        // It may fail before anybody awaits it.
        next.catch(() => {})
      }
      this.rows += rows.length
      if (rows.length > 0) yield rows
      if (isLast) return
    }
  }

  /** Cancels what the server is at, and ends the connection. Calling it again waits for the first. */
  close(): Promise<void> {
    this.closed ??= this.end()
    return this.closed
  }

  private async end(): Promise<void> {
    const { client } = this
    if (!client) return
    for (let sent = 0; this.running && sent < mostCancels; sent++) {
      cancel(client, this.options)
      await Promise.race([this.running, sleep(cancelAgain, undefined, { ref: false })])
    }
    client.connection.stream.destroy()
  }

  private async hasReplayed(client: Client, { lsn }: Point): Promise<boolean> {
    // One that was promoted, or never followed, is where it writes itself.
    const reached = 'case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_insert_lsn() end'
    const asked = client.query<{ replayed: boolean }>(`select ${reached} >= $1::pg_lsn as replayed`, [lsn])
    const { rows } = await this.track(asked)
    return rows[0]?.replayed === true
  }

  private async fetch(size: number): Promise<{ rows: Rows; bytes: number; took: number }> {
    const client = this.client as Client
    const socket = client.connection.stream as { readonly bytesRead?: number }
    const { bytesRead = 0 } = socket
    const before = this.duration
    const fetching: Statement = { ...this.statement, text: `fetch ${size} from stream`, prepared: undefined }
    const rows = await this.track(
      new Promise<Rows>((resolve, reject) => {
        const done = (error: Error | undefined, rows: Rows) => (error ? reject(error) : resolve(rows))
        client.query(new StatementQuery(client, { statement: fetching, values: [] }, done))
      }),
    )
    // Its reader of rows is compiled once.
    this.statement.rows = fetching.rows
    return { rows, bytes: (socket.bytesRead ?? 0) - bytesRead, took: this.duration - before }
  }

  private async track<Answer>(answer: Promise<Answer>): Promise<Answer> {
    const began = performance.now()
    const running = answer.then(
      () => {},
      () => {},
    )
    this.running = running
    try {
      return await answer
    } finally {
      this.duration += performance.now() - began
      if (this.running === running) this.running = undefined
    }
  }
}

async function leave(client: Client): Promise<false> {
  await client.end()
  return false
}

/** The protocol's own way: by the connection's secret key, needing no login and no free connection. */
function cancel(client: Client, options: ClientConfig): void {
  const { processID, secretKey, host, port } = client as unknown as Cancelled
  const wire = new Client(options).connection as unknown as Wire
  const send = () => wire.cancel(processID, secretKey)
  wire.on('error', () => {})
  wire.on('connect', () => (wire.ssl ? wire.requestSsl() : send()))
  wire.on('sslconnect', send)
  if (host.startsWith('/')) wire.connect(`${host}/.s.PGSQL.${port}`)
  else wire.connect(port, host)
}

/** The driver's client and connection, with what their types do not declare. */
interface Cancelled {
  readonly processID: number
  readonly secretKey: number
  readonly host: string
  readonly port: number
}

interface Wire {
  readonly ssl: unknown
  on(event: 'error' | 'connect' | 'sslconnect', listener: () => void): void
  connect(port: number | string, host?: string): void
  requestSsl(): void
  cancel(processID: number, secretKey: number): void
}
