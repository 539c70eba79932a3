import { defineConfig, type EntitySchemaWithMeta, type Options } from '@mikro-orm/postgresql'
import type { PoolConfig } from 'pg'
import type { Config } from '../core/config.js'
import type { Log } from '../core/log.js'

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

function pool(config: Config): PoolConfig {
  return {
    max: config.DATABASE_POOL_SIZE,
    connectionTimeoutMillis: config.DATABASE_POOL_WAIT_MS,
    idleTimeoutMillis: config.DATABASE_IDLE_TIMEOUT_MS,
    keepAlive: true,
    // A statement is sent without waiting for the answer to the one before: what lets reads share a connection.
    pipeline: config.DATABASE_PIPELINES > 0,
    application_name: 'plumbline',
    ...(config.DATABASE_SSL === 'off' ? {} : { ssl: { rejectUnauthorized: config.DATABASE_SSL === 'verify' } }),
    options: settings(config),
  }
}

function settings(config: Config): string {
  const values = {
    // A statement is planned once per connection, not at each of its executions.
    plan_cache_mode: 'force_generic_plan',
    // A plan made once takes `limit $n` for a tenth of the table, against which reading all of it may look cheap.
    enable_seqscan: 'off',
    // Compiling a plan costs more than these short statements take.
    jit: 'off',
    TimeZone: 'UTC',
    DateStyle: 'ISO',
    statement_timeout: config.DATABASE_STATEMENT_TIMEOUT_MS,
    lock_timeout: config.DATABASE_STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: 2 * config.DATABASE_STATEMENT_TIMEOUT_MS,
  }
  return Object.entries(values)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ')
}
