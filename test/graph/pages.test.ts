import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeId } from '../../src/graph/node.js'
import { startHouse, type TestApp } from '../support.js'
import { anyThing, expectedIds, fillThings, insertThings, type Listing, orderings } from './things.js'

let house: TestApp
beforeAll(async () => {
  house = await startHouse()
})
afterAll(() => house[Symbol.asyncDispose]())

interface Arguments {
  first?: number
  after?: string
  last?: number
  before?: string
  orderBy?: { field: string; direction: string }
  filter?: Record<string, unknown>
}

interface Connection {
  edges: { cursor: string; node: { id: string } }[]
  nodes: { id: string }[]
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null }
  totalCount: { count: number; precision: string }
}

const answered = `{
  edges { cursor node { id } } nodes { id } totalCount { count precision }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
}`
const parameters = '$first: Int, $after: String, $last: Int, $before: String, $orderBy: ThingOrder'
const given = 'first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy'
const thingsQuery = `query(${parameters}, $filter: ThingFilter) { things(${given}, filter: $filter) ${answered} }`
const boxQuery = `query($box: ID!, ${parameters}) { box(id: $box) { things(${given}) ${answered} } }`

type Fetch = (args: Arguments) => Promise<Connection>

const allThings: Fetch = async (args) => {
  const { data, errors } = await house.query(thingsQuery, { ...args })
  expect(errors).toBeUndefined()
  return data.things
}
const thingsOf =
  (box: string): Fetch =>
  async (args) => {
    const { data, errors } = await house.query(boxQuery, { ...args, box: encodeId('Box', box) })
    expect(errors).toBeUndefined()
    return data.box.things
  }

/** Follows the cursors to the end, forwards or backwards; answers the ids in the connection's own order. */
async function walk(fetch: Fetch, size: number, way: 'forwards' | 'backwards', args: Arguments, total: number) {
  const seen: string[] = []
  let cursor: string | null | undefined
  for (let rest = total; ; rest -= size) {
    const page: Connection = await fetch(
      way === 'forwards'
        ? { ...args, first: size, ...(cursor && { after: cursor }) }
        : { ...args, last: size, ...(cursor && { before: cursor }) },
    )
    const ids = page.edges.map(({ node }) => node.id)
    expect(page.nodes.map(({ id }) => id)).toEqual(ids)
    expect(page.edges).toHaveLength(Math.max(0, Math.min(size, rest)))
    expect(page.totalCount).toEqual({ count: total, precision: 'EXACT' })
    expect(page.pageInfo).toEqual({
      hasNextPage: way === 'forwards' ? rest > size : cursor !== undefined,
      hasPreviousPage: way === 'forwards' ? cursor !== undefined : rest > size,
      startCursor: page.edges[0]?.cursor ?? null,
      endCursor: page.edges.at(-1)?.cursor ?? null,
    })
    if (way === 'forwards') seen.push(...ids)
    else seen.unshift(...ids)
    if (rest <= size) return seen
    cursor = way === 'forwards' ? page.pageInfo.endCursor : page.pageInfo.startCursor
  }
}

async function walkBoth(fetch: Fetch, size: number, listing: Listing, filter: Arguments['filter'] = undefined) {
  const { field, direction } = listing
  const args = { orderBy: { field, direction }, ...(filter && { filter }) }
  const expected = await expectedIds(house, listing)
  for (const way of ['forwards', 'backwards'] as const)
    expect(await walk(fetch, size, way, args, expected.length), `${way} ${field} ${direction}`).toEqual(expected)
}

describe('walking a connection sees each row once, in the order of the database', () => {
  test('in pages of every size', async () => {
    const values = fc.sample(anyThing, { numRuns: 11, seed: 11 })
    await fillThings(house, values)
    for (const ordering of orderings)
      for (let size = 1; size <= values.length + 1; size++)
        await walkBoth(allThings, size, { ...ordering, where: 'true' })
  })

  const filters = [
    { filter: undefined, where: 'true' },
    { filter: { least: 0 }, where: 'size >= 0' },
    { filter: { most: 0 }, where: 'size <= 0' },
    { filter: { least: -1, most: 7 }, where: 'size between -1 and 7' },
    { filter: { name: 'nobody' }, where: `name = 'nobody'` },
  ]

  test('over any data, under any filter', async () => {
    const any = fc.record({
      values: fc.array(anyThing, { maxLength: 40 }),
      size: fc.integer({ min: 1, max: 20 }),
      chosen: fc.constantFrom(...filters),
    })
    const property = fc.asyncProperty(any, async ({ values, size, chosen }) => {
      await fillThings(house, values)
      for (const ordering of orderings)
        await walkBoth(allThings, size, { ...ordering, where: chosen.where }, chosen.filter)
    })
    await fc.assert(property, { numRuns: 40, endOnFailure: true })
  })

  test('under each parent', async () => {
    const any = fc.record({ values: fc.array(anyThing, { maxLength: 25 }), size: fc.integer({ min: 1, max: 9 }) })
    const property = fc.asyncProperty(any, async ({ values, size }) => {
      const boxes = await fillThings(house, values)
      for (const ordering of orderings)
        for (const box of boxes) await walkBoth(thingsOf(box), size, { ...ordering, where: `box_id = '${box}'` })
    })
    await fc.assert(property, { numRuns: 15, endOnFailure: true })
  })
})

