import type { InferKyselyDB } from '@mikro-orm/postgresql'
import { type Kysely, sql } from 'kysely'
import request from 'supertest'
import { Arg, Ctx, ID, Int, Mutation, Query, Resolver } from 'type-graphql'
import { v7 } from 'uuid'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fact } from '../../src/core/events.js'
import { anyOf, param, type Values } from '../../src/db/statement.js'
import { Context } from '../../src/graph/context.js'
import { definePage } from '../../src/graph/keyset.js'
import { defineLoader } from '../../src/graph/loader.js'
import { decodeId, encodeId } from '../../src/graph/node.js'
import { loadPageOf } from '../../src/graph/page.js'
import { defineWarmer } from '../../src/graph/warmer.js'
import type { PageArguments } from '../../src/graph/window.js'
import { thingById } from '../fixture/thing.data.js'
import { BoxTable, Thing, ThingTable } from '../fixture/thing.entity.js'
import { fillThings } from '../graph/things.js'
import { startHouse, type TestApp } from '../support.js'

type Tables = InferKyselyDB<typeof ThingTable>
const anna = { id: '01900000-0000-7000-8000-00000000000a', role: 'USER' } as const

/** Its text does not say that it reads boxes, and has a time: only `cached` says what it rests on. */
const labelledThing = defineLoader({
  name: 'labelledThing',
  entity: ThingTable,
  key: 'id',
  cached: ['things.id', 'boxes'],
  statement: (query: Kysely<Tables>, select) =>
    query
      .selectFrom('things')
      .select(select('things'))
      .select(sql<string>`label_of(things.box_id)`.as('label'))
      .where('things.id', '=', anyOf<string>('keys'))
      .where(sql<boolean>`now() > '2000-01-01'`),
})

const sized = definePage({
  name: 'sizedThings',
  entity: ThingTable,
  alias: 'things',
  from: (query: Kysely<Tables>, { parent, has }) => {
    const rows = query.selectFrom('things').where('things.box_id', '=', parent)
    if (has('least')) return rows.where('things.size', '>=', param<number>('least'))
    return has('most') ? rows.where('things.size', '<=', param<number>('most')) : rows
  },
  orders: {
    SIZE: [
      ['things.size', 'int'],
      ['things.id', 'uuid'],
    ],
  },
  defaultOrder: ['SIZE', 'ASC'],
})

let house: TestApp
/** The same without whole answers. */
let bare: TestApp
let box: string
let ids: string[]

@Resolver()
class RareResolver {
  @Query(() => Thing, { nullable: true, description: 'A thing; a large one is for administrators.' })
  async smallThing(@Arg('id', () => ID, { description: 'Which.' }) id: string, @Ctx() ctx: Context) {
    const thing = await ctx.load(thingById, decodeId('Thing', id))
    return thing && thing.size > 10 && ctx.viewer?.role !== 'ADMIN' ? null : thing
  }

  @Query(() => String, { nullable: true, description: 'What its box is called.' })
  async label(@Arg('id', () => ID, { description: 'Which.' }) id: string, @Ctx() ctx: Context): Promise<unknown> {
    const thing = await ctx.load(labelledThing, decodeId('Thing', id))
    return (thing as { label?: string } | null)?.label
  }

  @Query(() => [Int], { description: 'How many things pages have that are asked for in one operation.' })
  async counts(@Arg('box', () => ID, { description: 'Which.' }) box: string, @Ctx() ctx: Context) {
    const count = async (args: PageArguments, filter: Values) =>
      (await loadPageOf(ctx, sized, decodeId('Box', box), args, filter)).rows.length
    const changing: { least: number } = { least: 10 }
    const asked: [PageArguments, Values][] = [
      [{}, { most: undefined }],
      [{}, { least: 10 }],
      [{ first: undefined } as unknown as PageArguments, {}],
      [{ last: 1 }, {}],
      [{}, changing],
    ]
    const counts: number[] = []
    for (const [args, filter] of asked) counts.push(await count(args, filter))
    changing.least = 0
    return [...counts, await count({}, changing)]
  }

