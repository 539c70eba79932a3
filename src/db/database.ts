import { MikroORM } from '@mikro-orm/postgresql'
import type { Kysely } from 'kysely'
import type { Pool } from 'pg'
import type { Config } from '../core/config.js'
import { fact } from '../core/events.js'
import type { Log } from '../core/log.js'
import { type Cascades, cascadesOf } from './cascades.js'
import { connectionOptions, type Entity } from './connection.js'
import { createTokens, type Point, type Tokens } from './consistency.js'
import { type Explained, explain } from './explain.js'
import { asFailure } from './failure.js'
import { Reader, type ReadOptions } from './reader.js'
import { type Column, type Selection, type Statement, Statements, type Values } from './statement.js'
import { createStreams, type StreamOptions } from './stream.js'
import { type Follower, type Transaction, Writing } from './transaction.js'

/** The database room: opened by `createApp`, closed last. */
export interface Database {
  readonly orm: MikroORM
  readonly statements: Statements
  readonly tokens: Tokens
  /**
   * Runs a compiled statement outside a transaction and answers plain rows: timestamps, numerics and bigints as text.
   * It must change nothing, as it may be run again.
   * @throws Failure TIMEOUT (statement_timeout), OVERLOADED (no connection became free), or the driver's own error.
   */
  read<Row>(statement: Statement, values: Values, options?: ReadOptions): Promise<Row[]>
  /**
   * The same for more rows than fit into memory: in chunks of about 128 kB, one of them read ahead, all of
   * one moment of the database, over a connection of their own. From the first of DATABASE_REPLICA_URLS that answers
   * and has replayed `after`, else from the primary. Whoever begins it reads on to its end, or aborts `signal`: then the
   * statement is cancelled at once, and the signal's reason thrown.
   * @throws Failure OVERLOADED (EXPORT_CONNECTIONS run already), TIMEOUT (of a chunk), or the driver's own error.
   */
  stream<Row>(statement: Statement, values: Values, options: StreamOptions): AsyncGenerator<Row[], void>
  /**
   * Runs `work` in one transaction and commits it, or rolls all of it back when it throws.
   * Answers what the work answered.
   * @throws Failure TIMEOUT, OVERLOADED, CONFLICT (deadlock, serialization), or the driver's own error.
   */
  write<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result>
  /** Has `follower` told of every write from now on, until the answer is called. */
  follow(follower: Follower): () => void
  /** A point in the database's history that holds whatever has committed; undefined where it could not be asked for. */
  point(): Promise<Point | undefined>
  /** The columns that the API may show of an entity (hidden ones left out), by property. */
  columns(entity: string): Selection
  /** By what names a change tells a table's keys, primary and foreign, each with the name it has in rows; none for no table. */
  keys(table: string): ReadonlyMap<string, string> | undefined
  /** A statement's plan, as PostgreSQL's JSON tells it. @throws the driver's own error. */
  explain<Plan>(statement: Explained): Promise<Plan>
  /** The connections at this moment; `waiting` counts who wants one. */
  readonly pool: { readonly idle: number; readonly used: number; readonly waiting: number; readonly max: number }
  /** Throws unless the database answers. */
  ping(): Promise<void>
  close(): Promise<void>
}

const committed = fact('transaction.committed')

/** What slices have in it, and which jobs their transactions may ask for. */
export interface Known {
  readonly entities: readonly Entity[]
  readonly jobs: readonly object[]
}

/** Opens the pool for what slices know; connects at the first statement. */
export async function createDatabase(config: Config, { entities, jobs }: Known, log: Log): Promise<Database> {
  const orm = await MikroORM.init(connectionOptions(config, entities, log))
  const pool = (await orm.em.getConnection().getNativeClient()) as Pool
  const keys = keysByTable(orm)
  const query = orm.em.fork().getKysely() as unknown as Kysely<never>
  const statements = new Statements(query, config.DB_STATEMENT_NAMES, [...keys.keys()])
  const reader = new Reader(pool, {
    lanes: config.DATABASE_PIPELINES,
    statementTimeout: config.DATABASE_STATEMENT_TIMEOUT_MS,
    traceContext: config.DB_TRACE_CONTEXT,
  })
  const streams = createStreams(config, pool.options.types, log)
  const columns = new Map<string, Selection>()
  const followers = new Set<Follower>()
  const writer = { orm, log, followers, jobs: new Set(jobs), cascades: cascadesOf(orm, keys) }

  return {
    orm,
    statements,
    tokens: createTokens([config.JWT_SECRET, ...(config.JWT_SECRET_PREVIOUS ? [config.JWT_SECRET_PREVIOUS] : [])]),
    read: (statement, values, options = {}) => reader.read(statement, values, options),
    stream: streams.stream,
    write: (work) => write(writer, work),
    follow(follower) {
      followers.add(follower)
      return () => void followers.delete(follower)
    },
    point: () =>
      currentPoint(pool).catch((error) => {
        log.error({ err: error }, 'the point of a write is not known')
        return undefined
      }),
    columns(entity) {
      const known = columns.get(entity) ?? wholeRow(orm, entity)
      columns.set(entity, known)
      return known
    },
    keys: (table) => keys.get(table),
    explain: (statement) => explain(pool, statement),
    get pool() {
      const { totalCount, idleCount, waitingCount, options } = pool
      return { idle: idleCount, used: totalCount - idleCount, waiting: waitingCount, max: options.max }
    },
    ping: async () => void (await pool.query('select 1')),
    async close() {
      await streams.close()
      await orm.close(true)
      // MikroORM ends the pool only where it used it itself.
      if (!pool.ending) await pool.end()
    },
  }
}

interface Writer {
  readonly orm: MikroORM
  readonly log: Log
  readonly followers: ReadonlySet<Follower>
  readonly jobs: ReadonlySet<object>
  readonly cascades: Cascades
}

async function write<Result>(
  { orm, log, followers, jobs, cascades }: Writer,
  work: (tx: Transaction) => Promise<Result>,
) {
  const started = performance.now()
  const { result, writing, begun } = await orm.em
    .fork()
    .transactional(async (em) => {
      const begun = performance.now()
      const writing = new Writing(em, jobs, cascades)
      const result = await work(writing)
      await writing.end(followers)
      return { result, writing, begun }
    })
    .catch((error) => Promise.reject(asFailure(error)))
  const { changes } = writing
  if (committed.heard) committed.publish({ changes, duration: performance.now() - begun, wait: begun - started })
  for (const action of writing.committed) {
    try {
      await action()
    } catch (error) {
      // It is done: whatever else fails must not tell the caller otherwise.
      log.error({ err: error }, 'a step after a commit failed')
    }
  }
  return result
}

async function currentPoint(pool: Pool): Promise<Point> {
  const { rows } = await pool.query<{ lsn: string }>('select pg_current_wal_insert_lsn()::text as lsn')
  return { lsn: (rows[0] as { lsn: string }).lsn, at: Date.now() }
}

/** A relation is known by its property in changes of entities, and by its column's in those that statements declare. */
function keysByTable(orm: MikroORM): Map<string, Map<string, string>> {
  const tables = [...orm.getMetadata()].map(({ tableName, props }) => {
    const keys = props.filter((property) => property.primary || property.targetMeta)
    const names = keys.flatMap(({ name, targetMeta }) =>
      targetMeta
        ? [
            [name, `${name}Id`],
            [`${name}Id`, `${name}Id`],
          ]
        : [[name, name]],
    )
    return [tableName, new Map(names as [string, string][])] as const
  })
  return new Map(tables)
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
