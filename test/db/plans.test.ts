import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import { sql } from 'kysely'
import type { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.js'
import { param } from '../../src/db/statement.js'
import { encodeId } from '../../src/graph/node.js'
import { BoxTable } from '../fixture/thing.entity.js'
import { startHouse, type TestApp } from '../support.js'

let house: TestApp
let db: Database
beforeAll(async () => {
  house = await startHouse({
    DATABASE_POOL_SIZE: '2',
    DATABASE_POOL_WAIT_MS: '1000',
    DATABASE_STATEMENT_TIMEOUT_MS: '3000',
  })
  db = house.app.db
})
afterAll(() => house[Symbol.asyncDispose]())

const poolOf = async () => (await db.orm.em.getConnection().getNativeClient()) as Pool
const codes = (errors: { extensions: { code: string } }[] | undefined) =>
  errors?.map(({ extensions }) => extensions.code)

test('connections plan once, in UTC, and end what takes too long', async () => {
  const pool = await poolOf()
  for (const [name, value] of [
    ['plan_cache_mode', 'force_generic_plan'],
    ['jit', 'off'],
    ['TimeZone', 'UTC'],
    ['statement_timeout', '3s'],
    ['lock_timeout', '3s'],
    ['idle_in_transaction_session_timeout', '6s'],
    ['application_name', 'plumbline'],
  ])
    expect((await pool.query(`select current_setting('${name}') as value`)).rows).toEqual([{ value }])
})

test('times and exact numbers arrive as the text of the database', async () => {
  const none = { key: '', columns: [] }
  const build = (query: Kysely<never>) =>
    query.selectNoFrom([
      sql`${param('at')}::timestamptz`.as('at'),
      sql`'infinity'::timestamptz`.as('never'),
      sql`'2024-02-29'::date`.as('day'),
      sql`1.50::numeric`.as('price'),
      sql`9007199254740993::bigint`.as('large'),
      sql`array['2024-01-01T00:00:00.000001Z'::timestamptz]`.as('times'),
      sql`7::int`.as('small'),
    ])
  const statement = db.statements.get({ name: 'texts', definition: build, variant: '', build }, none, none)
  expect(await db.read(statement, { at: '2024-01-01T02:00:00.123456+02:00' })).toEqual([
    {
      at: '2024-01-01 00:00:00.123456+00',
      never: 'infinity',
      day: '2024-02-29',
      price: '1.50',
      large: '9007199254740993',
      times: ['2024-01-01 00:00:00.000001+00'],
      small: 7,
    },
  ])
})

test('a page is planned once, for any size and any parameters', async () => {
  for (let first = 1; first <= 10; first++) await house.query(`{ things(first: ${first}) { nodes { name } } }`)
  const plans = await onEachConnection<{ name: string; generic: number; custom: number }>(
    'select name, generic_plans::int as generic, custom_plans::int as custom from pg_prepared_statements',
  )
  expect(plans.filter(({ name }) => name.startsWith('things_')).length).toBeGreaterThan(0)
  for (const { generic, custom } of plans)
    expect({ generic: generic > 0, custom }).toEqual({ generic: true, custom: 0 })
})

test('a statement that takes too long is TIMEOUT, and its connection serves on', async () => {
  const { status, data, errors } = await house.query('{ sleep(seconds: 5) }')
  expect({ status, data, codes: codes(errors) }).toEqual({ status: 200, data: { sleep: null }, codes: ['TIMEOUT'] })
  expect((await house.query('{ sleep(seconds: 0) }')).data).toEqual({ sleep: 'slept' })
})

test('a lock that is not given in time is TIMEOUT', async () => {
  const id = randomUUID()
  await house.sql(`insert into boxes values ($1, 'one', '')`, [id])
  await house.sql('begin')
  await house.sql('select from boxes where id = $1 for update', [id])
  const write = db.write(async (tx) => tx.em.remove(tx.em.getReference(BoxTable, id)))
  await expect(write).rejects.toMatchObject({ code: 'TIMEOUT' })
  await house.sql('rollback')
})

describe('with every connection taken', () => {
  test('a query and a mutation are OVERLOADED, and nothing is afterwards', async () => {
    const boxId = randomUUID()
    await house.sql(`insert into boxes values ($1, 'one', '')`, [boxId])
    const busy = await occupy(2)
    const input = { boxId: encodeId('Box', boxId), name: 'late' }
    const mutation = 'mutation($input: AddThingInput!) { addThing(input: $input) { thing { name } errors { code } } }'
    const [query, write] = await Promise.all([
      house.query('{ things { nodes { name } } }'),
      house.query(mutation, { input }),
    ])
    expect(codes(query.errors)).toEqual(['OVERLOADED'])
    expect(codes(write.errors)).toEqual(['OVERLOADED'])
    expect((await Promise.all(busy)).map(({ data }) => data.sleep)).toEqual(['slept', 'slept'])
    expect((await house.query(mutation, { input })).data.addThing).toEqual({ thing: { name: 'late' }, errors: [] })
  })

  test('how long a statement waited is told apart from how long it took', async () => {
    const busy = await occupy(0.5)
    const { statements } = await house.query('{ things { nodes { name } } }')
    await Promise.all(busy)
    expect(statements).toHaveLength(1)
    expect(statements[0]?.wait).toBeGreaterThan(20)
    expect(statements[0]?.duration).toBeLessThan(statements[0]?.wait as number)
  })
})

test('what the driver says is not shown', async () => {
  const { errors, statements } = await house.query('{ divide(by: 0) }')
  expect(codes(errors)).toEqual(['INTERNAL'])
  expect(JSON.stringify(errors)).not.toMatch(/division|zero|22012|quotient/)
  expect(statements[0]?.error).toMatchObject({ code: '22012' })
  expect((await house.query('{ divide(by: 1) }')).data).toEqual({ divide: 1 })
})

test('connections that the database ends are replaced', async () => {
  await onEachConnection('select 1')
  await house.sql(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name = 'plumbline'`,
  )
  await pause(50)
  const answers = await Promise.all([1, 2, 3].map(() => house.query('{ things { nodes { name } } }')))
  expect(answers.map(({ errors }) => errors)).toEqual([undefined, undefined, undefined])
})

/** Queries that hold both connections for so long. */
async function occupy(seconds: number) {
  const pool = await poolOf()
  const busy = [1, 2].map(() => house.query(`{ sleep(seconds: ${seconds}) }`))
  while (pool.totalCount < 2 || pool.idleCount > 0) await pause(1)
  return busy
}

async function onEachConnection<Row extends object>(statement: string): Promise<Row[]> {
  const pool = await poolOf()
  const clients = await Promise.all(Array.from({ length: pool.options.max }, () => pool.connect()))
  try {
    return (await Promise.all(clients.map((client) => client.query<Row>(statement)))).flatMap(({ rows }) => rows)
  } finally {
    for (const client of clients) client.release()
  }
}
