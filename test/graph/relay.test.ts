import { randomUUID } from 'node:crypto'
import { buildSchema, type GraphQLSchema } from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeId } from '../../src/graph/node.js'
import { fixture } from '../fixture/thing.resolver.js'
import {
  findConnectionFaults,
  findMutationFaults,
  findNodeFaults,
  findUndescribed,
  introspect,
} from '../schema-checks.js'
import { startHouse, type TestApp } from '../support.js'
import { fillThings } from './things.js'

let house: TestApp
let schema: GraphQLSchema
beforeAll(async () => {
  house = await startHouse()
  schema = await introspect(house)
})
afterAll(() => house[Symbol.asyncDispose]())

describe('the schema', () => {
  test('describes everything', () => expect(findUndescribed(schema)).toEqual([]))

  test('has the connections of the Relay specification', () => expect(findConnectionFaults(schema)).toEqual([]))

  test('has the nodes of the Relay specification', () => {
    const nodes = fixture.nodes.map(({ type }) => type)
    expect(findNodeFaults(schema, nodes)).toEqual([])
  })

  test('has mutations with one input and a payload', () => expect(findMutationFaults(schema)).toEqual([]))

  test('would be found out otherwise', () => {
    const wrong = buildSchema(`
      type Query { node(id: ID!): Node! a(first: Int): AConnection }
      type Mutation { set(id: ID!): Boolean }
      interface Node { id: ID }
      type A implements Node { id: ID }
      type AConnection { edges: [A] pageInfo: PageInfo }
      type PageInfo { hasNextPage: Boolean }
      scalar Decimal
    `)
    expect(findUndescribed(wrong)).toEqual(
      expect.arrayContaining(['Query', 'Query.a', 'Query.a(first:)', 'Decimal', 'Decimal @specifiedBy']),
    )
    expect(findConnectionFaults(wrong)).toEqual(
      expect.arrayContaining([
        'PageInfo.hasNextPage is Boolean, not Boolean!',
        'AConnection.edges is [A], not [AEdge!]!',
        'AConnection states no default order',
        'Query.a(after:) is undefined',
      ]),
    )
    expect(findNodeFaults(wrong, ['B'])).toEqual([
      'Node.id is ID, not ID!',
      'Query.node is (id: ID!): Node!',
      'Query.nodes is (undefined): undefined',
      'A.id is ID, not ID!',
      'A is a Node and cannot be fetched by its id',
      'B can be fetched by its id and is no Node',
    ])
    expect(findMutationFaults(wrong)).toEqual(['set takes other than one input: SetInput!', 'set answers Boolean'])
  })
})

describe('a node', () => {
  const one = 'query($id: ID!) { node(id: $id) { __typename id } }'
  const many = 'query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }'
  let ids: string[]
  beforeAll(async () => {
    const values = [0, 1, 2].map((box) => ({ box, size: 1, weight: '1', seenAt: null }))
    await fillThings(house, values)
    const { data } = await house.query('{ things { nodes { id box { id } } } }')
    ids = data.things.nodes.flatMap((thing: { id: string; box: { id: string } }) => [thing.id, thing.box.id])
  })

  test('of every type is found again by its id, as the same type', async () => {
    const types = ['Thing', 'Box', 'Thing', 'Box', 'Thing', 'Box']
    const expected = ids.map((id, index) => ({ __typename: types[index], id }))
    expect(new Set(types)).toEqual(new Set(fixture.nodes.map(({ type }) => type)))
    expect((await house.query(many, { ids })).data.nodes).toEqual(expected)
    for (const node of expected) expect((await house.query(one, { id: node.id })).data.node).toEqual(node)
  })

  test('stands where its id stood, as often, one statement for each type', async () => {
    const asked = [...ids, ...ids.toReversed(), encodeId('Thing', randomUUID())]
    const { data, statements } = await house.query(many, { ids: asked })
    expect(data.nodes.map((node: { id: string } | null) => node?.id)).toEqual([...asked.slice(0, -1), undefined])
    expect(statements.map(({ statement }) => statement).sort()).toEqual(['boxById', 'thingById'])
  })

  test('that is not there is null, and no error', async () => {
    for (const type of ['Thing', 'Box']) {
      const { data, errors } = await house.query(one, { id: encodeId(type, randomUUID()) })
      expect({ data, errors }).toEqual({ data: { node: null }, errors: undefined })
    }
  })

  const known = '018f0000-0000-7000-8000-000000000000'
  const encoded = (text: string) => Buffer.from(text).toString('base64url')
  test.each([
    ['nothing', ''],
    ['no base64', '%%%'],
    ['a bare uuid', known],
    ['a type alone', encoded('Thing')],
    ['an unknown type', encoded(`Nobody:${known}`)],
    ['a type that is no node', encoded(`PageInfo:${known}`)],
    ['a property of every object', encoded(`constructor:${known}`)],
    ['an upper-case key', encoded(`Thing:${known.toUpperCase()}`)],
    ['a broken key', encoded(`Thing:${known.slice(1)}`)],
    ['a key too many', encoded(`Thing:${known}:${known}`)],
    ['padding', `${encoded(`Box:${known}`)}==`],
    ['a character more', `${encoded(`Thing:${known}`)}!`],
    ['a thousand characters', encoded(`Thing:${known.repeat(30)}`)],
  ])('of a damaged id is BAD_USER_INPUT: %s', async (_name, id) => {
    const answers = [
      await house.query(one, { id }),
      await house.query(many, { ids: [id] }),
      await house.query('query($id: ID!) { thing(id: $id) { id } }', { id }),
    ]
    for (const { errors } of answers)
      expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT'])
  })

  test('of another type is refused where a type is asked for', async () => {
    const { errors } = await house.query('query($id: ID!) { thing(id: $id) { id } }', { id: ids[1] })
    expect(errors?.[0]).toMatchObject({
      message: 'That is not the id of a Thing.',
      extensions: { code: 'BAD_USER_INPUT' },
    })
  })

  test('among damaged ones is still found', async () => {
    const { data, errors } = await house.query(many, { ids: [ids[0], 'damaged', ids[1]] })
    expect(data.nodes.map((node: { id: string } | null) => node?.id)).toEqual([ids[0], undefined, ids[1]])
    expect(errors?.map(({ path }) => path)).toEqual([['nodes', 1]])
  })

  test('is one of at most a hundred', async () => {
    const hundred = Array.from({ length: 100 }, () => ids[0] as string)
    expect((await house.query(many, { ids: hundred })).data.nodes).toHaveLength(100)
    const { data, errors } = await house.query(many, { ids: [...hundred, ids[1]] })
    expect(data).toBeNull()
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT'])
    expect((await house.query(many, { ids: [] })).data.nodes).toEqual([])
  })
})
