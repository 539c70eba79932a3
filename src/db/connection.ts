import { defineConfig, type EntitySchemaWithMeta, type Options } from '@mikro-orm/postgresql'
import { type ClientConfig, Pool, type PoolConfig } from 'pg'
import type { Config } from '../core/config.js'
import type { Log } from '../core/log.js'
import { TellingClient } from './client.js'

/** Any table's entity, as `defineEntity` makes it. */
export type Entity = EntitySchemaWithMeta

/** How every connection of the house is set up, and why. */
export function connectionOptions(config: Config, entities: readonly Entity[], log: Log): Options {
  return defineConfig({
    clientUrl: config.DATABASE_URL,
    entities: entities as unknown as NonNullable<Options['entities']>,
    // A house without a business has no table.
    discovery: { warnWhenNoEntities: false },
    ensureDatabase: false,
    forceUtcTimezone: true,
    ignoreUndefinedInQuery: false,
    logger: (message) => log.debug({ source: 'mikro-orm' }, message),
    driverOptions: pool(config),
    migrations: { tableName: 'migrations', snapshot: false, transactional: true },
  })
}

/** Connections beside the house's own, with the database's own settings but for these, for what needs its own. */
export function createPool(config: Config, log: Log, { name, max }: { name: string; max: number }): Pool {
  const pool = new Pool({
    ...connection(config),
    connectionString: config.DATABASE_URL,
    application_name: name,
    max,
    // A machine that is gone without a word is noticed within half a minute.
    options: `-c statement_timeout=${config.DATABASE_STATEMENT_TIMEOUT_MS} -c TimeZone=UTC -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3`,
  })
  // Without listeners, the loss of a connection would end the process.
  const onError = (error: Error) => log.warn({ err: error }, 'a connection to the database was lost')
  pool.on('error', onError).on('connect', (client) => client.on('error', onError))
  return pool
}

/**
 * How the connection of a stream is set up: one statement, planned for its own values, and for the whole of a table
 * where it asks for that. PostgreSQL still plans a cursor to begin soon (`cursor_tuple_fraction`), which is right: no
 * fetch may take longer than a statement.
 */
export function streamOptions(config: Config, url: string): ClientConfig {
  const settings = {
    ...sessionSettings(config),
    default_transaction_read_only: 'on',
    // Whoever reads for a client cuts it before; this is for a process that does not come to it.
    idle_in_transaction_session_timeout: 2 * config.EXPORT_IDLE_TIMEOUT_MS,
  }
  const options = { ...connection(config), application_name: 'plumbline export', options: parameters(settings) }
  return { ...options, connectionString: url }
}

function pool(config: Config): PoolConfig & { traceContext: boolean } {
  return {
    ...connection(config),
    Client: TellingClient,
    traceContext: config.DB_TRACE_CONTEXT,
    max: config.DATABASE_POOL_SIZE,
    // A statement is sent without waiting for the answer to the one before: what lets reads share a connection.
    pipeline: config.DATABASE_PIPELINES > 0,
    application_name: 'plumbline',
    options: parameters({
      ...sessionSettings(config),
      // A statement is planned once per connection, not at each of its executions.
      plan_cache_mode: 'force_generic_plan',
      // A plan made once takes `limit $n` for a tenth of the table, against which reading all of it may look cheap.
      enable_seqscan: 'off',
      idle_in_transaction_session_timeout: 2 * config.DATABASE_STATEMENT_TIMEOUT_MS,
    }),
  }
}

function connection(config: Config): PoolConfig {
  return {
    connectionTimeoutMillis: config.DATABASE_POOL_WAIT_MS,
    idleTimeoutMillis: config.DATABASE_IDLE_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    ...(config.DATABASE_SSL === 'off' ? {} : { ssl: { rejectUnauthorized: config.DATABASE_SSL === 'verify' } }),
  }
}

function sessionSettings(config: Config) {
  return {
    // Compiling a plan costs more than these short statements take.
    jit: 'off',
    TimeZone: 'UTC',
    DateStyle: 'ISO',
    statement_timeout: config.DATABASE_STATEMENT_TIMEOUT_MS,
    lock_timeout: config.DATABASE_STATEMENT_TIMEOUT_MS,
  }
}

function parameters(settings: Readonly<Record<string, string | number>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ')
}
