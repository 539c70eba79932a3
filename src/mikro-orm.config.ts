import { join } from 'node:path'
import { Migrator } from '@mikro-orm/migrations'
import type { Options } from '@mikro-orm/postgresql'
import type { Config } from './core/config.js'
import type { Log } from './core/log.js'
import { connectionOptions, type Entity } from './db/connection.js'
import { MigrationFile } from './tools/migration-file.js'

/** One TypeScript file each, flat: Node runs them as they are, and they sort by their names. */
export const migrationsFolder = join(import.meta.dirname, '../migrations')

/** Where a database says which of them it has. */
export const migrationsTable = 'migrations'

/** The file beside them with the schema that they add up to: the next one is written from it. */
export const snapshotName = 'snapshot'

/** How long a migration waits for a lock before it gives up, in ms: whoever needs the table waits behind it. */
const lockTimeout = 5_000

/** MikroORM for whoever changes the schema: its own timeouts, and the migrations. */
export function migrationOptions(config: Config, entities: readonly Entity[], log: Log): Options {
  const options = connectionOptions(config, entities, log)
  return {
    ...options,
    extensions: [Migrator],
    // The job queue's own, which the engine migrates.
    schemaGenerator: { ignoreSchema: ['graphile_worker'] },
    driverOptions: {
      ...options.driverOptions,
      max: 2,
      options: `-c statement_timeout=0 -c lock_timeout=${lockTimeout} -c TimeZone=UTC`,
    },
    migrations: {
      path: migrationsFolder,
      tableName: migrationsTable,
      // One transaction each: what cannot run in one (`create index concurrently`) can say so.
      allOrNothing: false,
      generator: MigrationFile,
      snapshotName,
      snapshotOnMigrate: false,
      fileName: (timestamp, name) => `${timestamp}_${name ?? 'change'}`,
      silent: true,
    },
  }
}
