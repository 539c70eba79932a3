import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../core/config.js'
import { createLog } from '../core/log.js'
import { startScratch } from '../db/scratch.js'
import { migrationsFolder, snapshotName } from '../mikro-orm.config.js'
import { withMigrator } from './migrate.js'

if (import.meta.main) {
  const file = await createMigration(process.argv[2])
  console.log(file ? `Written: migrations/${file}` : 'The entities hold nothing that the migrations lack.')
}

/**
 * Writes the next migration: what the entities have and the last snapshot has not; undefined where that is nothing.
 * No database is looked at, whatever it holds: without a snapshot, an empty one is started to compare with.
 */
export async function createMigration(name?: string): Promise<string | undefined> {
  const empty = existsSync(join(migrationsFolder, `${snapshotName}.json`)) ? undefined : await startScratch()
  try {
    const unused = 'a migration is written without this secret'
    const config = loadConfig({
      DATABASE_URL: empty?.url ?? 'postgresql://nobody@localhost/unused',
      JWT_SECRET: unused,
    })
    return await withMigrator(config, createLog({ LOG_LEVEL: 'silent' }), async (migrator) => {
      const { fileName } = await migrator.create(undefined, false, false, name)
      return fileName || undefined
    })
  } finally {
    await empty?.stop()
  }
}
