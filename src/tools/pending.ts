import { readdir } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Database } from '../db/database.js'
import { migrationsFolder, migrationsTable } from '../mikro-orm.config.js'

/** Makes the check that rejects while the database lacks a migration that this build has. */
export function createMigrationCheck({ orm }: Pick<Database, 'orm'>): () => Promise<void> {
  let applied = false
  return async () => {
    if (applied) return
    const names = await migrationNames()
    if (names.length > 0) await requireAll(orm, names)
    applied = true
  }
}

async function requireAll(orm: Database['orm'], names: string[]): Promise<void> {
  const connection = orm.em.getConnection()
  const rows = await connection.execute<{ name: string }[]>(`select name from "${migrationsTable}"`)
  const known = new Set(rows.map((row) => row.name))
  const missing = names.filter((name) => !known.has(name))
  if (missing.length > 0) throw new Error(`Not applied yet: ${missing.join(', ')}`)
  // The queue's are applied before ours.
  await connection.execute('select from graphile_worker.migrations limit 1')
}

async function migrationNames(): Promise<string[]> {
  const files = await readdir(migrationsFolder).catch(() => [])
  return files.filter((file) => file.endsWith('.ts')).map((file) => basename(file, '.ts'))
}
