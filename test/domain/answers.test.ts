import request from 'supertest'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type App, createApp } from '../../src/app.js'
import { loadConfig } from '../../src/core/config.js'
import { fact } from '../../src/core/events.js'
import { createLog } from '../../src/core/log.js'
import { slices } from '../../src/domain/index.js'
import type { Viewer } from '../../src/graph/context.js'
import { jwtSecret } from '../settings.js'
import { startBusiness, type TestApp, tokenFor } from '../support.js'
import { type Call, operations, readOperation, seedCalls } from './operations.js'

let plain: TestApp
let keeping: App
let calls: Record<string, Call>
let viewers: readonly (Viewer | undefined)[]

beforeAll(async () => {
  plain = await startBusiness()
  calls = await seedCalls(plain)
  const users = await plain.sql<{ id: string }>(
    'select id from users where id in (select user_id from orders) or id in (select author_id from posts) order by id limit 2',
  )
  const buyer = calls['order-history']?.as as Viewer
  const others = users.filter(({ id }) => id !== buyer.id).map(({ id }): Viewer => ({ id, role: 'USER' }))
  viewers = [undefined, buyer, ...others, { ...buyer, role: 'ADMIN' }]
  const config = loadConfig({
    DATABASE_URL: plain.url,
    JWT_SECRET: jwtSecret,
    LOG_LEVEL: 'silent',
    PORT: '0',
    SHUTDOWN_ANNOUNCE_MS: '0',
    REMOTE_URLS: plain.remoteUrls,
  })
  keeping = await createApp(config, slices, { log: createLog(config) })
  await keeping.listen()
})
afterAll(async () => {
  await keeping.close()
  await plain[Symbol.asyncDispose]()
})

async function ask({ http }: App, name: string, as: Viewer | undefined) {
  const call = request(http).post('/graphql').set('x-request-id', 'the-same')
  if (as) call.set('authorization', `Bearer ${await tokenFor(as)}`)
  const { status, body } = await call.send({ query: readOperation(name), variables: calls[name]?.variables })
  return { status, body }
}

const queries = operations.filter((name) => /^query/m.test(readOperation(name)))

/** Answers that other services had a part in are another each time, and kept by nobody. */
const ofOthers = ['shipping-quotes']

test.each(queries)(
  '%s is answered to each viewer as if nothing were kept, the first time and after the others',
  async (name) => {
    let again = 0
    const stop = fact('cache.read').listen(({ cache, missing }) => {
      if (cache === 'response' && missing === 0) again++
    })
    for (let round = 0; round < 2; round++) {
      for (const as of viewers) {
        const expected = await ask(plain.app, name, as)
        const given = await ask(keeping, name, as)
        if (ofOthers.includes(name)) expect(given.status).toBe(expected.status)
        else expect(given).toEqual(expected)
      }
    }
    stop()
    // Where nobody reads the viewer the first answer is for all, else each viewer is given their own again.
    if (!ofOthers.includes(name)) expect(again).toBeGreaterThanOrEqual(1)
    else expect(again).toBe(0)
  },
)
