import { randomUUID } from 'node:crypto'
import { request as send } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isErrorCode } from '../../src/core/errors.js'
import { startHouse, type TestApp, tokenFor } from '../support.js'
import { cursors, documents, graphql, id64, ids, many, nested, page, sizes, variables } from './hostile-documents.js'

let house: TestApp
const box = randomUUID()
beforeAll(async () => {
  house = await startHouse({ INTROSPECTION: 'off' })
  await house.sql("insert into boxes (id, label, secret) values ($1, 'a box', 'hidden')", [box])
  await house.sql(
    `insert into things (id, box_id, name, size, weight)
     select gen_random_uuid(), $1, 'thing ' || n, n % 3, 1 from generate_series(1, 30) n`,
    [box],
  )
})
afterAll(() => house[Symbol.asyncDispose]())

/** One request, as raw as HTTP lets it be. */
interface Hostile {
  readonly name: string
  readonly method?: string
  readonly path?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
}

const bodies: [string, string | Buffer][] = [
  ['no body', ''],
  ['a word', 'hello'],
  ['half an object', '{"query":'],
  ['null', 'null'],
  ['a number', '42'],
  ['a string', '"{ __typename }"'],
  ['an empty object', '{}'],
  ['an empty array', '[]'],
  ['a batch', '[{"query":"{ __typename }"}]'],
  ['a trailing comma', '{"query":"{ __typename }",}'],
  ['XML', '<query/>'],
  ['invalid UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
  ['UTF-16', Buffer.from('{"query":"{ __typename }"}', 'utf16le')],
  ['arrays in arrays', nested(100_000, '[', ']')],
  ['objects in objects', nested(30_000, '{"a":', '}', '1')],
  ['too much', graphql(`{ __typename } #${many(300_000, 'x')}`)],
  ['a prototype', '{"query":"{ __typename }","__proto__":{"admin":true}}'],
  ['a constructor', '{"query":"{ __typename }","constructor":{"prototype":{"admin":true}}}'],
  ['a prototype in variables', '{"query":"{ __typename }","variables":{"__proto__":{"admin":true}}}'],
  ['a query that is a number', '{"query":1}'],
  ['a query that is an object', '{"query":{"kind":"Document"}}'],
  ['a query that is null', '{"query":null}'],
  ['variables that are a string', '{"query":"{ __typename }","variables":"{}"}'],
  ['variables that are an array', '{"query":"{ __typename }","variables":[]}'],
  ['variables that are a number', '{"query":"{ __typename }","variables":1}'],
  ['extensions that are a string', '{"query":"{ __typename }","extensions":"{}"}'],
  ['extensions that are an array', '{"query":"{ __typename }","extensions":[]}'],
  ['an operation name that is an object', '{"query":"{ __typename }","operationName":{}}'],
  ['an operation that is not there', '{"query":"query A { __typename }","operationName":"__proto__"}'],
  ['a persisted query that is true', '{"extensions":{"persistedQuery":true}}'],
  ['a persisted query without a hash', '{"extensions":{"persistedQuery":{"version":1}}}'],
  ['a hash that is an object', '{"extensions":{"persistedQuery":{"version":1,"sha256Hash":{"toString":1}}}}'],
  [
    'a hash of nothing known',
    graphql(undefined, undefined, { extensions: { persistedQuery: { version: 1, sha256Hash: many(64, 'a') } } }),
  ],
  [
    'a hash of something else',
    graphql('{ __typename }', undefined, { extensions: { persistedQuery: { version: 1, sha256Hash: many(64, 'a') } } }),
  ],
]

const headers: [string, Record<string, string>][] = [
  ['a token that is none', { authorization: 'Bearer x' }],
  ['a token without a signature', { authorization: `Bearer ${id64('{"alg":"none"}')}.${id64('{"sub":"x"}')}.` }],
  ['a token that is long', { authorization: `Bearer ${many(4_000, 'a')}.b.c` }],
  ['a password', { authorization: 'Basic YWRtaW46YWRtaW4=' }],
  ['an empty authorization', { authorization: ' ' }],
  ['a consistency token that is none', { 'x-consistency-token': 'x.y' }],
  ['a consistency token that is signed wrongly', { 'x-consistency-token': `${id64('[1,"0/1",1]')}.${many(43, 'A')}` }],
  ['Accept of nothing', { accept: 'image/png' }],
  ['Accept that is malformed', { accept: ';;q=,/,' }],
  ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
  ['plain text', { 'content-type': 'text/plain' }],
  ['files', { 'content-type': 'multipart/form-data; boundary=x' }],
  ['no type', { 'content-type': '' }],
  ['a malformed type', { 'content-type': ';;;' }],
  ['GraphQL as a type', { 'content-type': 'application/graphql' }],
  ['a compressed body that is none', { 'content-encoding': 'gzip', 'content-type': 'application/octet-stream' }],
  ['a host that is none', { host: '[' }],
  ['a host with a space', { host: 'a b' }],
  ['a length that is too long', { 'content-length': '300000' }],
]

const paths: [string, string, string][] = [
  ['a path that is not there', 'GET', '/admin'],
  ['a way out of the root', 'GET', '/../../etc/passwd'],
  ['malformed escapes', 'GET', '/%c0%ae%c0%ae/'],
  ['a NUL in the path', 'GET', '/graphql%00'],
  ['a path of great length', 'GET', `/${many(5_000, 'a')}`],
  ['a deeper path', 'POST', '/graphql/admin'],
  ['a query string that is malformed', 'GET', '/graphql?query=%ff'],
  ['no query', 'GET', '/graphql'],
  ['two queries', 'GET', '/graphql?query={__typename}&query={__typename}'],
  ['variables that are no JSON', 'GET', '/graphql?query={__typename}&variables=x'],
  ['variables that are an array', 'GET', '/graphql?query={__typename}&variables=[]'],
  ['extensions that are no JSON', 'GET', '/graphql?query={__typename}&extensions={'],
  [
    'a mutation by GET',
    'GET',
    `/graphql?query=${encodeURIComponent('mutation { addThing(input: {boxId: "x", name: "x"}) { errors { code } } }')}`,
  ],
  ['PUT', 'PUT', '/graphql'],
  ['DELETE', 'DELETE', '/graphql'],
  ['PATCH', 'PATCH', '/graphql'],
  ['OPTIONS', 'OPTIONS', '/graphql'],
  ['PROPFIND', 'PROPFIND', '/graphql'],
  ['TRACE', 'TRACE', '/graphql'],
]

const cases: Hostile[] = [
  ...ids.map((id) => ({
    name: `id ${JSON.stringify(id).slice(0, 60)}`,
    body: graphql('query ($id: ID!) { thing(id: $id) { name } }', { id }),
  })),
  ...ids.slice(0, 12).map((id) => ({
    name: `node ${JSON.stringify(id).slice(0, 60)}`,
    body: graphql('query ($id: ID!) { node(id: $id) { id } }', { id }),
  })),
  ...cursors.map((after) => ({
    name: `cursor ${JSON.stringify(after).slice(0, 60)}`,
    body: graphql(`query ($after: String) { things(after: $after) ${page} }`, { after }),
  })),
  ...sizes.map((size) => ({ name: `first: ${size}`, body: graphql(`{ things(first: ${size}) ${page} }`) })),
  ...sizes.slice(0, 6).map((size) => ({ name: `last: ${size}`, body: graphql(`{ things(last: ${size}) ${page} }`) })),
  ...variables.map(([type, value]) => ({
    name: `${JSON.stringify(value)} as ${type}`,
    body: graphql(`query ($n: ${type}) { things(first: $n) ${page} }`, { n: value }),
  })),
  ...documents.map(([name, document]) => ({ name: `document: ${name}`, body: graphql(document) })),
  ...bodies.map(([name, body]) => ({ name: `body: ${name}`, body })),
  ...headers.map(([name, given]) => ({ name: `header: ${name}`, headers: given, body: graphql('{ __typename }') })),
  ...paths.map(([name, method, path]) => ({
    name: `request: ${name}`,
    method,
    path,
    headers: { 'content-type': 'application/json' },
  })),
]

test('there are at least 200 of them', () => {
  expect(cases.length).toBeGreaterThanOrEqual(200)
})

const leaks =
  /\bpg\b|postgres|relation|syntax error at|\bat [\w.<]+ \(|node_modules|\/src\/|select .* from|Maximum call stack|TypeError|ECONN/i

test.each(cases.map((hostile) => [hostile.name, hostile] as const))('%s', async (_name, hostile) => {
  const { status, text } = await call(hostile)
  const told = JSON.stringify({ status, text: text.slice(0, 500) })
  expect(status, told).toBeLessThan(500)
  const { errors } = JSON.parse(text)
  expect(errors?.length, told).toBeGreaterThan(0)
  for (const { message, extensions } of errors) {
    expect(isErrorCode(extensions.code), told).toBe(true)
    expect(extensions.code, told).not.toBe('INTERNAL')
    expect(message, told).not.toMatch(leaks)
  }
  expect(text.length, told).toBeLessThan(20_000)
})

test('the server has taken no harm', async () => {
  const { data } = await house.query(
    '{ things(first: 1) { totalCount { count } } secret }',
    {},
    {
      headers: { authorization: `Bearer ${await tokenFor({ id: box, role: 'ADMIN' })}` },
    },
  )
  expect(data).toEqual({ things: { totalCount: { count: 30 } }, secret: box })
})

function call({ method = 'POST', path = '/graphql', headers = {}, body }: Hostile) {
  const { hostname, port } = new URL(house.app.url)
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const request = send(
      { hostname, port, method, path, headers: { 'content-type': 'application/json', ...headers }, agent: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk) => chunks.push(chunk))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
        response.on('error', reject)
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}
