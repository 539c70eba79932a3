import { createHash } from 'node:crypto'
import { type IncomingHttpHeaders, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyRequest } from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type App, createApp } from '../../src/app.js'
import { loadConfig } from '../../src/core/config.js'
import { createLog } from '../../src/core/log.js'
import { createQuestionReader } from '../../src/server/question.js'
import { fixture } from '../fixture/thing.resolver.js'
import { jwtSecret } from '../settings.js'
import { startHouse, type TestApp } from '../support.js'

let plain: TestApp
let keeping: App

beforeAll(async () => {
  plain = await startHouse()
  const config = loadConfig({
    DATABASE_URL: plain.url,
    JWT_SECRET: jwtSecret,
    INTROSPECTION: 'on',
    LOG_LEVEL: 'silent',
    PORT: '0',
    SHUTDOWN_ANNOUNCE_MS: '0',
  })
  keeping = await createApp(config, [fixture], { log: createLog(config) })
  await keeping.listen()
  await send(keeping, post({ query: document }))
  await send(keeping, post({ query: withVariables }))
  await send(keeping, post({ query: withNumber, variables: { first: null } }))
  await send(keeping, post({ query: withVariables, variables: { name: 'Box' } }))
})
afterAll(async () => {
  await keeping.close()
  await plain[Symbol.asyncDispose]()
})

interface Sent {
  readonly method: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly body?: string
}

const document = '{ __typename }'
const withVariables = 'query Named($name: String = "Thing") { __type(name: $name) { name } }'
const withNumber = 'query ($first: Int) { things(first: $first) { edges { cursor } } }'
const hash = createHash('sha256').update(document).digest('hex')
const hashed = (version: number, sha256Hash: string) => ({ persistedQuery: { version, sha256Hash } })
const preflighted = { 'apollo-require-preflight': 'yes' }

const post = (body: object, headers: Record<string, string> = {}, search = ''): Sent => ({
  method: 'POST',
  path: `/graphql${search}`,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body).replaceAll('"1e400"', '1e400'),
})
const get = (search: string, headers: Record<string, string> = preflighted): Sent => ({
  method: 'GET',
  path: `/graphql?${search}`,
  headers,
})
const search = (parameters: Record<string, string>) => new URLSearchParams(parameters).toString()
const query = search({ query: document })

/** Over node:http, which sends what it is given. */
function send({ http }: App, { method, path, headers, body }: Sent) {
  const { port } = http.address() as AddressInfo
  return new Promise<{ status: number | undefined; headers: IncomingHttpHeaders; text: string }>((resolve, reject) => {
    const all = { 'x-request-id': 'the-same', ...headers, ...(body && { 'content-length': Buffer.byteLength(body) }) }
    const sending = request({ port, method, path, headers: all }, (response) => {
      let text = ''
      response
        .setEncoding('utf8')
        .on('data', (part) => (text += part))
        .on('end', () => resolve({ status: response.statusCode, headers: response.headers, text }))
    })
    sending.on('error', reject).end(body)
  })
}

test.each<[string, Sent]>([
  ['an empty operation name', post({ query: document, operationName: '' })],
  ['an empty operation name by GET', get(search({ query: document, operationName: '' }))],
  ['an operation name that is none', post({ query: document, operationName: 'Other' })],
  ['an empty Authorization', post({ query: document }, { authorization: '' })],
  ['a damaged Authorization', post({ query: document }, { authorization: 'Bearer x.y.z' })],
  ['an empty consistency token', post({ query: document }, { 'x-consistency-token': '' })],
  ['extensions that are a number', post({ query: document, extensions: 5 })],
  ['extensions that are a list', post({ query: document, extensions: [] })],
  ['extensions that are text', post({ query: document, extensions: '{}' })],
  [
    'extensions in the URL of a POST',
    post({ query: document }, {}, `?${search({ extensions: '{"persistedQuery":{}}' })}`),
  ],
  ['variables that are text', post({ query: document, variables: '{}' })],
  ['variables that are a list', post({ query: document, variables: [] })],
  ['a number that is none in JSON', post({ query: withNumber, variables: { first: '1e400' } })],
  ['a hash of another document', post({ query: document, extensions: hashed(1, hash.replace(/./g, '0')) })],
  ['a hash of another version', post({ query: document, extensions: hashed(2, hash) })],
  ['a hash in capitals', post({ query: document, extensions: hashed(1, hash.toUpperCase()) })],
  ['an empty document with a hash', post({ query: '', extensions: hashed(1, hash) })],
  ['several operations', post([{ query: document }] as object)],
  ['another media type', post({ query: document }, { accept: 'text/html' })],
  ['text', post({ query: document }, { 'content-type': 'text/plain' })],
  ['a GET that a page could send', get(query, {})],
  ['a GET of text', get(query, { 'content-type': 'text/plain' })],
  ['a GET of text from a program', get(query, { ...preflighted, 'content-type': 'text/plain' })],
  ['a GET with an empty sign', get(query, { 'apollo-require-preflight': '' })],
  ['a document given twice', get(`${query}&${query}`)],
  ['extensions given twice', get(`${query}&extensions={}&extensions={}`)],
  ['variables given twice', get(`${query}&variables={}&variables={}`)],
  ['null for variables', get(`${query}&variables=null`)],
  ['null for extensions', get(`${query}&extensions=null`)],
  ['nothing for variables', get(`${query}&variables=`)],
  ['nothing for extensions', get(`${query}&extensions=`)],
  ['a number for extensions', get(`${query}&extensions=5`)],
  ['HEAD', { ...get(query), method: 'HEAD' }],
  ['PUT', { ...get(query), method: 'PUT' }],
])('%s is answered as where nothing is kept', async (_, sent) => {
  const expected = await send(plain.app, sent)
  const { status, headers, text } = await send(keeping, sent)
  expect({ status, text }).toEqual({ status: expected.status, text: expected.text })
  expect({ ...headers, date: '' }).toEqual({ ...expected.headers, date: '' })
})

test('what begins with a mutation is no question: it waits for nobody, and nothing is looked up for it', () => {
  const readQuestion = createQuestionReader()
  const read = (query: string) => readQuestion({ method: 'POST', headers: {}, body: { query } } as FastifyRequest)
  for (const query of ['mutation { a }', ' \n\tmutation($a: ID) { a }']) expect(read(query)).toBeUndefined()
  for (const query of ['{ mutation }', 'query mutation { a }', '{ a } #\nmutation']) expect(read(query)).toBeDefined()
})

test('URLs are told apart to their ends', () => {
  const readQuestion = createQuestionReader()
  const read = (url: string) => readQuestion({ method: 'GET', headers: preflighted, url } as unknown as FastifyRequest)
  const urlOf = (text: string) => `/graphql?${search({ query: '{ __typename }', variables: JSON.stringify({ text }) })}`
  const texts = [0, 300, 3_000].flatMap((length) => ['a', 'b'].map((end) => 'x'.repeat(length) + end))
  const first = texts.map((text) => read(urlOf(text))?.key)
  expect(new Set(first).size).toBe(6)
  for (let other = 0; other < 2_000; other++) read(urlOf(String(other)))
  expect(texts.map((text) => read(urlOf(text))?.key)).toEqual(first)
})

test('what stands behind a # in a URL is no part of the question, nor of its answer', async () => {
  const variables = { name: 'Mutation' }
  const given = `${search({ query: withVariables })}&x=#&${search({ variables: JSON.stringify(variables) })}`
  expect((await send(keeping, get(given))).text).toContain('"Thing"')
  expect((await send(keeping, post({ query: withVariables, variables }))).text).toContain('"Mutation"')
})
