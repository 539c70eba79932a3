import { type Kysely, sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bounds, type Select, type Selection, Statements } from '../../src/db/statement.js'
import { startHouse, type TestApp } from '../support.js'

let house: TestApp
beforeAll(async () => {
  house = await startHouse()
})
afterAll(() => house[Symbol.asyncDispose]())

const statements = (naming = true) =>
  new Statements(house.app.db.orm.em.fork().getKysely() as unknown as Kysely<never>, naming, [])
const selection = (key: string): Selection => ({ key, columns: [{ property: key, name: key }] })
const whole = selection('whole')

const definition = {}
const listing = (variant: string) => (query: Kysely<never>, select: Select) =>
  query.selectNoFrom([...select('t'), sql.lit(variant).as('variant')] as never)

/** Gets a statement of `get`'s arguments so many times; answers the last. */
function use(of: Statements, times: number, family: string, variant: string, chosen = whole) {
  let statement: ReturnType<Statements['get']> | undefined
  for (let time = 0; time < times; time++)
    statement = of.get({ name: family, definition, variant, build: listing(variant) }, chosen, whole)
  return statement as ReturnType<Statements['get']>
}

test('a statement is compiled once and named when it is used a third time', () => {
  const of = statements()
  const first = use(of, 1, 'things', 'a')
  expect(first.prepared).toBeUndefined()
  expect(use(of, 1, 'things', 'a')).toBe(first)
  const third = use(of, 1, 'things', 'a')
  expect(third.prepared).toMatch(/^things_[0-9a-f]{16}$/)
  expect(third.text).toBe(first.text)
  expect(use(of, 1, 'things', 'a')).toBe(third)
  expect(use(statements(false), 9, 'things', 'a').prepared).toBeUndefined()
})

test('what is asked once takes no name from what is asked often', () => {
  const of = statements()
  for (let once = 0; once < 10_000; once++) use(of, 1, 'things', `once ${once}`)
  expect(use(of, 3, 'things', 'often').prepared).toBeDefined()
})

test('names are bounded for each family and for all', () => {
  const of = statements()
  const names = new Set<string | undefined>()
  for (let family = 0; family < 20; family++) {
    const named = Array.from({ length: 100 }, (_, variant) => use(of, 3, `family${family}`, `${variant}`).prepared)
    expect(named.filter(Boolean).length).toBeLessThanOrEqual(bounds.namesPerFamily)
    for (const name of named) if (name) names.add(name)
  }
  expect(names.size).toBe(bounds.names)
})

test('texts without a name are bounded, the longest unused forgotten first', () => {
  const of = statements(false)
  const kept = use(of, 1, 'things', 'kept')
  const forgotten = use(of, 1, 'things', 'forgotten')
  for (let other = 0; other < bounds.unnamedPerFamily - 1; other++) {
    use(of, 1, 'things', `other ${other}`)
    expect(use(of, 1, 'things', 'kept')).toBe(kept)
  }
  const again = use(of, 1, 'things', 'forgotten')
  expect(again).not.toBe(forgotten)
  expect(again.text).toBe(forgotten.text)
})

test('beyond eight selections of a family the whole row is selected', () => {
  const of = statements()
  for (let index = 0; index < bounds.projections; index++)
    expect(use(of, 1, 'things', 'a', selection(`c${index}`)).text).toContain(`"c${index}"`)
  expect(use(of, 1, 'things', 'a', selection('late')).text).toBe(use(of, 1, 'things', 'a').text)
  expect(use(of, 1, 'things', 'a', selection('c0')).text).toContain('"c0"')
  expect(use(of, 1, 'boxes', 'a', selection('late')).text).toContain('"late"')
})

test('a name that another definition has is refused: one would be answered with the rows of the other', () => {
  const of = statements()
  use(of, 1, 'things', 'a')
  for (const variant of ['a', 'b'])
    expect(() => of.get({ name: 'things', definition: {}, variant, build: listing(variant) }, whole, whole)).toThrow(
      'Two statements have the name "things"',
    )
  expect(use(of, 1, 'things', 'b').text).toContain("'b'")
})
