import { load } from '../data.js'

/** This project's worker, with a job that does nothing. */
const { createWorker } = await load('app.js')
const { loadConfig } = await load('core/config.js')
const { createLog } = await load('core/log.js')
const { defineJob } = await load('jobs/job.js')
const { z } = await load('../node_modules/zod/index.js')

const config = loadConfig({ ...process.env, WORKER_CONCURRENCY: process.env.POOL })
const empty = defineJob({ name: 'empty', payload: z.object({}), run: async () => {} })
const slice = { name: 'empty', entities: [], resolvers: [], nodes: [], jobs: [empty] }
const worker = await createWorker(config, [slice], { log: createLog(config) })
console.log('ready')
process.once('SIGTERM', () => worker.close().then(() => process.exit(0)))
