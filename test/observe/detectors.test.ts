import { setTimeout as sleep } from 'node:timers/promises'
import type { InferKyselyDB } from '@mikro-orm/postgresql'
import type { Kysely } from 'kysely'
import { Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { anyOf, param } from '../../src/db/statement.js'
import { Context, type Loaded, type Loader } from '../../src/graph/context.js'
import { defineLoader } from '../../src/graph/loader.js'
import { Needs } from '../../src/graph/projection.js'
import { defineQuery } from '../../src/graph/query.js'
import type { Slice } from '../../src/graph/slice.js'
import { boxById, thingById } from '../fixture/thing.data.js'
import { Box, type BoxRow, BoxTable, Thing, type ThingRow, ThingTable } from '../fixture/thing.entity.js'
import { fillThings } from '../graph/things.js'
import { startHouse, type TestApp } from '../support.js'

type Tables = InferKyselyDB<typeof BoxTable>

const oneBox = defineQuery('oneBox', (query: Kysely<Tables>) =>
  query.selectFrom('boxes').selectAll().where('boxes.id', '=', param<string>('id')),
)

const wideBoxById = defineLoader({
  name: 'wideBoxById',
  entity: BoxTable,
  key: 'id',
  statement: (query: Kysely<Tables>, select) =>
    query
      .selectFrom('boxes')
      .select(select('boxes'))
      .select(['boxes.label', 'boxes.secret'])
      .where('boxes.id', '=', anyOf<string>('keys')),
})

/** One statement a key, where its batch should be one. */
const boxByRepeating: Loader<BoxRow | null> = {
  name: 'boxByRepeating',
  batch: (ctx, keys) => Promise.all(keys.map(async (id) => ((await oneBox(ctx, { id }))[0] as never) ?? null)),
}

@Resolver(() => Thing)
class BadResolver {
  @FieldResolver(() => Box, { description: 'A batch of one statement per key.' })
  @Needs<ThingRow>('boxId')
  boxRepeated(@Root() thing: ThingRow, @Ctx() ctx: Context): Loaded<BoxRow | null> {
    return ctx.load(boxByRepeating, thing.boxId)
  }

  @FieldResolver(() => Box, { description: 'What is asked depends on what was asked before.' })
  @Needs<ThingRow>('id')
  async boxThroughThing(@Root() thing: ThingRow, @Ctx() ctx: Context): Promise<BoxRow | null> {
    const same = await ctx.load(thingById, thing.id)
    return same && ctx.load(boxById, same.boxId)
  }

  @Mutation(() => Boolean, { description: 'Finds entities one by one.' })
  async findAlone(@Ctx() ctx: Context): Promise<boolean> {
    await ctx.write(async (tx) => {
      for (let size = 0; size < 12; size++) await tx.em.findOne(ThingTable, { size })
    })
    return true
  }

  @FieldResolver(() => Box, { description: 'One statement per thing.' })
  @Needs<ThingRow>('boxId')
  async boxAlone(@Root() thing: ThingRow, @Ctx() ctx: Context) {
    return (await oneBox(ctx, { id: thing.boxId }))[0]
  }

  @FieldResolver(() => Box, { description: 'Every third thing asks after an await.' })
  @Needs<ThingRow>('boxId', 'size')
  async boxLate(@Root() thing: ThingRow, @Ctx() ctx: Context): Promise<BoxRow | null> {
    if (thing.size % 3 === 0) await sleep(thing.size)
    return ctx.load(boxById, thing.boxId)
  }

  @FieldResolver(() => Box, { description: 'Everybody asks after the same await.' })
  @Needs<ThingRow>('boxId')
  async boxTogether(@Root() thing: ThingRow, @Ctx() ctx: Context): Promise<BoxRow | null> {
    await Promise.resolve()
    return ctx.load(boxById, thing.boxId)
  }

  @FieldResolver(() => Box, { description: 'Reads columns that nobody asked for.' })
  @Needs<ThingRow>('boxId')
  boxWide(@Root() thing: ThingRow, @Ctx() ctx: Context): Loaded<BoxRow | null> {
    return ctx.load(wideBoxById, thing.boxId)
  }
}

const bad: Slice = { name: 'bad', entities: [], resolvers: [BadResolver], nodes: [] }

let house: TestApp
beforeAll(async () => {
  house = await startHouse({ DETECTORS_RATIO: '1' }, [bad])
  const values = Array.from({ length: 20 }, (_, index) => ({ box: index, size: index, weight: '1', seenAt: null }))
  await fillThings(house, values, 20)
})
afterAll(() => house[Symbol.asyncDispose]())

const messages = async (document: string) => (await house.query(document)).findings.map(({ message }) => message)

test('a statement that runs once per row is named, with the field that asks', async () => {
  const { findings } = await house.query('{ all: things(first: 20) { nodes { boxAlone { label } } } }')
  expect(findings).toMatchObject([{ kind: 'repeated-statement', statement: 'oneBox', field: 'Thing.boxAlone' }])
  expect(findings[0]?.message).toMatch(
    /^N\+1: the statement oneBox ran 20 times \(\d+ ms\) for Thing\.boxAlone \(at all\.nodes\.boxAlone\)\. State it once/,
  )
})

test('one that a batch runs once per key is named, with its loader', async () => {
  const { findings } = await house.query('{ things(first: 20) { nodes { boxRepeated { label } } } }')
  expect(findings).toMatchObject([{ kind: 'repeated-statement', statement: 'oneBox' }])
  expect(findings[0]?.message).toMatch(/ran 20 times \(\d+ ms\) in one batch of the loader boxByRepeating\. State/)
})

test('one that a transaction runs in a loop is named, whatever values are written into it', async () => {
  const { findings } = await house.query('mutation { findAlone }')
  expect(findings).toMatchObject([
    { kind: 'repeated-statement', statement: 'select things', field: 'Mutation.findAlone' },
  ])
})

test('what a client asks by many aliases is none', async () => {
  const aliases = Array.from({ length: 12 }, (_, n) => `a${n}: things(first: ${n + 1}) { nodes { name } }`)
  expect(await messages(`{ ${aliases.join(' ')} }`)).toEqual([])
})

test('ten runs of a statement may be meant', async () => {
  expect(await messages('{ things(first: 10) { nodes { boxAlone { label } } } }')).toEqual([])
})

test('a batch that an await split is named, with the field that awaited', async () => {
  const { findings } = await house.query(
    'query { things(first: 10, orderBy: { field: SIZE, direction: ASC }) { nodes { ...Late } } } fragment Late on Thing { boxLate { label } }',
  )
  expect(findings).toMatchObject([{ kind: 'split-batch', statement: 'boxById', field: 'Thing.boxLate' }])
  expect(findings[0]?.message).toMatch(
    /^Split batch: the loader boxById was dispatched \d times at depth 1 \(6( \+ \d)+ keys\), \d round trips more than needed\. After an await it was asked by Thing\.boxLate \(at \.\.\.Late\.boxLate\)/,
  )
})

test('a batch that everybody asks after the same await is whole', async () => {
  expect(await messages('{ things(first: 10) { nodes { boxTogether { label } } } }')).toEqual([])
})

test('a loader that is asked at two depths is not split', async () => {
  expect(
    await messages('{ things(first: 10) { nodes { box { allThings { box { label } } boxLabel: label } } } }'),
  ).toEqual([])
})

test('nor is one that is asked after rows it depends on', async () => {
  expect(await messages('{ things(first: 10) { nodes { box { label } boxThroughThing { label } } } }')).toEqual([])
})

test('whole rows, which a loader reads beyond eight selections, are none', async () => {
  for (const fields of subsets(['name', 'size', 'weight', 'seenAt']))
    expect(await messages(`{ things(first: 2) { nodes { ${fields} } } }`)).toEqual([])
})

test('columns that no field asked for are named', async () => {
  const { findings } = await house.query('{ things(first: 2) { nodes { boxWide { id } } } }')
  expect(findings.map(({ message }) => message)).toEqual([
    'Over-fetch: the statement wideBoxById reads Box.label, Box.secret, which no field of the operation asked for. ' +
      'Select by the `select` that the statement is given.',
  ])
})

test('keys, and columns that another field of the operation asked for, are none', async () => {
  expect(
    await messages('{ things(first: 2) { edges { cursor node { name box { label } boxTogether { id } } } } }'),
  ).toEqual([])
})

function subsets(names: readonly string[]): string[] {
  const some = names.reduce<string[]>((sets, name) => sets.concat(sets.map((set) => `${set} ${name}`)), [''])
  return some.slice(1)
}
