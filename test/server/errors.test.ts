import { pino } from 'pino'
import { Arg, Field, InputType, Query, Resolver } from 'type-graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type App, createApp } from '../../src/app.js'
import { loadConfig } from '../../src/core/config.js'
import { currentRequest } from '../../src/core/request.js'
import { fixture } from '../fixture/thing.resolver.js'
import { jwtSecret } from '../settings.js'
import { createTestDatabase } from '../support.js'

@InputType({ description: 'Conditions in conditions, as deep as one likes.' })
class Condition {
  @Field(() => Condition, { nullable: true, description: 'A further one.' })
  readonly and?: Condition | null
}

@Resolver()
class ConditionResolver {
  @Query(() => Boolean, { description: 'Whether it holds.' })
  holds(@Arg('condition', { description: 'What.' }) _condition: Condition): boolean {
    return true
  }
}

const conditions = { name: 'conditions', entities: [], resolvers: [ConditionResolver], nodes: [] }

let app: App
let drop: () => Promise<void>
// biome-ignore lint/suspicious/noExplicitAny: lines as a log's reader parses them
const lines: any[] = []

beforeAll(async () => {
  const database = await createTestDatabase('template_house')
  drop = database.drop
  const variables = { DATABASE_URL: database.url, JWT_SECRET: jwtSecret, PORT: '0', SHUTDOWN_ANNOUNCE_MS: '0' }
  const quiet = { SLOW_STATEMENT_MS: '600000', SLOW_OPERATION_MS: '600000', DETECTORS_RATIO: '0' }
  const config = loadConfig({ ...variables, ...quiet, DATABASE_STATEMENT_TIMEOUT_MS: '300' })
  const mixin = () => ({ requestId: currentRequest()?.id, operation: currentRequest()?.operation })
  const log = pino({ mixin }, { write: (line) => void lines.push(JSON.parse(line)) })
  app = await createApp(config, [fixture, conditions], { log })
  await app.listen()
})
afterAll(async () => {
  await app.close()
  await drop()
})

async function ask(query: string, variables: object = {}) {
  const { status, id, text } = await post(JSON.stringify({ query, variables }))
  return { status, id, ...JSON.parse(text) }
}

async function post(body: string) {
  lines.length = 0
  const headers = { 'content-type': 'application/json', accept: 'application/graphql-response+json' }
  const response = await fetch(`${app.url}/graphql`, { method: 'POST', headers, body })
  return { status: response.status, id: response.headers.get('x-request-id'), text: await response.text() }
}

test('what has no code is INTERNAL, masked, and logged once with its request', async () => {
  const { status, id, data, errors } = await ask('query Divide { divide(by: 0) }')
  expect(status).toBe(200)
  expect(data).toEqual({ divide: null })
  expect(errors).toEqual([
    {
      message: `Something went wrong. It was logged under request ${id}.`,
      locations: [{ line: 1, column: 16 }],
      path: ['divide'],
      extensions: { code: 'INTERNAL' },
    },
  ])
  const failures = lines.filter(({ level }) => level >= 50)
  expect(failures).toMatchObject([{ requestId: id, operation: 'Divide', path: ['divide'] }])
  expect(failures[0].err.message).toContain('division by zero')
  expect(failures[0].err.stack).toBeTruthy()
})

test('each request is one line of the log', async () => {
  const { id } = await ask('{ __typename }')
  await expect.poll(() => lines).toMatchObject([{ requestId: id, method: 'POST', path: '/graphql', status: 200 }])
})

test('what took too long in the database is a TIMEOUT', async () => {
  const { errors } = await ask('{ sleep(seconds: 5) }')
  expect(errors).toMatchObject([{ message: 'The database took too long to answer.', extensions: { code: 'TIMEOUT' } }])
})

describe("a client's mistake is BAD_USER_INPUT with a status of 4xx, and is not logged", () => {
  const page = '{ nodes { name } }'
  test.each([
    ['a variable of a wrong type', `query ($n: Int) { things(first: $n) ${page} }`, { n: 'many' }],
    ['a variable that is missing', `query ($n: Int!) { things(first: $n) ${page} }`, {}],
    ['a variable that a scalar refuses', 'query ($id: ID!) { thing(id: $id) { name } }', { id: { a: 1 } }],
    ['an operation that the document has not', 'query A { __typename } query B { __typename }', {}],
    ['a subscription where there is none', 'subscription { things }', {}],
  ])('%s', async (_name, query, variables) => {
    const { status, errors } = await ask(query, variables)
    expect(status).toBe(400)
    expect(['BAD_USER_INPUT', 'GRAPHQL_VALIDATION_FAILED']).toContain(errors[0].extensions.code)
    expect(lines.filter(({ level }) => level >= 40)).toEqual([])
  })

  test('a null where a default let it through', async () => {
    const { errors } = await ask('query ($by: Int = 1) { divide(by: $by) }', { by: null })
    expect(errors[0].extensions.code).toBe('BAD_USER_INPUT')
    expect(lines.filter(({ level }) => level >= 40)).toEqual([])
  })

  test('variables nested more deeply than the stack', async () => {
    const condition = `${'{"and":'.repeat(20_000)}{}${'}'.repeat(20_000)}`
    const { status, text } = await post(
      `{"query":"query ($c: Condition!) { holds(condition: $c) }","variables":{"c":${condition}}}`,
    )
    expect(status).toBe(400)
    expect(JSON.parse(text).errors).toEqual([
      { message: 'The request is nested too deeply.', extensions: { code: 'BAD_USER_INPUT' } },
    ])
    expect(lines.filter(({ level }) => level >= 40)).toEqual([])
  })
})
