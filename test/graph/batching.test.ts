import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Facts, fact } from '../../src/core/events.js'
import { encodeId } from '../../src/graph/node.js'
import { startHouse, type TestApp } from '../support.js'
import { fillThings } from './things.js'

let house: TestApp
let boxes: string[]
beforeAll(async () => {
  house = await startHouse()
  const values = Array.from({ length: 120 }, (_, index) => ({
    box: index % 40,
    size: index % 5,
    weight: '1',
    seenAt: null,
  }))
  boxes = (await fillThings(house, values, 41)).map((box) => encodeId('Box', box))
})
afterAll(() => house[Symbol.asyncDispose]())

const named = (statements: readonly { statement: string }[]) => statements.map(({ statement }) => statement)

test('the number of statements does not grow with the number of rows', async () => {
  const nested = `query($ids: [ID!]!) {
    nodes(ids: $ids) {
      ... on Box {
        label
        allThings { name box { label allThings { size } } }
        things(first: 2) { totalCount { count } nodes { name box { label things(last: 1) { nodes { weight } } } } }
      }
    }
  }`
  const few = await house.query(nested, { ids: boxes.slice(0, 10) })
  const many = await house.query(nested, { ids: boxes.slice(0, 40) })
  expect([few.errors, many.errors]).toEqual([undefined, undefined])
  expect(many.data.nodes).toHaveLength(40)
  expect(named(many.statements).sort()).toEqual(named(few.statements).sort())
  expect(named(many.statements).sort()).toEqual([
    'allThingsOfBox',
    'boxById',
    'thingsOfBox',
    'thingsOfBox',
    'thingsOfBoxCount',
  ])

  const list = 'query($first: Int!) { things(first: $first) { edges { cursor node { name box { label } } } } }'
  for (const first of [10, 40])
    expect(named((await house.query(list, { first })).statements)).toEqual(['things', 'boxById'])
})

test('every key is fetched once, with all others of its loader', async () => {
  const batches: Facts['batch.loaded'][] = []
  const stop = fact('batch.loaded').listen((batch) => batches.push(batch))
  const { data, statements } = await house.query('{ things(first: 100) { nodes { a: box { id } b: box { label } } } }')
  stop()
  const distinct = new Set(data.things.nodes.map((thing: { a: { id: string } }) => thing.a.id))
  expect(batches.map(({ batch }) => batch)).toMatchObject([{ loader: 'boxById', keys: distinct.size }])
  expect(named(statements)).toEqual(['things', 'boxById'])
})

test('fields beside each other share a statement, with equal arguments a page, with others not', async () => {
  const [one, two] = boxes
  const variables = { one, two }
  const shared = await house.query(
    'query($one: ID!, $two: ID!) { a: box(id: $one) { label } b: box(id: $two) { label } c: box(id: $one) { id } }',
    variables,
  )
  expect(named(shared.statements)).toEqual(['boxById'])
  const equal = await house.query(
    `query($one: ID!, $two: ID!) {
      a: box(id: $one) { things(first: 2) { nodes { id } } } b: box(id: $two) { things(first: 2) { nodes { id } } }
    }`,
    variables,
  )
  expect(named(equal.statements)).toEqual(['boxById', 'thingsOfBox'])
  const others = await house.query(
    `query($one: ID!) { box(id: $one) { a: things(first: 1) { nodes { id } } b: things(last: 2) { nodes { id } } } }`,
    variables,
  )
  expect(named(others.statements)).toEqual(['boxById', 'thingsOfBox', 'thingsOfBox'])
  expect(others.data.box.a.nodes).toHaveLength(1)
  expect(others.data.box.b.nodes).toHaveLength(2)
})

test('every key gets its own rows, in their order, and a gap stays one', async () => {
  const missing = encodeId('Box', randomUUID())
  const asked = [boxes[40], boxes[3], missing, boxes[1], boxes[3]]
  const { data } = await house.query(
    'query($ids: [ID!]!) { nodes(ids: $ids) { ... on Box { allThings { size box { id } } } } }',
    {
      ids: asked,
    },
  )
  const [empty, third, gap, first, again] = data.nodes
  expect(empty).toEqual({ allThings: [] })
  expect(gap).toBeNull()
  expect(again).toEqual(third)
  for (const [node, id] of [
    [third, boxes[3]],
    [first, boxes[1]],
  ]) {
    expect(node.allThings).toHaveLength(3)
    for (const thing of node.allThings) expect(thing.box.id).toBe(id)
    const sizes = node.allThings.map((thing: { size: number }) => thing.size)
    expect(sizes).toEqual(sizes.toSorted((a: number, b: number) => a - b))
  }
})

test('what is loaded after a write shows the write', async () => {
  const document = `mutation($a: AddThingInput!, $b: AddThingInput!) {
    first: addThing(input: $a) { thing { box { allThings { name } things(first: 9) { totalCount { count } } } } }
    second: addThing(input: $b) { thing { box { allThings { name } things(first: 9) { totalCount { count } } } } }
  }`
  const boxId = boxes[40]
  const { data, errors } = await house.query(document, { a: { boxId, name: 'new' }, b: { boxId, name: 'newer' } })
  expect(errors).toBeUndefined()
  const names = (payload: { thing: { box: { allThings: { name: string }[] } } }) =>
    payload.thing.box.allThings.map(({ name }) => name).sort()
  expect(names(data.first)).toEqual(['new'])
  expect(names(data.second)).toEqual(['new', 'newer'])
  expect(data.second.thing.box.things.totalCount.count).toBe(2)
})
