import type { Migrator } from '@mikro-orm/migrations'
import { MikroORM } from '@mikro-orm/postgresql'
import type { Pool } from 'pg'
import { forgetEverything, migrateOutbox } from '../cache/outbox.js'
import type { Config } from '../core/config.js'
import { createLog, type Log } from '../core/log.js'
import { slices } from '../domain/index.js'
import { migrateQueue } from '../jobs/migrations.js'
import { migrationOptions } from '../mikro-orm.config.js'
import { runCommand } from './settings.js'

/** Whoever migrates holds this advisory lock; any number, the same in every release. */
const lockKey = 7_264_001

/** How long another process's migration is waited for. */
const lockWait = '10min'

if (import.meta.main) await runCommand(({ config }) => migrate(config, createLog(config)))

/**
 * Applies every pending migration, each in a transaction of its own, and answers their names; those of the job queue
 * and of the cache too. One process at a time does; the others wait for it and find nothing left to do.
 */
export async function migrate(config: Config, log: Log): Promise<string[]> {
  return await withMigrator(config, log, async (migrator, pool) => {
    const lock = await pool.connect()
    try {
      await lock.query(`set lock_timeout = '${lockWait}'`)
      await lock.query('select pg_advisory_lock($1)', [lockKey])
      migrator.on('migrated', ({ name }) => log.info({ migration: name }, 'migration applied'))
      await migrateQueue(pool)
      await migrateOutbox(pool)
      const applied = await migrator.up()
      if (applied.length === 0) log.info('no migration is pending')
      else if (config.REDIS_URL) await forgetEverything(pool)
      return applied.map(({ name }) => name)
    } finally {
      // Closed, not given back: the lock ends with its session.
      lock.release(true)
    }
  })
}

/** Calls `work` with MikroORM's migrator over the business's entities, on a pool of its own. */
export async function withMigrator<Result>(
  config: Config,
  log: Log,
  work: (migrator: Migrator, pool: Pool) => Promise<Result>,
): Promise<Result> {
  const entities = slices.flatMap((slice) => slice.entities)
  const orm = await MikroORM.init(migrationOptions(config, entities, log))
  try {
    const pool = (await orm.em.getConnection().getNativeClient()) as Pool
    return await work(orm.migrator as Migrator, pool)
  } finally {
    await orm.close(true)
  }
}
