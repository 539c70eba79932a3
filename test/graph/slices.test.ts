import { expect, test } from 'vitest'
import { z } from 'zod'
import { createApp, createWorker } from '../../src/app.js'
import { loadConfig } from '../../src/core/config.js'
import { createLog } from '../../src/core/log.js'
import type { Slice } from '../../src/graph/slice.js'
import { defineJob } from '../../src/jobs/job.js'
import { defineRemote } from '../../src/remote/remote.js'
import { exportThings } from '../fixture/thing.data.js'
import { fixture } from '../fixture/thing.resolver.js'
import { jwtSecret } from '../settings.js'

const config = loadConfig({
  DATABASE_URL: 'postgres://127.0.0.1:1/none',
  JWT_SECRET: jwtSecret,
  LOG_LEVEL: 'silent',
})
const job = () => defineJob({ name: 'twice', payload: z.object({}), run: async () => {} })
const remote = () => defineRemote({ name: 'twice', timeout: 100, attempts: 1 })
const warmer = () => ({ name: 'twice', run: async () => {} })
const [thing] = fixture.nodes

test.each<[string, Partial<Slice>, Partial<Slice>]>([
  ['jobs have the name "twice"', { jobs: [job()] }, { jobs: [job()] }],
  ['services have the name "twice"', { remotes: [remote()] }, { remotes: [remote()] }],
  ['warmers have the name "twice"', { warm: [warmer()] }, { warm: [warmer()] }],
  ['exports have the name "things"', {}, { exports: [exportThings] }],
  ['node types have the name "Thing"', {}, { nodes: thing ? [{ ...thing }] : [] }],
])('nothing starts where two %s', async (says, one, other) => {
  const slices = [
    { ...fixture, ...one },
    { name: 'other', entities: [], resolvers: [], nodes: [], ...other },
  ]
  for (const start of [createApp, createWorker])
    await expect(start(config, slices, { log: createLog(config) })).rejects.toThrow(`Two ${says}: give one of them`)
})
