import { MikroORM } from '@mikro-orm/postgresql'
import { Client, type Pool } from 'pg'
import type { TestProject } from 'vitest/node'
import { migrateOutbox } from '../src/cache/outbox.js'
import { loadConfig } from '../src/core/config.js'
import { createLog } from '../src/core/log.js'
import { connectionOptions } from '../src/db/connection.js'
import { startScratch } from '../src/db/scratch.js'
import { migrateQueue } from '../src/jobs/migrations.js'
import { migrate } from '../src/tools/migrate.js'
import { fixture } from './fixture/thing.resolver.js'
import { databaseUrl, jwtSecret } from './settings.js'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The URL of the tests' PostgreSQL, its `postgres` database. */
    postgres: string
  }
}

/** One PostgreSQL in memory for the whole run, with the two templates that test files copy. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startScratch()
  project.provide('postgres', server.url)
  const client = new Client({ connectionString: server.url })
  await client.connect()
  for (const template of ['template_house', 'template_business']) await client.query(`create database ${template}`)
  await client.end()

  const log = createLog({ LOG_LEVEL: 'silent' })
  const configOf = (name: string) =>
    loadConfig({ DATABASE_URL: databaseUrl(server.url, name), JWT_SECRET: jwtSecret, LOG_LEVEL: 'silent' })
  const orm = await MikroORM.init(connectionOptions(configOf('template_house'), fixture.entities, log))
  await orm.schema.create()
  const pool = (await orm.em.getConnection().getNativeClient()) as Pool
  await migrateQueue(pool)
  await migrateOutbox(pool)
  await orm.close(true)
  await migrate(configOf('template_business'), log)
  return () => server.stop()
}
