import type { Given } from './operations.js'

const page = 'nodes { name size } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }'

/** Of the fixture's schema, sent over HTTP. Variables are filled in where they name what only the database knows. */
export function houseOperations(ids: { thing: string; box: string; cursor: string }): readonly Given[] {
  const { thing, box, cursor } = ids
  return [
    ['{ __typename }'],
    ['{ things { nodes { id name size weight seenAt } } }'],
    ['{ things { edges { cursor node { name box { label } } } } }'],
    [`{ things(first: 2) { ${page} } }`],
    [`{ things(last: 2) { ${page} totalCount { count precision } } }`],
    [`query ($after: String) { things(first: 1, after: $after) { ${page} } }`, { after: cursor }],
    [`query ($before: String) { things(last: 1, before: $before) { ${page} } }`, { before: cursor }],
    [`query ($after: String) { things(after: $after) { ${page} } }`, { after: 'damaged' }],
    ['{ things(first: 1, last: 1) { nodes { id } } }'],
    ['{ things(first: -1) { nodes { id } } }'],
    ['{ things(first: 101) { nodes { id } } }'],
    ['{ a: things(first: -1) { nodes { id } } b: things(first: 1) { nodes { id } } }'],
    ['{ things(filter: { least: 3 }) { nodes { size } } }'],
    ['{ things(filter: { least: 3, most: 5, name: null }) { totalCount { count } } }'],
    ['query ($f: ThingFilter) { things(filter: $f) { nodes { size } } }', { f: { most: 4 } }],
    ['query ($f: ThingFilter) { things(filter: $f) { nodes { size } } }', { f: { most: 'many' } }],
    ['query ($f: ThingFilter) { things(filter: $f) { nodes { size } } }', { f: { unknown: 1 } }],
    ['query ($m: Int) { things(filter: { least: $m, most: 5 }) { nodes { size } } }'],
    ['query ($m: Int) { things(filter: { least: $m, most: 5 }) { nodes { size } } }', { m: 2 }],
    ...['SEEN_AT', 'NAME', 'SIZE', 'WEIGHT', 'NONE'].map(
      (field): Given => [
        'query ($o: ThingOrder) { things(orderBy: $o) { nodes { name } } }',
        { o: { field, direction: 'ASC' } },
      ],
    ),
    ['{ things(orderBy: { field: SIZE, direction: DESC }) { nodes { size } } }'],
    [
      'query ($d: OrderDirection!) { things(orderBy: { field: NAME, direction: $d }) { nodes { name } } }',
      { d: 'DESC' },
    ],
    ['query ($id: ID!) { thing(id: $id) { id name box { id things(first: 2) { nodes { name } } } } }', { id: thing }],
    ['query ($id: ID!) { thing(id: $id) { name } }', { id: box }],
    ['query ($id: ID!) { thing(id: $id) { name } }', { id: 5 }],
    ['query ($id: ID!) { thing(id: $id) { name } }'],
    ['{ thing(id: "damaged") { name } box(id: "damaged") { label } }'],
    ['query ($id: ID!) { box(id: $id) { label allThings { name box { label } } } }', { id: box }],
    [
      'query ($id: ID!) { box(id: $id) { things(first: 1) { edges { cursor } } rest: things(last: 1) { edges { cursor } } } }',
      { id: box },
    ],
    ['query ($id: ID!) { node(id: $id) { __typename id ... on Thing { name } ... on Box { label } } }', { id: thing }],
    ['query ($id: ID!) { node(id: $id) { id ...B } } fragment B on Box { label allThings { size } }', { id: box }],
    ['query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Thing { size } } }', { ids: [thing, box, thing] }],
    ['query ($ids: [ID!]!) { nodes(ids: $ids) { __typename } }', { ids: [thing, 'damaged', box] }],
    ['query ($ids: [ID!]!) { nodes(ids: $ids) { __typename } }', { ids: thing }],
    ['query ($ids: [ID!]!) { nodes(ids: $ids) { __typename } }', { ids: [null] }],
    ['query ($ids: [ID!]!) { nodes(ids: $ids) { __typename } }', { ids: Array.from({ length: 101 }, () => thing) }],
    [
      'query ($y: Boolean!, $n: Boolean!) { things { nodes { name @include(if: $n) size @skip(if: $n) ... @include(if: $y) { weight } } } }',
      { y: true, n: false },
    ],
    ['query ($y: Boolean = true) { things { nodes { name @include(if: $y) size } } }', { y: null }],
    ['{ divide(by: 2) }'],
    ['{ divide(by: 0) ok: divide(by: 1) }'],
    ['query ($by: Int = 1) { divide(by: $by) }', { by: null }],
    ['query ($by: Int = 1) { divide(by: $by) }'],
    ['{ secret }'],
    ['{ secret things { nodes { name } } }'],
    ['{ sleep(seconds: 0.001) }'],
    ['{ sleep(seconds: 1) }'],
    ['query A { __typename } query B { things { nodes { name } } }'],
    ['{ unknown }'],
    ['{ things '],
    ['subscription { things }'],
    ['{ __schema { queryType { name } types { name fields { name type { name kind } } } } }'],
    ['{ __type(name: "Thing") { name interfaces { name } fields { name } } }'],
    [
      'mutation ($input: AddThingInput!) { addThing(input: $input) { errors { code } } }',
      { input: { boxId: box, name: '' } },
    ],
    ['{ a { b { c { d { e { f { g { h { i { j { k { l { m { n } } } } } } } } } } } } } }'],
    ['{ __proto__: things(first: 1) { constructor: nodes { toString: name } } }'],
  ]
}
