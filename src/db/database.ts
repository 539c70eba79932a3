import { MikroORM } from '@mikro-orm/postgresql'
import type { Kysely } from 'kysely'
import type { Pool } from 'pg'
import type { Config } from '../core/config.js'
import { fact } from '../core/events.js'
import type { Log } from '../core/log.js'
import { connectionOptions, type Entity } from './connection.js'
import { createTokens, type Point, type Tokens } from './consistency.js'
import { asFailure } from './failure.js'
import { Reader } from './reader.js'
import { type Column, type Selection, type Statement, Statements, type Values } from './statement.js'
import { type Transaction, Writing } from './transaction.js'

/** The database room: opened by `createApp`, closed last. */
export interface Database {
  readonly orm: MikroORM
  readonly statements: Statements
  readonly tokens: Tokens
  /**
   * Runs a compiled statement outside a transaction and answers plain rows: timestamps, numerics and bigints as text.
   * It must change nothing, as it may be run again. A slow one gets a connection to itself; others share.
   * @throws Failure TIMEOUT (statement_timeout), OVERLOADED (no connection became free), or the driver's own error.
   */
  read<Row>(statement: Statement, values: Values, isSlow?: boolean): Promise<Row[]>
  /**
   * Runs `work` in one transaction and commits it, or rolls all of it back when it throws.
   * Answers what the work answered, and the point in the database's history that holds it; no point where the
   * database, having committed, could not be asked for it.
   * @throws Failure TIMEOUT, OVERLOADED, CONFLICT (deadlock, serialization), or the driver's own error.
   */
  write<Result>(work: (tx: Transaction) => Promise<Result>): Promise<{ result: Result; point: Point | undefined }>
  /** The columns that the API may show of an entity (hidden ones left out), by property. */
  columns(entity: string): Selection
  /** Throws unless the database answers. */
  ping(): Promise<void>
  close(): Promise<void>
}

const committed = fact('transaction.committed')

/** Opens the pool for these entities; connects at the first statement. */
export async function createDatabase(config: Config, entities: readonly Entity[], log: Log): Promise<Database> {
  const orm = await MikroORM.init(connectionOptions(config, entities, log))
  const pool = (await orm.em.getConnection().getNativeClient()) as Pool
  const statements = new Statements(orm.em.fork().getKysely() as unknown as Kysely<never>, config.DB_STATEMENT_NAMES)
  const reader = new Reader(pool, {
    lanes: config.DATABASE_PIPELINES,
    statementTimeout: config.DATABASE_STATEMENT_TIMEOUT_MS,
  })
  const columns = new Map<string, Selection>()

  return {
    orm,
    statements,
    tokens: createTokens([config.JWT_SECRET, ...(config.JWT_SECRET_PREVIOUS ? [config.JWT_SECRET_PREVIOUS] : [])]),
    read: (statement, values, isSlow = false) => reader.read(statement, values, isSlow),
    write: (work) => write({ orm, pool, log }, work),
    columns(entity) {
      const known = columns.get(entity) ?? wholeRow(orm, entity)
      columns.set(entity, known)
      return known
    },
    ping: async () => void (await pool.query('select 1')),
    async close() {
      await orm.close(true)
      // MikroORM ends the pool only where it used it itself.
      if (!pool.ending) await pool.end()
    },
  }
}

interface Writer {
  readonly orm: MikroORM
  readonly pool: Pool
  readonly log: Log
}

async function write<Result>({ orm, pool, log }: Writer, work: (tx: Transaction) => Promise<Result>) {
  const started = performance.now()
  const { result, writing } = await orm.em
    .fork()
    .transactional(async (em) => {
      const writing = new Writing(em)
      return { result: await work(writing), writing }
    })
    .catch((error) => Promise.reject(asFailure(error)))
  if (committed.heard) committed.publish({ changes: writing.changes, duration: performance.now() - started })
  // From here on it is done: whatever else fails must not tell the caller otherwise.
  const attempt = async <Value>(step: () => Value | Promise<Value>): Promise<Value | undefined> => {
    try {
      return await step()
    } catch (error) {
      log.error({ err: error }, 'a step after a commit failed')
      return undefined
    }
  }
  for (const action of writing.committed) await attempt(action)
  return { result, point: await attempt(() => currentPoint(pool)) }
}

async function currentPoint(pool: Pool): Promise<Point> {
  const { rows } = await pool.query<{ lsn: string }>('select pg_current_wal_insert_lsn()::text as lsn')
  return { lsn: (rows[0] as { lsn: string }).lsn, at: Date.now() }
}

function wholeRow(orm: MikroORM, entity: string): Selection {
  const { props } = orm.getMetadata().getByClassName(entity as never)
  const columns = props
    .filter((property) => !property.hidden && property.fieldNames?.length === 1)
    .map((property): Column => {
      const name = property.fieldNames[0] as string
      return { property: property.targetMeta ? `${property.name}Id` : property.name, name }
    })
  return { key: '*', columns }
}
