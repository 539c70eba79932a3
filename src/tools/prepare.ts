import { Client } from 'pg'
import type { Config } from '../core/config.js'
import { createLog } from '../core/log.js'
import type { Embedded } from '../db/embedded.js'
import { migrate } from './migrate.js'
import { showProgress } from './progress.js'
import { SeedRefused, seedDatabase } from './seed.js'

/** Whoever fills a new database holds this advisory lock; any number but that of migrations. */
const lockKey = 7_264_002

/** Takes seconds: 200 users, 2,000 posts, 10,000 comments, 1,000 orders. */
const scale = 0.02

/**
 * Migrates the embedded database and fills a new one with the demo's data, anew where that was interrupted; rows that
 * somebody else has put there stay. Only the embedded one: in production a schema changes when somebody says so.
 */
export async function prepare(config: Config, embedded: Embedded): Promise<void> {
  const applied = await migrate(config, createLog({ LOG_LEVEL: 'silent' }))
  if (applied.length > 0) console.log(`Migrations applied: ${applied.length}`)
  if (!embedded.fresh) return
  const turn = new Client({ connectionString: config.DATABASE_URL })
  await turn.connect()
  // The server may be stopped under a filling that Ctrl-C ended; the filling itself then fails and says so.
  turn.on('error', () => {})
  try {
    await turn.query('select pg_advisory_lock($1)', [lockKey])
    if (embedded.fresh) await fill(config, embedded)
  } finally {
    await turn.end().catch(() => {})
  }
}

async function fill(config: Config, embedded: Embedded): Promise<void> {
  const again = await embedded.markFilling()
  try {
    await seedDatabase(config, { scale, reset: again, progress: showProgress(process.stdout) })
  } catch (error) {
    if (!(error instanceof SeedRefused)) throw error
  }
  await embedded.markFilled()
}
