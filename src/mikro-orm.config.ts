import { join } from 'node:path'
import { Migrator } from '@mikro-orm/migrations'
import type { Options } from '@mikro-orm/postgresql'
import type { Config } from './core/config.js'
import type { Log } from './core/log.js'
import { connectionOptions, type Entity } from './db/connection.js'
import { MigrationFile } from './tools/migration-file.js'

/** How long a migration waits for a lock before it gives up, in ms: whoever needs the table waits behind it. */
const lockTimeout = 5_000

/** MikroORM for whoever changes the schema: its own timeouts, and the migrations beside `src/`. */
export function migrationOptions(config: Config, entities: readonly Entity[], log: Log): Options {
  const options = connectionOptions(config, entities, log)
  return {
    ...options,
    extensions: [Migrator],
    driverOptions: {
      ...options.driverOptions,
      max: 2,
      options: `-c statement_timeout=0 -c lock_timeout=${lockTimeout} -c TimeZone=UTC`,
    },
    migrations: {
      path: join(import.meta.dirname, '../migrations'),
      tableName: 'migrations',
      // One transaction each: what cannot run in one (`create index concurrently`) can say so.
      allOrNothing: false,
      generator: MigrationFile,
      snapshotName: 'snapshot',
      snapshotOnMigrate: false,
      fileName: (timestamp, name) => `${timestamp}_${name ?? 'change'}`,
      silent: true,
    },
  }
}
