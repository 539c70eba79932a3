import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Outbox } from '../../src/cache/outbox.js'
import { writeLog } from '../../src/core/log.js'
import { startHouse, type TestApp } from '../support.js'

let house: TestApp
beforeAll(async () => {
  house = await startHouse()
})
afterAll(() => house[Symbol.asyncDispose]())
beforeEach(() => house.sql('delete from plumbline_cache.changes'))

const open = () => new Outbox(house.app.db, writeLog({ LOG_LEVEL: 'silent' }, { write: () => {} }))
const put = (outbox: Outbox, ...tags: string[]) => house.app.db.write((tx) => outbox.put(tx, tags))
const left = async () =>
  (await house.sql<{ tags: string[] }>('select tags from plumbline_cache.changes')).flatMap(({ tags }) => tags)

test('nobody believes Redis while what another is about to tell is not told yet', async () => {
  const [one, other] = [open(), open()]
  await put(one, 'posts')
  const telling = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const first = one.sweep(0, () => {
    begun.resolve()
    return telling.promise
  })
  await begun.promise
  const told: string[] = []
  await other.sweep(0, async (tags) => void told.push(...tags))
  expect(told).toEqual(['posts'])
  telling.reject(new Error('Redis does not answer.'))
  await expect(first).rejects.toThrow('Redis does not answer.')
})

test('what could not be told stays, and what was told goes', async () => {
  const outbox = open()
  await put(outbox, 'posts')
  await put(outbox, 'posts', 'users')
  const refused = outbox.sweep(0, () => Promise.reject(new Error('Redis does not answer.')))
  await expect(refused).rejects.toThrow('Redis does not answer.')
  expect(await left()).toEqual(['posts', 'posts', 'users'])
  const told: string[][] = []
  await outbox.sweep(0, async (tags) => void told.push(tags))
  expect(told).toEqual([['posts', 'users']])
  expect(await left()).toEqual([])
})

test('who wrote has time to tell it; what is told goes with the next look', async () => {
  const outbox = open()
  const id = await put(outbox, 'posts')
  const told: string[] = []
  await outbox.sweep(60_000, async (tags) => void told.push(...tags))
  expect(told).toEqual([])
  expect(await left()).toEqual(['posts'])
  outbox.check(id)
  await outbox.sweep(60_000, async (tags) => void told.push(...tags))
  expect(told).toEqual([])
  expect(await left()).toEqual([])
})

test('what is rolled back leaves nothing', async () => {
  const outbox = open()
  const failed = house.app.db.write(async (tx) => {
    await outbox.put(tx, ['posts'])
    throw new Error('no')
  })
  await expect(failed).rejects.toThrow('no')
  expect(await left()).toEqual([])
})

test('more than one look takes is told in one sweep', async () => {
  await house.sql(
    `insert into plumbline_cache.changes (tags) select array['t' || n] from generate_series(1, 1200) as n`,
  )
  const told: string[] = []
  await Promise.all([open().sweep(0, async (tags) => void told.push(...tags)), open().sweep(0, async () => {})])
  expect(await left()).toEqual([])
  expect(new Set(told).size).toBeGreaterThan(0)
})