test('between two cursors lies what the order puts there, from whichever end', async () => {
  await fillThings(house, fc.sample(anyThing, { numRuns: 25, seed: 3 }))
  for (const orderBy of orderings) {
    const { edges } = await allThings({ orderBy, first: 100 })
    const expected = edges.map(({ cursor }) => cursor)
    const at = fc.integer({ min: 0, max: expected.length - 1 })
    const any = fc.record({ after: at, before: at, size: fc.integer({ min: 0, max: 30 }), backward: fc.boolean() })
    const property = fc.asyncProperty(any, async ({ after, before, size, backward }) => {
      const between = expected.slice(after + 1, Math.max(before, after + 1))
      const page = await allThings({
        orderBy,
        after: expected[after] as string,
        before: expected[before] as string,
        ...(backward ? { last: size } : { first: size }),
      })
      const wanted = backward ? between.slice(Math.max(0, between.length - size)) : between.slice(0, size)
      expect(page.edges.map(({ cursor }) => cursor)).toEqual(wanted)
      const more = between.length > size
      expect(page.pageInfo).toMatchObject(
        backward ? { hasPreviousPage: more, hasNextPage: true } : { hasPreviousPage: true, hasNextPage: more },
      )
    })
    await fc.assert(property, { numRuns: 12 })
  }
})

test('a page is empty, and says what surrounds it, for `first: 0` and `last: 0`', async () => {
  await fillThings(house, fc.sample(anyThing, 3))
  const empty = { startCursor: null, endCursor: null }
  expect(await allThings({ first: 0 })).toMatchObject({
    edges: [],
    pageInfo: { ...empty, hasNextPage: true, hasPreviousPage: false },
    totalCount: { count: 3, precision: 'EXACT' },
  })
  expect((await allThings({ last: 0 })).pageInfo).toEqual({ ...empty, hasNextPage: false, hasPreviousPage: true })
  await fillThings(house, [])
  expect((await allThings({ first: 0 })).pageInfo).toEqual({ ...empty, hasNextPage: false, hasPreviousPage: false })
})

test('without a size a page has 20, at most 100', async () => {
  await fillThings(house, fc.sample(anyThing, 120))
  expect((await allThings({})).edges).toHaveLength(20)
  expect((await allThings({ last: 100 })).edges).toHaveLength(100)
  for (const args of [{ first: 101 }, { last: 101 }, { first: -1 }, { last: -1 }, { first: 1, last: 1 }]) {
    const { errors } = await house.query(thingsQuery, args)
    expect(errors?.map((error) => error.extensions.code)).toEqual(['BAD_USER_INPUT'])
  }
})

test('a cursor stays good while rows come and go around it', async () => {
  for (const orderBy of orderings) {
    const boxes = await fillThings(house, fc.sample(anyThing, { numRuns: 30, seed: 5 }))
    const start = await allThings({ orderBy, first: 10 })
    const after = start.pageInfo.endCursor as string
    const rest = (await allThings({ orderBy, first: 100, after })).edges.map(({ node }) => node.id)
    await insertThings(house, boxes, fc.sample(anyThing, { numRuns: 30, seed: 6 }))
    const later = (await allThings({ orderBy, first: 100, after })).edges.map(({ node }) => node.id)
    const known = new Set(rest)
    expect(later.filter((id) => known.has(id))).toEqual(rest)
    const whole = await expectedIds(house, { ...orderBy, where: 'true' } as Listing)
    expect(later).toEqual(whole.slice(whole.length - later.length))

    await house.sql('delete from things where id = $1', [
      Buffer.from(start.edges[9]?.node.id as string, 'base64url')
        .toString()
        .slice(6),
    ])
    expect((await allThings({ orderBy, first: 100, after })).edges.map(({ node }) => node.id)).toEqual(later)
  }
})

test('the pages of many parents are those that each would have alone', async () => {
  const boxes = await fillThings(house, fc.sample(anyThing, { numRuns: 60, seed: 8 }), 5)
  const ids = boxes.map((box) => encodeId('Box', box))
  for (const orderBy of orderings) {
    for (const size of [{ first: 7 }, { last: 7 }]) {
      const document = `query($ids: [ID!]!, ${parameters}) {
        nodes(ids: $ids) { ... on Box { things(${given}) ${answered} } }
      }`
      const { data, statements } = await house.query(document, { ids, orderBy, ...size })
      expect(statements.map(({ statement }) => statement)).toEqual(['boxById', 'thingsOfBox', 'thingsOfBoxCount'])
      for (const [index, box] of boxes.entries())
        expect(data.nodes[index].things).toEqual(await thingsOf(box)({ orderBy, ...size }))
    }
  }
})

test('a count is exact up to 10,000 and a lower bound above, for all and for a parent', async () => {
  const [box] = (await fillThings(house, [])) as [string]
  const insert = (rows: number) =>
    house.sql(
      `insert into things (id, box_id, name, size, weight)
       select gen_random_uuid(), $1, gen_random_uuid(), 0, 0 from generate_series(1, $2)`,
      [box, rows],
    )
  await insert(10_000)
  for (const fetch of [allThings, thingsOf(box)])
    expect((await fetch({ first: 1 })).totalCount).toEqual({ count: 10_000, precision: 'EXACT' })
  await insert(1)
  for (const fetch of [allThings, thingsOf(box)])
    expect((await fetch({ first: 1 })).totalCount).toEqual({ count: 10_000, precision: 'AT_LEAST' })
  const { statements } = await house.query('{ things { nodes { id } } }')
  expect(statements.map(({ statement }) => statement)).toEqual(['things'])
})
