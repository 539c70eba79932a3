import { Logger, runMigrations } from 'graphile-worker'
import type { Pool } from 'pg'

const silent = new Logger(() => () => {})

/** Brings the queue's own tables up to what this release needs. */
export async function migrateQueue(pool: Pool): Promise<void> {
  await runMigrations({ pgPool: pool, logger: silent })
}

/** Has the engine, which would migrate whenever it starts, refuse to start instead. */
export const refuseToMigrate: GraphileConfig.Plugin = {
  name: 'RefuseToMigrate',
  version: '1.0.0',
  worker: {
    middleware: {
      bootstrap: () => {
        throw missing()
      },
      async migrate(_next, { ctx, client }) {
        const { rows } = await client.query<{ id: number }>('select max(id) as id from graphile_worker.migrations')
        if ((rows[0]?.id ?? 0) < ctx.maxMigrationNumber) throw missing()
      },
    },
  },
}

function missing(): Error {
  return new Error("The queue's tables are missing or old: run `npm run db:migrate` first.")
}
