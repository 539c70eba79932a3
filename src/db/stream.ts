import { AsyncLocalStorage } from 'node:async_hooks'
import type { CustomTypesConfig } from 'pg'
import type { Config } from '../core/config.js'
import { Failure } from '../core/errors.js'
import { fact } from '../core/events.js'
import type { Log } from '../core/log.js'
import type { Point } from './consistency.js'
import { Cursor } from './cursor.js'
import { asFailure } from './failure.js'
import type { Statement, Values } from './statement.js'

export interface StreamOptions {
  /** Ends it at once, wherever it is. */
  readonly signal: AbortSignal
  /** What the rows must hold: a replica that has not come so far is passed over. */
  readonly after?: Point | undefined
}

/** Answers that are read in chunks; see `Database.stream`. */
export interface Streams {
  stream<Row>(statement: Statement, values: Values, options: StreamOptions): AsyncGenerator<Row[], void>
  /** Cancels those that run; resolves when none has a connection any more. */
  close(): Promise<void>
}

const finished = fact('statement.finished')

export function createStreams(config: Config, types: CustomTypesConfig | undefined, log: Log): Streams {
  const open = new Set<Cursor>()

  async function* stream<Row>(statement: Statement, values: Values, { signal, after }: StreamOptions) {
    if (open.size >= config.EXPORT_CONNECTIONS)
      throw new Failure('OVERLOADED', 'As many exports run as may at once. Try again later.')
    signal.throwIfAborted()
    const cursor = new Cursor(statement, statement.bind(values))
    open.add(cursor)
    // Whose call reads the last row, or leaves, may be nobody's: it is told as part of what began it.
    const tell = AsyncLocalStorage.bind((error: unknown) => tellEnd(cursor, error))
    const end = async (error?: unknown) => {
      if (cursor.closed) return cursor.closed
      tell(error)
      await cursor.close().finally(() => open.delete(cursor))
    }
    const abort = () => void end(signal.reason)
    signal.addEventListener('abort', abort)
    try {
      await connect(cursor, after)
      for await (const rows of cursor.read()) yield rows as Row[]
      await end()
    } catch (error) {
      const failure = signal.aborted ? signal.reason : asFailure(error)
      await end(failure)
      throw failure
    } finally {
      signal.removeEventListener('abort', abort)
      await end()
    }
  }

  async function connect(cursor: Cursor, after: Point | undefined): Promise<void> {
    for (const url of config.DATABASE_REPLICA_URLS) {
      try {
        if (await cursor.open(config, { url, types, isReplica: true, after })) return
      } catch (error) {
        if (cursor.closed) throw error
        log.warn({ err: error }, 'a replica does not answer')
      }
    }
    await cursor.open(config, { url: config.DATABASE_URL, types, isReplica: false, after: undefined })
  }

  return {
    stream,
    close: async () => void (await Promise.all([...open].map((cursor) => cursor.close()))),
  }
}

function tellEnd(cursor: Cursor, error: unknown): void {
  if (!finished.heard) return
  const { name, text } = cursor.statement
  const { values, rows, duration, wait } = cursor
  const pool = cursor.isOnReplica ? 'export-replica' : 'export'
  finished.publish({
    statement: name,
    text,
    values,
    rows,
    duration,
    wait,
    pool,
    inTransaction: false,
    field: undefined,
    error,
  })
}