  @Mutation(() => String, { nullable: true, description: 'Calls a box otherwise.' })
  async relabel(
    @Arg('box', () => ID, { description: 'Which.' }) box: string,
    @Arg('label', { description: 'What.' }) label: string,
    @Ctx() ctx: Context,
  ): Promise<string> {
    await ctx.write(async (tx) => {
      const row = await tx.em.findOne(BoxTable, decodeId('Box', box))
      if (row) row.label = label
    })
    return label
  }
}

beforeAll(async () => {
  const rare = { name: 'rare', entities: [], resolvers: [RareResolver], nodes: [] }
  house = await startHouse({ CACHE: 'on' }, [rare])
  bare = await startHouse({ CACHE: 'on', CACHE_RESPONSES: 'off', DATABASE_URL: house.url }, [rare])
  const things = [1, 11, 12].map((size) => ({ box: 0, size, weight: '1', seenAt: null }))
  const [boxId = ''] = await fillThings(house, things)
  box = encodeId('Box', boxId)
  const rows = await house.sql<{ id: string }>('select id from things where box_id = $1 order by size', [boxId])
  ids = rows.map(({ id }) => encodeId('Thing', id))
  await house.sql(
    `create function label_of(uuid) returns text language sql stable as 'select label from boxes where id = $1'`,
  )
})
afterAll(async () => {
  await bare[Symbol.asyncDispose]()
  await house[Symbol.asyncDispose]()
})

/** Asks for many rows that nobody asks for again. */
function scan({ app }: TestApp): void {
  for (const name of ['thingById', 'labelledThing']) {
    const admits = () => app.cache?.values.demandOf({ name, rests: [] }).admits([v7()])
    for (let asking = 0; asking < 256; asking++) admits()
    expect(admits()).toBeUndefined()
  }
}

describe('where rows seldom are asked for again', () => {
  beforeEach(() => {
    scan(house)
    scan(bare)
  })

  test('a resolver is given the whole row all the same', async () => {
    const query = 'query ($id: ID!) { smallThing(id: $id) { id } }'
    for (const asked of [house, bare]) {
      for (const id of [ids[1], ids[2]])
        expect((await asked.query(query, { id }, { as: anna })).data.smallThing).toBeNull()
      expect((await asked.query(query, { id: ids[0] }, { as: anna })).data.smallThing).toEqual({ id: ids[0] })
    }
  })

  test('an answer that is kept rests on what their loader says', async () => {
    const query = 'query ($id: ID!) { label(id: $id) }'
    for (const label of ['one', 'two']) {
      await house.query('mutation ($box: ID!, $label: String!) { relabel(box: $box, label: $label) }', { box, label })
      const answers = [await house.query(query, { id: ids[0] }), await house.query(query, { id: ids[0] })]
      for (const { data } of answers) expect(data).toEqual({ label })
      expect(answers[1]?.statements).toEqual([])
    }
  })

  test('others may keep it by its head', async () => {
    const search = new URLSearchParams({ query: `{ label(id: "${ids[1]}") }` })
    const call = request(house.app.http).get(`/graphql?${search}`).set('apollo-require-preflight', 'true')
    expect((await call).headers.etag).toBeDefined()
  })
})

test('what a warmer loads is kept, though rows seldom are asked for again', async () => {
  scan(house)
  let kept = 0
  const stop = fact('cache.filled').listen(({ cache, entries }) => {
    if (cache === 'thingById') kept += entries
  })
  const warmer = defineWarmer({
    name: 'some things',
    async run(ctx) {
      for (let count = 0; count < 20; count++) await ctx.load(thingById, v7())
    },
  })
  await house.app.warm(warmer, () => {})
  stop()
  expect(kept).toBe(20)
})

test('pages of one operation that are asked for otherwise are others', async () => {
  const { data, errors } = await house.query('query ($box: ID!) { counts(box: $box) }', { box })
  expect([errors, data?.counts]).toEqual([undefined, [3, 2, 3, 1, 2, 3]])
})
