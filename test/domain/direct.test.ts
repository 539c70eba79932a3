import {
  execute,
  type GraphQLSchema,
  getOperationAST,
  isIntrospectionType,
  isObjectType,
  type OperationDefinitionNode,
  parse,
} from 'graphql'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { slices } from '../../src/domain/index.js'
import { Context } from '../../src/graph/context.js'
import { Kept } from '../../src/graph/kept.js'
import { createProjector } from '../../src/graph/projection.js'
import { createSchema } from '../../src/graph/schema.js'
import { startBusiness, type TestApp } from '../support.js'
import { type Call, operations, readOperation, seedCalls } from './operations.js'

let app: TestApp
let calls: Record<string, Call>
let wrapped: GraphQLSchema

beforeAll(async () => {
  app = await startBusiness()
  calls = await seedCalls(app)
  wrapped = await createSchema(slices, { direct: false })
})
afterAll(() => app[Symbol.asyncDispose]())

test('every field of the business is called directly', () => {
  const fields = fieldsOf(app.app.schema)
  expect(fields.filter(({ extensions }) => !extensions.direct).map(({ at }) => at)).toEqual([])
  expect(fields.length).toBeGreaterThan(150)
  expect(fieldsOf(wrapped).some(({ extensions }) => extensions.direct)).toBe(false)
})

test.each(operations)('%s is answered as through wrappers', async (name) => {
  const call = calls[name] as Call
  const expected = await run(wrapped, name, call)
  expect(expected).toHaveProperty(`data.${call.path}`)
  expect(await run(app.app.schema, name, call)).toEqual(expected)
})

async function run(schema: GraphQLSchema, name: string, { variables, as }: Call) {
  const { db, remotes } = app.app
  const document = parse(readOperation(name))
  const issueToken = async () => ({ token: 'a token', expiresAt: '2024-01-02 03:04:05+00' })
  const projector = createProjector(schema, (type) => db.columns(type))
  const contextValue = new Context(
    { db, projector, remotes, kept: new Kept(db.keys) },
    { request: { id: name }, viewer: as ?? null, issueToken },
  )
  contextValue.begin(document, getOperationAST(document) as OperationDefinitionNode)
  const answer = await execute({ schema, document, variableValues: variables ?? {}, contextValue })
  return JSON.parse(JSON.stringify(answer), name === 'add-comment' ? withoutIdentity : undefined)
}

/** Two comments that say the same differ in these. */
function withoutIdentity(key: string, value: unknown): unknown {
  return ['id', 'createdAt'].includes(key) ? typeof value : value
}

function fieldsOf(schema: GraphQLSchema) {
  return Object.values(schema.getTypeMap()).flatMap((type) =>
    isObjectType(type) && !isIntrospectionType(type)
      ? Object.values(type.getFields()).map(({ name, extensions }) => ({ at: `${type.name}.${name}`, extensions }))
      : [],
  )
}
