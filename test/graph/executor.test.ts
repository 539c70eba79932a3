import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import {
  buildSchema,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLObjectType,
  getNamedType,
  isCompositeType,
  isUnionType,
  parse,
} from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createExecutor } from '../../src/graph/executor.js'
import { anyOperation } from './any-operation.js'
import { ranByPlan, runBoth } from './compared.js'
import { createNastySchema, types, ways } from './nasty.js'
import { nastyOperations } from './operations.js'

const nasty = createNastySchema()

// graphql-js leaves rejections behind in lists that fail; of interest are only those that we would leave.
const unhandled: unknown[] = []
const note = (reason: unknown) => void unhandled.push(reason)
let usual: NodeJS.UnhandledRejectionListener[]
beforeAll(() => {
  usual = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', note)
})
afterAll(() => {
  process.off('unhandledRejection', note)
  for (const listener of usual) process.on('unhandledRejection', listener)
})

describe('to the byte as graphql-js has it', () => {
  let compared = 0
  let planned = 0
  afterAll(() => {
    console.info(`${compared} operations compared, ${planned} of them ran by plan to some data`)
    expect(compared).toBeGreaterThan(1_500)
    expect(planned).toBeGreaterThan(1_000)
  })

  async function expectSame(document: string, variables?: Record<string, unknown>): Promise<boolean> {
    const both = await runBoth(nasty, document, variables)
    if (!both) return false
    compared++
    if (both.isPlanned) planned++
    expect(both.planned).toEqual([both.expected, both.expected, both.expected])
    return true
  }

  test.each(nastyOperations.map((given) => ({ given, name: given[0] })))('$name', async ({ given }) => {
    expect(await expectSame(...given)).toBe(true)
  })

  test.each(Object.keys(types))('every way to come by a value of the type %s', async (type) => {
    const inner = getNamedType((nasty.getType('Nasty') as GraphQLObjectType).getFields()[`${type}_is`]?.type)
    const selection = isUnionType(inner)
      ? '{ __typename ... on Nasty { int_is } }'
      : isCompositeType(inner)
        ? '{ a }'
        : ''
    for (const way of Object.keys(ways)) {
      const field = `${type}_${way}`
      const both = `x: b(n: 1) ${field} ${selection} ${field}_r ${selection} y: b(n: 2)`
      expect(await expectSame(`{ ${field}_r ${selection} node_is_r { ${both} } nodes_comes_r { ${both} } a }`)).toBe(
        true,
      )
    }
  })

  test('any operation', async () => {
    const operations = anyOperation(nasty, { Odd: ['text', 1, 'wrong'] })
    await fc.assert(
      fc.asyncProperty(operations, async ({ document, variables }) => void (await expectSame(document, variables))),
      { numRuns: 500 },
    )
  })
})

const small = buildSchema(`
  type Query { list: [Int!] pair: Pair thenable: Int args(n: Int, point: Point): String count: Int }
  type Pair { a: Int b: Int! }
  type Mutation { add(n: Int!): Int! }
  input Point { x: Int y: Int }
`)
const query = (small.getQueryType() as GraphQLObjectType).getFields()
const run = async (executor: ReturnType<typeof createExecutor>, document: DocumentNode, variables = {}) =>
  (await executor({ document, variables, context: {} })) as ExecutionResult

test('a document is planned at the given use, for each of its operations, and 0 would be never', async () => {
  const document = parse('query A { __typename } query B { __typename }')
  const executor = createExecutor(small, 3)
  const uses: boolean[] = []
  for (const operationName of ['A', 'A', 'A', 'B', 'A'])
    uses.push(ranByPlan(await executor({ document, operationName, context: {} })))
  expect(uses).toEqual([false, false, true, true, true])
  expect(ranByPlan(await run(executor, parse('{ __typename }')))).toBe(false)
})

test('what names no operation, or one that is not there, is refused as graphql-js does', async () => {
  const document = parse('query A { __typename } query B { __typename }')
  const executor = createExecutor(small, 1)
  expect((await executor({ document, context: {} })).errors?.[0]?.message).toContain('Must provide operation name')
  for (const operationName of ['C', ''])
    expect((await executor({ document, operationName, context: {} })).errors?.[0]?.message).toContain(
      'Unknown operation',
    )
})

