import { setTimeout as sleep } from 'node:timers/promises'
import { Ctx, Int, Query, Resolver } from 'type-graphql'
import { v7 } from 'uuid'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { defineComputed } from '../../src/graph/computed.js'
import { Context } from '../../src/graph/context.js'
import { encodeId } from '../../src/graph/node.js'
import { loadPage } from '../../src/graph/page.js'
import type { Slice } from '../../src/graph/slice.js'
import { boxById, things } from '../fixture/thing.data.js'
import { testWith } from '../needs.js'
import { ownRedis, startRedis } from '../redis/server.js'
import { startHouse, type TestApp } from '../support.js'

const boxId = v7()
const admin = { id: v7(), role: 'ADMIN' } as const
let computations = 0

async function countThings(ctx: Context): Promise<number> {
  computations++
  return (await loadPage(ctx, things, { first: 100 })).rows.length
}

const counted = defineComputed({ name: 'counted', seconds: 300 }, countThings)
const brief = defineComputed({ name: 'brief', seconds: 1 }, countThings)
const stale = defineComputed({ name: 'stale', seconds: 1, staleSeconds: 300 }, countThings)
const told = defineComputed({ name: 'told', seconds: 300, tables: ['things'] }, countThings)
const twice = defineComputed({ name: 'twice', seconds: 300 }, async (_ctx, key) => `${key}${key}`)
const whole = defineComputed({ name: 'whole', seconds: 300 }, async (ctx) =>
  Object.keys((await ctx.load(boxById, boxId)) ?? {}),
)
const curious = defineComputed({ name: 'curious', seconds: 300 }, async (ctx) => ctx.viewer?.id ?? 'nobody')

@Resolver()
class FigureResolver {
  @Query(() => Int, { description: 'Kept for long.' })
  counted(@Ctx() ctx: Context) {
    return counted(ctx)
  }

  @Query(() => Int, { description: 'Kept for a second.' })
  brief(@Ctx() ctx: Context) {
    return brief(ctx)
  }

  @Query(() => Int, { description: 'As good as new for a second, and shown for long.' })
  stale(@Ctx() ctx: Context) {
    return stale(ctx)
  }

  @Query(() => Int, { description: 'Kept until things change.' })
  told(@Ctx() ctx: Context) {
    return told(ctx)
  }

  @Query(() => [String], { description: 'By key.' })
  keyed(@Ctx() ctx: Context) {
    return Promise.all([twice(ctx, 'a'), twice(ctx, 'b'), twice(ctx)])
  }

  @Query(() => [String], { description: 'The columns of a row.' })
  whole(@Ctx() ctx: Context) {
    return whole(ctx)
  }

  @Query(() => String, { description: 'Wants to know who asks.' })
  curious(@Ctx() ctx: Context) {
    return curious(ctx)
  }
}

const figures: Slice = { name: 'figures', entities: [], resolvers: [FigureResolver], nodes: [] }

let house: TestApp
beforeAll(async () => {
  house = await startHouse({ CACHE: 'on', CACHE_RESPONSES: 'off' }, [figures])
  await house.sql(`insert into boxes (id, label, secret) values ($1, 'L', 'S')`, [boxId])
})
afterAll(() => house[Symbol.asyncDispose]())

/** A thing more that the house is not told of. */
const sneak = () =>
  house.sql('insert into things (id, box_id, name, size, weight) values ($1, $2, $3, 1, 1)', [v7(), boxId, v7()])
const ask = async (figure: string, options = {}) => (await house.query(`{ ${figure} }`, {}, options)).data[figure]

test('a value is computed once for all who ask, whoever they are', async () => {
  const before = computations
  const found = await Promise.all([ask('counted'), ask('counted'), ask('counted', { as: admin })])
  expect(new Set(found).size).toBe(1)
  await sneak()
  expect(await ask('counted')).toBe(found[0])
  expect(await ask('counted', { as: admin })).toBe(found[0])
  expect(computations - before).toBe(1)
})

test('each key has its own', async () => {
  expect(await ask('keyed')).toEqual(['aa', 'bb', ''])
})

test('it is as old as was said, and no older', async () => {
  const first = await ask('brief')
  await sneak()
  expect(await ask('brief')).toBe(first)
  await sleep(1_050)
  expect(await ask('brief')).toBe(first + 1)
})

test('what is stale is shown while it is computed anew, for which nobody waits', async () => {
  const first = await ask('stale')
  await sneak()
  await sleep(1_050)
  expect(await ask('stale')).toBe(first)
  await expect.poll(() => ask('stale')).toBe(first + 1)
})

test('it does not outlive a change of the tables that it names', async () => {
  const first = await ask('told')
  await sneak()
  expect(await ask('told')).toBe(first)
  const add = 'mutation ($input: AddThingInput!) { addThing(input: $input) { thing { id } errors { code } } }'
  const { data } = await house.query(add, { input: { boxId: encodeId('Box', boxId), name: 'told' } }, { as: admin })
  expect(data.addThing.errors).toEqual([])
  expect(await ask('told')).toBe(first + 2)
})

test('whoever wrote is answered with what is newer than that', async () => {
  const first = await ask('counted')
  const add = 'mutation ($input: AddThingInput!) { addThing(input: $input) { thing { id } } }'
  const { extensions } = await house.query(add, { input: { boxId: encodeId('Box', boxId), name: 'mine' } })
  const headers = { 'x-consistency-token': extensions.consistencyToken }
  expect(await ask('counted', { headers })).toBeGreaterThan(first)
})

test('rows are whole, but for what the API does not show', async () => {
  expect(await ask('whole')).toEqual(['id', 'label'])
})

test.each(['on', 'off'])('a viewer cannot be seen, with the cache %s', async (CACHE) => {
  await using other = await startHouse({ CACHE, CACHE_RESPONSES: 'off' }, [figures])
  for (const options of [{}, { as: admin }]) {
    const { data, errors } = await other.query('{ curious }', {}, options)
    expect(data).toBeNull()
    expect(errors?.[0].extensions.code).toBe('INTERNAL')
  }
  expect(other.logged.map(({ err }) => err?.message)).toContain(
    '"curious" is the same for everybody: it cannot depend on who asks.',
  )
})

test('without a cache it is computed each time', async () => {
  await using other = await startHouse({ CACHE: 'off' }, [figures])
  const before = computations
  for (const _ of [1, 2]) expect((await other.query('{ counted }')).data.counted).toBe(0)
  expect(computations - before).toBe(2)
})

testWith(ownRedis)('processes compute it once for all of them', async () => {
  await using redis = await startRedis()
  // On a busy machine a slow answer is no lost one.
  const config = { CACHE: 'on', CACHE_RESPONSES: 'off', REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '2000' }
  await using one = await startHouse(config, [figures])
  await using other = await startHouse({ ...config, DATABASE_URL: one.url }, [figures])
  for (const { app } of [one, other]) await expect.poll(() => app.cache?.isShared).toBe(true)
  const before = computations
  const found = await Promise.all([one, other, one].map((api) => api.query('{ counted }')))
  expect(found.map(({ data }) => data.counted)).toEqual([0, 0, 0])
  expect((await other.query('{ counted }')).data.counted).toBe(0)
  expect(computations - before).toBe(1)
})
