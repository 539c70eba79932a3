import { ApolloServer } from '@apollo/server'
import fc from 'fast-check'
import type { DocumentNode } from 'graphql'
import request from 'supertest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type App, createApp } from '../../src/app.js'
import { loadConfig } from '../../src/core/config.js'
import { fact } from '../../src/core/events.js'
import { createLog } from '../../src/core/log.js'
import { encodeId } from '../../src/graph/node.js'
import { createSchema } from '../../src/graph/schema.js'
import { createGateway } from '../../src/server/gateway.js'
import { fixture } from '../fixture/thing.resolver.js'
import { anyOperation } from '../graph/any-operation.js'
import { houseOperations } from '../graph/house-operations.js'
import { fillThings } from '../graph/things.js'
import { jwtSecret } from '../settings.js'
import { startHouse, type TestApp } from '../support.js'

let house: TestApp
let planning: App
let keeping: App
let ids: { thing: string; box: string; cursor: string }
const timeout = { DATABASE_STATEMENT_TIMEOUT_MS: '300' }

beforeAll(async () => {
  house = await startHouse({ ...timeout, GRAPHQL_PLAN_AT_USE: '0' })
  const rows = [1, 2, 3, 4, 5].map((size) => ({
    box: size % 2,
    size,
    weight: `${size}.5`,
    seenAt: size > 3 ? null : `2024-01-0${size}`,
  }))
  const [box = ''] = await fillThings(house, rows)
  const { data } = await house.query('{ things { edges { cursor node { id } } } }')
  ids = { thing: data.things.edges[2].node.id, box: encodeId('Box', box), cursor: data.things.edges[2].cursor }
  const variables = { DATABASE_URL: house.url, JWT_SECRET: jwtSecret, INTROSPECTION: 'on', LOG_LEVEL: 'silent' }
  const start = async (more: Record<string, string>) => {
    const config = loadConfig({ ...variables, ...timeout, PORT: '0', SHUTDOWN_ANNOUNCE_MS: '0', ...more })
    const app = await createApp(config, [fixture], { log: createLog(config) })
    await app.listen()
    return app
  }
  planning = await start({ CACHE: 'off', GRAPHQL_PLAN_AT_USE: '2' })
  keeping = await start({ GRAPHQL_PLAN_AT_USE: '1' })
})
afterAll(async () => {
  await planning.close()
  await keeping.close()
  await house[Symbol.asyncDispose]()
})

async function ask(app: App, query: string, variables: object = {}) {
  const call = request(app.http)
    .post('/graphql')
    .set('x-request-id', 'the-same')
    .set('accept-encoding', 'identity')
    .set('accept', 'application/graphql-response+json')
  const { status, type, text, headers } = await call.send({ query, variables })
  return { status, type, text, headers: { ...headers, date: undefined } as Record<string, unknown> }
}

type Answer = Awaited<ReturnType<typeof ask>>
type Path = readonly (string | number)[]

/**
 * An answer without what depends on which of its errors came first: their order, and which of those are told that a null
 * further up stands for. One is enough for it, and what comes later is not told. What fails after different statements
 * comes in the order in which the database answers them.
 */
function settled(answer: Answer): Answer {
  const { errors, ...rest } = JSON.parse(answer.text)
  if (!Array.isArray(errors) || !('data' in rest)) return answer
  const told = errors.map((error: { path?: Path }) => {
    const place = nullAt(rest.data, error.path ?? [])
    return place.length === error.path?.length ? error : place
  })
  // One that is the only one, with a null of its own, came first in any case.
  if (told.length === 1 && told[0] === errors[0]) return answer
  const texts = new Set(told.map((each) => JSON.stringify(each)))
  const text = JSON.stringify({ errors: [...texts].sort(), ...rest })
  return { ...answer, text, headers: { ...answer.headers, 'content-length': undefined } }
}

/** Where on the way there the null stands. */
function nullAt(data: unknown, path: Path): Path {
  let value = data
  for (const [depth, key] of path.entries()) {
    if (value === null) return path.slice(0, depth)
    value = (value as Record<string | number, unknown>)[key]
  }
  return path
}

describe('over HTTP, with plans and with kept answers as without', () => {
  let compared = 0
  let kept = 0
  const stop = fact('cache.read').listen(({ cache, missing }) => {
    if (cache === 'response' && missing === 0) kept++
  })
  afterAll(() => {
    stop()
    console.info(`${compared} operations compared over HTTP, ${kept} of them answered as before`)
    expect(compared).toBeGreaterThan(200)
    expect(kept).toBeGreaterThan(20)
  })

  async function expectSame(document: string, variables?: object): Promise<void> {
    const expected = settled(await ask(house.app, document, variables))
    for (const app of [planning, planning, planning, keeping, keeping])
      expect(settled(await ask(app, document, variables))).toEqual(expected)
    compared++
  }

  test('what documents can say', async () => {
    for (const [document, variables] of houseOperations(ids)) await expectSame(document, variables)
  })

  test('what fails beside something that is at hand only where it is kept', async () => {
    const { box, cursor } = ids
    const document = `query ($no: Boolean = true) {
      things(first: 0, after: "${cursor}", orderBy: { field: SIZE, direction: ASC }) { edges { cursor } }
      box(id: "${box}") { id @skip(if: $no) }
    }`
    await expectSame('query ($id: ID!) { box(id: $id) { id } }', { id: box })
    await expectSame(document, { no: null })
  })

  test('what fails after one statement or another, of which either may be answered first', async () => {
    const { thing, box } = ids
    const document = `{
      box(id: "${box}") { allThings { id } label things(after: "text") { nodes { id } } }
      thing(id: "${thing}") { box { things(first: -5) { nodes { id } } } }
    }`
    for (let use = 1; use <= 20; use++) await expectSame(document)
  })

  test('any operation', async () => {
    const { thing, box, cursor } = ids
    const values = { ID: [thing, box, 'damaged', true], String: [cursor, 'text', 5], DateTime: ['no'], Decimal: ['no'] }
    const operations = anyOperation(house.app.schema, values, ['sleep'])
    await fc.assert(
      fc.asyncProperty(operations, ({ document, variables }) => expectSame(document, variables)),
      { numRuns: 150 },
    )
  }, 90_000)
})

test('a document is one object from use to use, so that what is known of it stays, and goes when Apollo forgets it', async () => {
  const schema = await createSchema([fixture])
  const seen: DocumentNode[] = []
  const gateway = createGateway(schema, ({ document }) => {
    seen.push(document)
    return { data: {} }
  })
  const apollo = new ApolloServer({ gateway })
  await apollo.start()
  for (let use = 1; use <= 3; use++) await apollo.executeOperation({ query: '{ __typename }' })
  await apollo.executeOperation({ query: '{ again: __typename }' })
  await apollo.stop()
  expect(new Set(seen).size).toBe(2)
})
