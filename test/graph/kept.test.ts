import type { InferKyselyDB } from '@mikro-orm/postgresql'
import type { Kysely } from 'kysely'
import { Ctx, Query, Resolver } from 'type-graphql'
import { v7 } from 'uuid'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { anyOf } from '../../src/db/statement.js'
import { defineComputed } from '../../src/graph/computed.js'
import { Context } from '../../src/graph/context.js'
import { definePage } from '../../src/graph/keyset.js'
import { defineListLoader } from '../../src/graph/loader.js'
import { loadPageOf } from '../../src/graph/page.js'
import { thingsOfBox } from '../fixture/thing.data.js'
import { ThingTable } from '../fixture/thing.entity.js'
import { startHouse, type TestApp } from '../support.js'

type Tables = InferKyselyDB<typeof ThingTable>
type Ask = (ctx: Context) => unknown

const key = v7()
const loading = (name: string, ...cached: string[]): Ask => {
  const loader = defineListLoader({
    name,
    entity: ThingTable,
    key: 'boxId',
    cached,
    statement: (query: Kysely<Tables>, select) =>
      query.selectFrom('things').select(select('things')).where('things.box_id', '=', anyOf<string>('keys')),
  })
  return (ctx) => ctx.load(loader, key)
}
const paging = (name: string, ...cached: string[]): Ask => {
  const page = definePage({ ...thingsOfBox, name, cached })
  return (ctx) => loadPageOf(ctx, page, key, { first: 1 })
}
const computing = (name: string, ...tables: string[]): Ask => {
  const computed = defineComputed({ name, seconds: 60, tables }, async () => 1)
  return (ctx) => computed(ctx)
}

let ask: Ask = () => undefined
@Resolver()
class AskResolver {
  @Query(() => String, { nullable: true, description: 'Asks for something, and says nothing of it.' })
  async ask(@Ctx() ctx: Context): Promise<null> {
    await ask(ctx)
    return null
  }
}

let houses: TestApp[]
beforeAll(async () => {
  const slice = { name: 'asking', entities: [], resolvers: [AskResolver], nodes: [] }
  const start = (CACHE: string) => startHouse({ CACHE, CACHE_RESPONSES: 'off' }, [slice])
  houses = await Promise.all(['on', 'off'].map(start))
})
afterAll(async () => {
  for (const house of houses) await house[Symbol.asyncDispose]()
})

/** Why that could not be answered, with a cache and without one; undefined where it could. */
async function failures(wanted: Ask): Promise<(string | undefined)[]> {
  ask = wanted
  return Promise.all(
    houses.map(async ({ query, logged }) => {
      const { errors } = await query('{ ask }')
      return errors && logged.at(-1)?.err.message
    }),
  )
}

test.each<[string, Ask, string]>([
  ['a loader', loading('one', 'thing.id'), 'one rests on "thing.id", but no entity has the table "thing".'],
  ['a loader', loading('two', 'boxes.box_id'), 'two rests on "boxes.box_id", but the keys of boxes are id.'],
  ['a loader', loading('three', 'boxes.id.id'), 'three rests on "boxes.id.id", but the keys of boxes are id.'],
  [
    'a page',
    paging('four', 'boxes', 'things.size'),
    'four rests on "things.size", but the keys of things are id, boxId.',
  ],
  ['a computed value', computing('five', 'thing'), 'five rests on "thing", but no entity has the table "thing".'],
])('%s that rests on what no change tells of is refused', async (_what, wanted, says) => {
  for (const _ of [1, 2]) expect(await failures(wanted)).toEqual([says, says])
})

test.each([
  ['things.id', 'boxId'],
  ['boxes.id', ['boxId', 'size']],
])('a loader that would rest on %s, but is asked by %s, is refused where it is defined', (rest, by) => {
  const statement = (query: Kysely<Tables>) => query.selectFrom('things')
  const define = () => defineListLoader({ name: 'odd', entity: ThingTable, key: by, cached: [rest], statement })
  expect(define).toThrow(`odd rests on "${rest}", but is asked by ${[by].flat().join(' and ')}: name the table.`)
})

test('a computed value rests on whole tables', () => {
  expect(() => computing('keyed', 'things.boxId')).toThrow('keyed rests on whole tables')
})

test('one that rests on tables and their keys is not', async () => {
  for (const wanted of [
    loading('six', 'things.boxId', 'boxes'),
    paging('seven', 'things'),
    computing('eight', 'boxes'),
  ])
    for (const _ of [1, 2]) expect(await failures(wanted)).toEqual([undefined, undefined])
})

test('of two that are kept under one name the later one is refused', async () => {
  const says = 'Two loaders, pages or computed values have the name "nine": give one of them another.'
  expect(await failures(loading('nine', 'things'))).toEqual([undefined, undefined])
  expect(await failures(computing('nine'))).toEqual([says, says])
  expect(await failures(loading('nine', 'things'))).toEqual([says, says])
  expect(await failures(paging('nine', 'things'))).toEqual([says, says])
  expect(await failures(computing('ten'))).toEqual([undefined, undefined])
  expect(await failures(computing('ten'))).toEqual([says.replace('nine', 'ten'), says.replace('nine', 'ten')])
})