test('mutations stay with graphql-js, one after the other, nothing after a failure that leaves no data', async () => {
  const added: number[] = []
  const add = (small.getMutationType() as GraphQLObjectType).getFields().add
  Object.assign(add ?? {}, {
    resolve: async (_: unknown, { n }: { n: number }) => {
      await new Promise((resolve) => setTimeout(resolve, 5 - n))
      if (n === 3) throw new Error('no more')
      return added.push(n)
    },
  })
  const executor = createExecutor(small, 1)
  const document = parse('mutation { a: add(n: 1) b: add(n: 2) c: add(n: 3) d: add(n: 4) }')
  expect((await run(executor, document)).data).toBeNull()
  expect(added).toEqual([1, 2])
})

test('of the outcomes that conditions can have, 32 are planned and the others run all the same', async () => {
  const names = Array.from({ length: 6 }, (_, index) => `c${index}`)
  const document = parse(
    `query (${names.map((name) => `$${name}: Boolean!`)}) { ${names.map((name) => `${name}: __typename @include(if: $${name})`)} }`,
  )
  const executor = createExecutor(small, 1)
  const results = await Promise.all(
    Array.from({ length: 64 }, async (_, outcome) => {
      const variables = Object.fromEntries(names.map((name, index) => [name, Boolean(outcome & (1 << index))]))
      const result = await run(executor, document, variables)
      expect(Object.keys(result.data ?? {})).toEqual(names.filter((name) => variables[name]))
      return ranByPlan(result)
    }),
  )
  expect(results.filter(Boolean)).toHaveLength(32)
})

test('a plan goes with its document', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const executor = createExecutor(small, 1)
  const documents = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      const document = parse(`{ a${index}: __typename pair { a b } }`)
      expect(ranByPlan(await run(executor, document))).toBe(true)
      return new WeakRef(document)
    }),
  )
  await expect
    .poll(() => {
      collect()
      return documents.filter((document) => document.deref()).length
    })
    .toBeLessThan(2)
})

test('a resolver may change the arguments it is given', async () => {
  const seen: string[] = []
  Object.assign(query.args ?? {}, {
    resolve: (_: unknown, args: { n: number; point: { x: number } }) => {
      seen.push(JSON.stringify(args))
      args.n++
      args.point.x++
    },
  })
  const executor = createExecutor(small, 1)
  const document = parse('query ($n: Int) { a: args(n: 1, point: { x: 1 }) b: args(n: $n, point: { x: $n }) }')
  for (let use = 0; use < 3; use++) await run(executor, document, { n: 1 })
  expect(new Set(seen)).toEqual(new Set(['{"n":1,"point":{"x":1}}']))
  expect(seen).toHaveLength(6)
})

test('what only looks like a promise is waited for, even if it answers at once, twice or never by itself', async () => {
  const executor = createExecutor(small, 1)
  const document = parse('{ thenable pair { a b } }')
  const thens: ((resolve: (value: unknown) => void, reject: (error: unknown) => void) => unknown)[] = [
    (resolve) => resolve(5),
    (resolve) => {
      resolve(5)
      resolve(6)
    },
    (resolve) => setImmediate(resolve, 5),
    (resolve, reject) => Promise.resolve(5).then(resolve, reject),
  ]
  Object.assign(query.pair ?? {}, { resolve: async () => ({ a: 1, b: 2 }) })
  for (const then of thens) {
    Object.assign(query.thenable ?? {}, { resolve: () => Object.defineProperty({}, 'then', { value: then }) })
    expect(JSON.stringify(await run(executor, document))).toBe('{"data":{"thenable":5,"pair":{"a":1,"b":2}}}')
  }
  Object.assign(query.thenable ?? {}, {
    resolve: () =>
      Object.defineProperty({}, 'then', {
        value() {
          throw new Error('while subscribing')
        },
      }),
  })
  expect((await run(executor, document)).errors?.[0]?.message).toBe('while subscribing')
})

test('what fails leaves no rejection behind that would end the process', async () => {
  unhandled.length = 0
  const executor = createExecutor(small, 1)
  const rejecting = () => Promise.reject(new Error('rejected'))
  Object.assign(query.list ?? {}, {
    resolve: () => [rejecting(), new Error('an item'), rejecting(), rejecting()],
  })
  Object.assign(query.pair ?? {}, { resolve: () => ({ a: rejecting(), b: rejecting() }) })
  const { data, errors } = await run(executor, parse('{ list pair { a b } }'))
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
  expect(JSON.stringify(data)).toBe('{"list":null,"pair":null}')
  expect(errors).toHaveLength(3)
  expect(unhandled).toEqual([])
})
