import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { lexicographicSortSchema, printSchema } from 'graphql'
import { slices } from '../domain/index.js'
import { createSchema } from '../graph/schema.js'

/** Where the API is written down: committed, so that a review shows what clients will see of a change. */
export const schemaFile = join(import.meta.dirname, '../../schema/schema.graphql')

if (import.meta.main) await (process.argv.includes('--check') ? checkSchema() : writeSchema())

/** The business's schema in GraphQL's own language, with descriptions; the same for the same code. No database is used. */
export async function emitSchema(): Promise<string> {
  return `${printSchema(lexicographicSortSchema(await createSchema(slices)))}\n`
}

async function writeSchema(): Promise<void> {
  await mkdir(dirname(schemaFile), { recursive: true })
  await writeFile(schemaFile, await emitSchema())
}

async function checkSchema(): Promise<void> {
  if ((await readFile(schemaFile, 'utf8').catch(() => '')) === (await emitSchema())) return
  console.error('schema/schema.graphql is not what the code says: run "npm run schema:emit" and commit it.')
  process.exitCode = 1
}
