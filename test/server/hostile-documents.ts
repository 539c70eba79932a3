import { randomUUID } from 'node:crypto'
import { encodeId } from '../../src/graph/node.js'

export const many = (count: number, text: string) => text.repeat(count)
export const nested = (depth: number, open: string, close: string, inner = '') =>
  many(depth, open) + inner + many(depth, close)
export const graphql = (query: unknown, variables?: unknown, more: object = {}) =>
  JSON.stringify({ query, variables, ...more })
export const page = '{ nodes { name } }'
export const id64 = (text: string) => Buffer.from(text).toString('base64url')

export const ids = [
  '',
  ' ',
  'x',
  '0',
  '-1',
  'null',
  '../../etc/passwd',
  "' or 1=1 --",
  '\u0000',
  '💥',
  '\ud800',
  many(5_000, 'A'),
  id64('Thing:1'),
  id64(`Thing:${randomUUID()}:${randomUUID()}`),
  id64(`Thing:${randomUUID().toUpperCase()}`),
  id64(`Ding:${randomUUID()}`),
  id64(`__proto__:${randomUUID()}`),
  id64(`constructor:${randomUUID()}`),
  `${encodeId('Thing', randomUUID())}=`,
  `${encodeId('Thing', randomUUID())}\n`,
  encodeId('Box', randomUUID()),
]

const cursorOf = (...parts: unknown[]) => id64(JSON.stringify(parts))
const seen = 'things:SEEN_AT:DESC'
export const cursors = [
  '',
  'x',
  '\u0000',
  many(10_000, 'A'),
  id64('[]'),
  id64('{}'),
  id64('null'),
  id64('[1'),
  id64(nested(2_000, '[', ']')),
  cursorOf(1),
  cursorOf(2, seen, '2024-01-01 00:00:00+00', randomUUID()),
  cursorOf(1, 'things:NAME:ASC', 'a', randomUUID()),
  cursorOf(1, 'boxes:SEEN_AT:DESC', '2024-01-01 00:00:00+00', randomUUID()),
  cursorOf(1, seen, '2024-01-01 00:00:00+00'),
  cursorOf(1, seen, '2024-01-01 00:00:00+00', randomUUID(), 'more'),
  cursorOf(1, seen, '2024-02-31 00:00:00+00', randomUUID()),
  cursorOf(1, seen, '99999-01-01 00:00:00+00', randomUUID()),
  cursorOf(1, seen, 'now', randomUUID()),
  cursorOf(1, seen, 1, randomUUID()),
  cursorOf(1, seen, null, null),
  cursorOf(1, seen, '2024-01-01 00:00:00+00', "' or 1=1 --"),
  cursorOf(1, seen, { toString: 1 }, randomUUID()),
]

export const sizes = [
  '-1',
  '101',
  '1e3',
  '2147483647',
  '2147483648',
  '-2147483649',
  '99999999999999999999',
  '1.5',
  '"10"',
  'true',
  '[1]',
  '{}',
  'NaN',
  '1_0',
]

export const variables: [string, unknown][] = [
  ['Int', 'x'],
  ['Int', 1.5],
  ['Int', 2 ** 31],
  ['Int', [1, 2]],
  ['Int', {}],
  ['Int', true],
  ['Int!', null],
]

export const documents: [string, string][] = [
  ['nothing', ''],
  ['a space', ' '],
  ['a comment', '# nothing'],
  ['half a document', '{ things { nodes '],
  ['no GraphQL', 'select * from things'],
  ['a NUL', '{ \u0000 }'],
  ['a lone surrogate', '{ thing(id: "\ud800") { name } }'],
  ['a NUL in a string', '{ things(filter: {name: "\\u0000"}) { nodes { name } } }'],
  ['an unknown field', '{ passwords }'],
  ['an unknown field of a type', `{ things { nodes { secret } } }`],
  ['a hidden column', '{ node(id: "x") { ... on Box { secret } } }'],
  ['a field named __proto__', '{ __proto__ }'],
  ['a field named constructor', '{ things { constructor { name } } }'],
  ['an unknown argument', `{ things(where: 1) ${page} }`],
  ['an unknown enum value', `{ things(orderBy: {field: EVIL, direction: ASC}) ${page} }`],
  ['an order that is incomplete', `{ things(orderBy: {field: SIZE}) ${page} }`],
  ['an unknown type', 'query ($x: Evil) { __typename }'],
  ['an unknown directive', '{ __typename @evil }'],
  ['a directive without its argument', '{ __typename @skip }'],
  ['directives without end', `{ __typename ${many(400, '@include(if: true) ')} }`],
  ['an unknown fragment', '{ ...Evil }'],
  ['a fragment of itself', '{ ...A } fragment A on Query { ...A }'],
  ['fragments of each other', '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }'],
  ['a fragment of no type', '{ ... on Evil { name } }'],
  ['a fragment that is not used', '{ __typename } fragment A on Query { __typename }'],
  ['no selection of an object', '{ things }'],
  ['a selection of a scalar', '{ things { nodes { name { first } } } }'],
  ['deep nesting', `{ things { nodes { box ${nested(10, '{ things { nodes { box ', ' } } }', '{ label }')} } } }`],
  ['depth in one field', nested(300, '{ a ', ' }')],
  ['brackets', nested(700, '[', ']')],
  ['brackets in an argument', `{ things(first: ${nested(400, '[', ']')}) ${page} }`],
  ['objects in an argument', `{ things(filter: ${nested(200, '{ name: ', ' }', '1')}) ${page} }`],
  ['aliases', `{ ${Array.from({ length: 60 }, (_, at) => `a${at}: __typename`).join(' ')} }`],
  [
    'aliases in an operation named __schema',
    `query __schema { ${Array.from({ length: 60 }, (_, at) => `a${at}: things ${page}`).join(' ')} }`,
  ],
  ['tokens', `{ ${many(3_000, '__typename ')} }`],
  ['a long name', `{ ${many(100_000, 'a')} }`],
  ['a long string', `{ thing(id: "${many(100_000, 'a')}") { name } }`],
  ['introspection', '{ __schema { types { name fields { name } } } }'],
  ['introspection of one type', '{ __type(name: "Box") { fields { name } } }'],
  ['a mutation that is none', 'mutation { dropThings }'],
  ['a subscription', 'subscription { things { nodes { name } } }'],
  ['two operations without a choice', 'query A { __typename } query B { __typename }'],
  ['two anonymous operations', '{ __typename } { __typename }'],
  ['a schema', 'type Evil { name: String }'],
  ['a defer', '{ ... @defer { __typename } }'],
  ['first with last', `{ things(first: 1, last: 1) ${page} }`],
  ['a mutation without its input', 'mutation { addThing { errors { code } } }'],
  ['a mutation on a damaged id', 'mutation { addThing(input: {boxId: "x", name: "x"}) { errors { code } } }'],
  ['an input key twice', 'mutation { addThing(input: {boxId: "x", boxId: "y", name: "x"}) { errors { code } } }'],
  ['too many nodes', `{ nodes(ids: [${many(101, '"x" ')}]) { id } }`],
]
