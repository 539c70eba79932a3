import { getIntrospectionQuery } from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startHouse, type TestApp } from '../support.js'

let open: TestApp
let closed: TestApp
beforeAll(async () => {
  const limits = { LIMIT_DEPTH: '6', LIMIT_ALIASES: '4', LIMIT_TOKENS: '1500' }
  open = await startHouse(limits)
  closed = await startHouse({ ...limits, INTROSPECTION: 'off' })
})
afterAll(() => Promise.all([open, closed].map((house) => house[Symbol.asyncDispose]())))

const strict = { headers: { accept: 'application/graphql-response+json' } }
const messages = async (document: string, house = open) => {
  const { status, errors } = await house.query(document, {}, strict)
  return {
    status,
    codes: errors?.map(({ extensions }) => extensions.code),
    messages: errors?.map(({ message }) => message),
  }
}
const refused = (what: string) => ({ status: 400, codes: ['BAD_USER_INPUT'], messages: [what] })

describe('depth', () => {
  const deepest = '{ things { nodes { box { things { nodes { name } } } } } }'
  const deeper = '{ things { nodes { box { things { nodes { box { label } } } } } } }'

  test('is allowed up to the limit', async () => {
    expect((await open.query(deepest)).errors).toBeUndefined()
  })

  test('is refused above it, however it is written', async () => {
    const answer = refused('An operation takes 6 levels of fields; this has 7.')
    expect(await messages(deeper)).toEqual(answer)
    expect(
      await messages(`
        fragment Inner on Thing { box { things { nodes { ...Leaf } } } }
        fragment Leaf on Thing { box { ... on Box { label } } }
        query __schema { things { nodes { ...Inner } } }`),
    ).toEqual(answer)
    expect(await messages(`query A { __typename } query B ${deeper.slice(1, -1).replace(/^/, '{')}}`)).toMatchObject({
      codes: ['BAD_USER_INPUT'],
    })
  })

  test('leaves room for the introspection of tools, and for nothing beside it', async () => {
    expect((await open.query(getIntrospectionQuery({ inputValueDeprecation: true }))).errors).toBeUndefined()
    expect(await messages(`query { __schema { types { name } } ${deeper.slice(1)}`)).toEqual(
      refused('An operation takes 6 levels of fields; this has 7.'),
    )
    const chain = `${'ofType { '.repeat(15)}name${' }'.repeat(15)}`
    expect(await messages(`{ __type(name: "Thing") { ${chain} } }`)).toEqual(
      refused('An operation takes 16 levels of introspection; this has 17.'),
    )
  })
})

describe('aliases', () => {
  const aliases = (count: number, field = '__typename') =>
    Array.from({ length: count }, (_, index) => `a${index}: ${field}`).join(' ')

  test('are allowed up to the limit', async () => {
    expect((await open.query(`{ ${aliases(4)} }`)).errors).toBeUndefined()
  })

  test('are refused above it, whatever they name', async () => {
    const answer = refused('An operation takes 4 aliases; this has 5.')
    expect(await messages(`{ ${aliases(5)} }`)).toEqual(answer)
    expect(await messages(`query __schema { ${aliases(5)} }`)).toEqual(answer)
    expect(await messages(`{ ${aliases(5, '__schema { types { name } }')} }`)).toEqual(answer)
  })

  test('count as often as their fragment is spread, without being written out', async () => {
    const levels = Array.from({ length: 30 }, (_, at) => `fragment F${at} on Query { ...F${at + 1} ...F${at + 1} }`)
    const document = `{ ...F0 } ${levels.join(' ')} fragment F30 on Query { a: __typename }`
    const started = process.cpuUsage()
    expect(await messages(document)).toEqual(refused('An operation takes 4 aliases; this has 1000000 or more.'))
    expect(process.cpuUsage(started).user).toBeLessThan(500_000)
  })
})

test('directives are limited in one place', async () => {
  const answer = await messages(`{ __typename ${'@include(if: true) '.repeat(6)} }`)
  expect(answer.messages?.[0]).toBe('An operation takes 5 directives in one place; this has 6.')
})

test('fragments that spread each other end', async () => {
  const answer = await messages('{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }')
  expect(answer).toMatchObject({ status: 400, codes: ['GRAPHQL_VALIDATION_FAILED'] })
})

test('tokens are limited', async () => {
  const answer = await messages(`{ ${'__typename '.repeat(1500)} }`)
  expect(answer).toMatchObject({ status: 400, codes: ['GRAPHQL_PARSE_FAILED'] })
  expect(answer.messages?.[0]).toContain('1500 tokens')
})

test.each([
  ['unknown fields', `{ ${Array.from({ length: 1400 }, (_, at) => `f${at}`).join(' ')} }`],
  ['an enormous name', `{ ${'n'.repeat(250_000)} }`],
  ['unknown directives', `{ __typename ${'@x '.repeat(700)} }`],
  ['repeated fields', `{ ${'things { nodes { name } } '.repeat(180)} }`],
  ['repeated arguments', `{ things(${'first: 1 '.repeat(450)}) { nodes { name } } }`],
  ['overlapping fragments', overlapping(90)],
])('%s make neither a large answer nor a slow one', async (_name, query) => {
  const body = JSON.stringify({ query })
  // Processor time, server and client together: the machine may be busy with something else.
  const started = process.cpuUsage()
  const response = await fetch(`${open.app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  const text = await response.text()
  expect(process.cpuUsage(started).user).toBeLessThan(500_000)
  expect(text.length).toBeLessThan(20_000)
})

/** Fragments that all meet in one place, each with a field of the same name. */
function overlapping(count: number): string {
  const names = Array.from({ length: count }, (_, at) => `F${at}`)
  const fragments = names.map((name, at) => `fragment ${name} on Query { things(first: ${at}) { nodes { name } } }`)
  return `{ ${names.map((name) => `...${name}`).join(' ')} } ${fragments.slice(0, 60).join(' ')}`
}

describe('without introspection', () => {
  test('the schema cannot be read, nor guessed by its suggestions', async () => {
    expect((await messages('{ __schema { types { name } } }', closed)).codes).toContain('GRAPHQL_VALIDATION_FAILED')
    expect((await messages('{ thingz { nodes { name } } }', closed)).messages).toEqual([
      'Cannot query field "thingz" on type "Query".',
    ])
    const document = 'query ($order: ThingOrder) { things(orderBy: $order) { nodes { name } } }'
    const { errors } = await closed.query(document, { order: { field: 'NAMES', direction: 'ASC' } })
    expect(errors?.[0].message).toContain('NAMES')
    expect(errors?.[0].message).not.toContain('Did you mean')
  })

  test('it can with it', async () => {
    expect((await messages('{ thingz { nodes { name } } }')).messages?.[0]).toContain('Did you mean')
  })
})
