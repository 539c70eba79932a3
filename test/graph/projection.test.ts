import request from 'supertest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Facts, fact } from '../../src/core/events.js'
import { encodeId } from '../../src/graph/node.js'
import { startHouse, type TestApp } from '../support.js'
import { fillThings } from './things.js'

let house: TestApp
let variables: Record<string, unknown>
beforeAll(async () => {
  house = await startHouse()
  const [box] = (await fillThings(house, [{ box: 0, size: 7, weight: '1.5', seenAt: null }])) as [string]
  const [thing] = (await house.query('{ things { nodes { id } } }')).data.things.nodes
  variables = { box: encodeId('Box', box), thing: thing.id, no: false, yes: true }
})
afterAll(() => house[Symbol.asyncDispose]())

/** What a statement selects, by property; sorted. */
function columnsOf(text: string): string[] {
  const list = text.slice(0, text.indexOf(' from "'))
  return [...list.matchAll(/ as "(\w+)"/g)].map(([, name]) => name as string).sort()
}

function columnsRead(statements: readonly Facts['statement.finished'][]) {
  return Object.fromEntries(statements.map(({ statement, text }) => [statement, columnsOf(text)]))
}

describe('only what an operation asks for is read', () => {
  const cases: [name: string, document: string, read: Record<string, string[]>][] = [
    ['a field', '{ things { nodes { name } } }', { things: ['name'] }],
    ['nothing but a type', '{ things { nodes { __typename } } }', { things: [] }],
    ['aliases', '{ things { nodes { a: name b: name c: size } } }', { things: ['name', 'size'] }],
    ['a cursor', '{ things { edges { cursor } } }', { things: ['k0', 'k1'] }],
    ['the ends of a page', '{ things { pageInfo { endCursor } nodes { name } } }', { things: ['k0', 'k1', 'name'] }],
    ['whether more follows', '{ things { pageInfo { hasNextPage } } }', { things: [] }],
    ['a relation', '{ things { nodes { box { label } } } }', { things: ['boxId'], boxById: ['id', 'label'] }],
    [
      'a nested page',
      'query($box: ID!) { box(id: $box) { things { nodes { weight } } } }',
      { boxById: ['id'], thingsOfBox: ['weight'] },
    ],
    [
      'nested fragments',
      `{ things { nodes { ...A } } }
       fragment A on Thing { ...B size }
       fragment B on Thing { weight box { ...C } }
       fragment C on Box { label }`,
      { things: ['boxId', 'size', 'weight'], boxById: ['id', 'label'] },
    ],
    [
      'fragments on an interface',
      '{ things { nodes { ... on Node { id ... on Thing { seenAt } ... on Box { label } } } } }',
      { things: ['id', 'seenAt'] },
    ],
    [
      'a node',
      'query($thing: ID!) { node(id: $thing) { __typename ... on Thing { name } ... on Box { label } } }',
      { thingById: ['id', 'name'] },
    ],
    [
      'nodes of several types',
      'query($thing: ID!, $box: ID!) { nodes(ids: [$thing, $box]) { ...T ...B } } fragment T on Thing { size } fragment B on Box { label }',
      { thingById: ['id', 'size'], boxById: ['id', 'label'] },
    ],
    [
      'what directives may leave in',
      `query($no: Boolean!, $yes: Boolean!) {
        things { nodes { name @include(if: $yes) size @skip(if: $no) ... @include(if: $yes) { weight } } }
      }`,
      { things: ['name', 'size', 'weight'] },
    ],
  ]
  test.each(cases)('%s', async (_name, document, read) => {
    const { errors, statements } = await house.query(document, variables)
    expect(errors).toBeUndefined()
    expect(columnsRead(statements)).toEqual(read)
  })

  test('by the operation that runs, of those in its document', async () => {
    await using house = await startHouse()
    const query = `
      query Names { things { nodes { ...F } } }
      query Sizes { things { nodes { size } } }
      fragment F on Thing { name }`
    for (const [operationName, columns] of [
      ['Names', ['name']],
      ['Sizes', ['size']],
      ['Names', ['name']],
    ]) {
      const statements: Facts['statement.finished'][] = []
      const stop = fact('statement.finished').listen((statement) => statements.push(statement))
      const { body } = await request(house.app.http).post('/graphql').send({ query, operationName })
      stop()
      expect(body.errors).toBeUndefined()
      expect(columnsRead(statements)).toEqual({ things: columns })
    }
  })
})

test('directives, aliases and fragments answer what they should', async () => {
  const document = `query($no: Boolean!, $yes: Boolean!) {
    things { nodes {
      label: name @include(if: $no)
      big: size
      ... @skip(if: $yes) { weight }
      ... on Node @include(if: $yes) { id }
      box { ...B @skip(if: $no) }
    } }
  }
  fragment B on Box { __typename kept: id label @include(if: $no) }`
  const { data } = await house.query(document, variables)
  expect(data.things.nodes).toEqual([{ big: 7, id: variables.thing, box: { __typename: 'Box', kept: variables.box } }])
})

test('a hidden column is in no statement, not even in the one of every column', async () => {
  const fields = ['id', 'label', '__typename', 'allThings { id }', 'things { nodes { id } }']
  const texts: string[] = []
  for (let choice = 1; choice < 2 ** fields.length; choice++) {
    const chosen = fields.filter((_, index) => choice & (1 << index))
    const { statements } = await house.query(`query($box: ID!) { box(id: $box) { ${chosen.join(' ')} } }`, variables)
    texts.push(...statements.map(({ text }) => text))
  }
  expect(house.app.db.columns('Box').columns.map(({ name }) => name)).toEqual(['id', 'label'])
  expect(texts.length).toBeGreaterThan(30)
  expect(texts.filter((text) => text.includes('secret'))).toEqual([])
})
