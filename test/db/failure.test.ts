import request from 'supertest'
import { expect, test } from 'vitest'
import { createApp } from '../../src/app.js'
import { loadConfig } from '../../src/core/config.js'
import { createLog } from '../../src/core/log.js'
import { fixture } from '../fixture/thing.resolver.js'
import { jwtSecret } from '../settings.js'
import { startHouse } from '../support.js'

const everything = '{ things { nodes { name } } }'

test('a database that nobody can reach is OVERLOADED, and the server not ready', async () => {
  const config = loadConfig({
    DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing',
    JWT_SECRET: jwtSecret,
    LOG_LEVEL: 'silent',
    SHUTDOWN_ANNOUNCE_MS: '0',
  })
  const app = await createApp(config, [fixture], { log: createLog(config) })
  const { body } = await request(app.http).post('/graphql').send({ query: everything })
  expect(body.errors).toMatchObject([
    { message: 'The database cannot be reached.', extensions: { code: 'OVERLOADED' } },
  ])
  expect((await request(app.http).get('/readyz')).status).toBe(503)
  expect((await request(app.http).get('/livez')).status).toBe(200)
  await app.close()
})

test('connections that the database ends are replaced, and cost no more than what they carried', async () => {
  await using app = await startHouse()
  const sleeping = app.query('{ sleep(seconds: 5) }')
  const others = 'from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()'
  await expect.poll(() => app.sql(`select ${others} and query like '%pg_sleep($%'`)).toHaveLength(1)
  await app.sql(`select pg_terminate_backend(pid) ${others}`)
  expect((await sleeping).errors).toMatchObject([{ extensions: { code: 'OVERLOADED' } }])
  expect((await app.query(everything)).data).toEqual({ things: { nodes: [] } })
  expect((await app.query(everything)).errors).toBeUndefined()
})
