import { run } from 'graphile-worker'
import pg from 'pg'

/** The engine alone, as its documentation sets it up, with a job that does nothing. */
const concurrency = Number(process.env.POOL)
const pgPool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: concurrency + 2 })
pgPool.on('error', () => {}).on('connect', (client) => client.on('error', () => {}))
const runner = await run({ pgPool, concurrency, noHandleSignals: true, taskList: { empty: () => {} } })
console.log('ready')
process.once('SIGTERM', () => runner.stop().then(() => process.exit(0)))
