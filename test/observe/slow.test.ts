import type { InferKyselyDB } from '@mikro-orm/postgresql'
import { type Kysely, sql } from 'kysely'
import { Arg, Ctx, Query, Resolver } from 'type-graphql'
import { afterEach, expect, test } from 'vitest'
import type { Environment } from '../../src/core/config.js'
import { param } from '../../src/db/statement.js'
import { Context } from '../../src/graph/context.js'
import { defineQuery } from '../../src/graph/query.js'
import type { Slice } from '../../src/graph/slice.js'
import type { ThingTable } from '../fixture/thing.entity.js'
import { startHouse, type TestApp } from '../support.js'

type Tables = InferKyselyDB<typeof ThingTable>

/** Without an index, and slow whatever the machine. */
const heavyThings = defineQuery('heavyThings', (query: Kysely<Tables>) =>
  query
    .selectFrom('things')
    .select('things.id')
    .where('things.weight', '=', param<string>('weight'))
    .where('things.name', '<>', sql.lit('never told'))
    .where(sql<boolean>`(select pg_sleep(0.02)) is not null`),
)

@Resolver()
class SlowResolver {
  @Query(() => Boolean, { description: 'Whether a thing weighs that much.' })
  async weighs(@Arg('weight', { description: 'How much.' }) weight: string, @Ctx() ctx: Context): Promise<boolean> {
    return (await heavyThings(ctx, { weight })).length > 0
  }
}

const slow: Slice = { name: 'slow', entities: [], resolvers: [SlowResolver], nodes: [] }
const weighs = 'query Weighs($weight: String!) { weighs(weight: $weight) }'

let house: TestApp
afterEach(() => house[Symbol.asyncDispose]())

async function start(config: Environment, rows = 1): Promise<void> {
  house = await startHouse({ SLOW_STATEMENT_MS: '10', ...config }, [slow])
  await house.sql(`insert into boxes (id, label, secret) values (gen_random_uuid(), 'a', 'b')`)
  await house.sql(
    `insert into things (id, box_id, name, size, weight)
     select gen_random_uuid(), boxes.id, n::text, n, n from boxes, generate_series(1, $1::int) as n`,
    [rows],
  )
  await house.sql('vacuum analyze things')
}

/** Has each insert of a thing take some time. */
async function slowDown(): Promise<void> {
  await house.sql(
    'create function slowly() returns trigger language plpgsql as $$ begin perform pg_sleep(0.02); return new; end $$',
  )
  await house.sql('create trigger slowly before insert on things for each row execute function slowly()')
}

const slowLines = () => house.logged.filter(({ msg }) => msg === 'slow statement')

test('a slow read is logged with who asked, and with what its plan showed when it ran once more', async () => {
  await start({ SLOW_STATEMENT_PLANS: 'analyzed' }, 30_000)
  expect((await house.query(weighs, { weight: '4711' })).data).toEqual({ weighs: true })
  await expect.poll(slowLines).toHaveLength(1)
  const [line] = slowLines()
  expect(line).toMatchObject({
    level: 'warn',
    statement: 'heavyThings',
    operation: 'Weighs',
    fields: ['Query.weighs'],
    rows: 1,
    pool: 'primary',
    failed: false,
    plan: {
      outline: expect.stringContaining('Seq Scan on things (1 rows)'),
      estimated: false,
      findings: [{ kind: 'full-scan', table: expect.stringContaining('things') }],
    },
  })
  expect(line.requestId).toBeTruthy()
  expect(line.duration).toBeGreaterThanOrEqual(10)
  expect(line.text).toContain('"things"."weight" = $1')
  expect(JSON.stringify(house.logged)).not.toMatch(/4711|never told/)
  const findings = house.logged.filter(({ finding }) => finding)
  expect(findings).toMatchObject([{ finding: { kind: 'plan', statement: 'heavyThings', field: 'Query.weighs' } }])
})

test('in production the plan is an estimate, and looked at once in ten minutes', async () => {
  await start({}, 30_000)
  for (const weight of ['1', '2', '3']) await house.query(weighs, { weight })
  await expect.poll(slowLines).toHaveLength(3)
  const plans = slowLines().map(({ plan }) => plan?.estimated)
  expect(plans.filter((estimated) => estimated === true)).toHaveLength(1)
  expect(plans.filter((estimated) => estimated === undefined)).toHaveLength(2)
})

test('nor is that of a statement with other values in it', async () => {
  await start({ SLOW_STATEMENT_MS: '1' })
  await slowDown()
  const ids = (await house.query('{ things(first: 1) { nodes { box { id } } } }')).data.things.nodes
  for (const name of ['a', 'b', 'c'])
    await house.query('mutation($input: AddThingInput!) { addThing(input: $input) { thing { name } } }', {
      input: { boxId: ids[0].box.id, name: `thing ${name}` },
    })
  const inserts = () => slowLines().filter(({ statement }) => statement === 'insert things')
  await expect.poll(inserts).toHaveLength(3)
  expect(inserts().filter(({ plan }) => plan)).toHaveLength(1)
})

test('no plan is looked at where that is off', async () => {
  await start({ SLOW_STATEMENT_PLANS: 'off' })
  await house.query(weighs, { weight: '1' })
  await expect.poll(slowLines).toHaveLength(1)
  expect(slowLines()[0]).not.toHaveProperty('plan')
})

test('a statement in a transaction is told without the values that are written into it', async () => {
  await start({ SLOW_STATEMENT_MS: '1' })
  await slowDown()
  const [box] = (await house.query('{ things(first: 1) { nodes { box { id } } } }')).data.things.nodes
  await house.query('mutation($input: AddThingInput!) { addThing(input: $input) { thing { name } } }', {
    input: { boxId: box.box.id, name: 'whisper' },
  })
  await expect.poll(() => slowLines().map(({ statement }) => statement)).toContain('insert things')
  expect(JSON.stringify(house.logged)).not.toContain('whisper')
})

test('a slow operation is logged by its name', async () => {
  await start({ SLOW_OPERATION_MS: '10', SLOW_STATEMENT_MS: '600000' })
  await house.query('query Nap { sleep(seconds: 0.05) }')
  await expect
    .poll(() => house.logged)
    .toMatchObject([{ msg: 'slow operation', name: 'Nap', type: 'query', errors: 0 }])
})
