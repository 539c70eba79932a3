import { parseArgs } from 'node:util'
import { sql } from 'kysely'
import type { Pool } from 'pg'
import { openCache } from '../cache/open.js'
import type { Config } from '../core/config.js'
import type { Change } from '../core/events.js'
import { createLog } from '../core/log.js'
import { createDatabase, type Database } from '../db/database.js'
import { written } from '../db/statement.js'
import { slices } from '../domain/index.js'
import type { Slice } from '../graph/slice.js'
import { createRedis } from '../redis/redis.js'
import { migrate } from './migrate.js'
import { type Progress, showProgress } from './progress.js'
import { runCommand } from './settings.js'

export interface SeedOptions {
  /** 1 is the full size: 10,000 users, 100,000 posts, 500,000 comments, 50,000 orders. */
  readonly scale: number
  /** Empties the tables first; without it, tables that hold rows are refused. */
  readonly reset?: boolean
  /** What counts as today, now by default: the same scale and UTC day give the same rows. */
  readonly today?: Date
  readonly progress?: Progress
}

/** Why nothing was filled, in words for whoever asked; nothing was changed. */
export class SeedRefused extends Error {}

if (import.meta.main) {
  try {
    const { scale, reset } = readArguments()
    await runCommand(async ({ config, embedded }) => {
      if (embedded) await migrate(config, createLog({ LOG_LEVEL: 'silent' }))
      await seedDatabase(config, { scale, reset, progress: showProgress(process.stdout) })
      await embedded?.markFilled()
    })
  } catch (error) {
    if (!(error instanceof SeedRefused)) throw error
    console.error(error.message)
    process.exitCode = 1
  }
}

/** Fills the configured database with the business's demo data. Throws {@link SeedRefused}. */
export async function seedDatabase(config: Config, options: SeedOptions): Promise<void> {
  const patient = { ...config, DATABASE_STATEMENT_TIMEOUT_MS: 600_000 }
  const log = createLog(config)
  const entities = slices.flatMap((slice) => slice.entities)
  const jobs = slices.flatMap((slice) => slice.jobs ?? [])
  const db = await createDatabase(patient, { entities, jobs }, log)
  // Servers that keep what they read there hear of it.
  const redis = config.REDIS_URL ? createRedis(config, log) : undefined
  const cache = redis && openCache(config, { db, redis, release: '', log })
  try {
    await seed(db, slices, options)
  } finally {
    await cache?.close()
    await redis?.close()
    await db.close()
  }
}

/** Fills the slices' tables and has the planner learn what is in them. Throws {@link SeedRefused}. */
export async function seed(db: Database, slices: readonly Slice[], options: SeedOptions): Promise<void> {
  const { scale, reset, today = new Date(), progress = () => {} } = options
  const pool = (await db.orm.em.getConnection().getNativeClient()) as Pool
  const tables = slices.flatMap((slice) => slice.entities.map((entity) => entity.meta.tableName))
  const held = await countRows(pool, tables)
  if (held.length > 0 && !reset) throw new SeedRefused(explain(held))
  if (held.length > 0) await empty(db, tables, held)
  const day = Math.floor(today.getTime() / 86_400e3) * 86_400e6
  for (const slice of slices) await slice.seed?.({ scale, day, write: db.write, progress })
  for (const [index, table] of tables.entries()) {
    // The visibility map too: without it an index-only scan visits every row.
    await pool.query(`vacuum (analyze) ${table}`)
    progress('tables analyzed', index + 1, tables.length)
  }
}

interface Held {
  readonly table: string
  readonly rows: number
}

/** The tables that hold rows. */
async function countRows(pool: Pool, tables: readonly string[]): Promise<Held[]> {
  const held: Held[] = []
  for (const table of tables) {
    const answer = await pool.query<{ rows: string }>(`select count(*) as rows from ${table}`).catch((error) => {
      if (error.code !== '42P01') throw error
      throw new SeedRefused(`There is no table "${table}": run "npm run db:migrate" first.`)
    })
    const rows = Number(answer.rows[0]?.rows)
    if (rows > 0) held.push({ table, rows })
  }
  return held
}

async function empty(db: Database, tables: readonly string[], held: readonly Held[]): Promise<void> {
  const changes = held.map(({ table, rows }): Change => ({ table, kind: 'delete', rows }))
  const truncate = sql`truncate ${sql.join(tables.map((table) => sql.table(table)))}`
  await db.write((tx) => tx.sql(written(truncate), changes))
}

function explain(held: readonly Held[]): string {
  const counts = held.map(({ table, rows }) => `${table} ${rows.toLocaleString('en')}`)
  return (
    `The database holds rows (${counts.join(', ')}) and was left as it is.\n` +
    'To delete them and fill it anew: npm run db:seed -- --reset'
  )
}

function readArguments(): { scale: number; reset: boolean } {
  try {
    const options = { scale: { type: 'string', default: '1' }, reset: { type: 'boolean', default: false } } as const
    const { values } = parseArgs({ options })
    const scale = Number(values.scale)
    if (!(scale > 0 && scale <= 100)) throw new Error(`--scale takes a number above 0, up to 100: "${values.scale}"`)
    return { scale, reset: values.reset }
  } catch (error) {
    throw new SeedRefused(`${(error as Error).message}\nnpm run db:seed -- [--scale 1] [--reset]`)
  }
}
