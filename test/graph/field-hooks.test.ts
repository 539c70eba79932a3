import { ApolloServer } from '@apollo/server'
import { ApolloServerPluginCacheControlDisabled } from '@apollo/server/plugin/disabled'
import { type GraphQLSchema, isObjectType } from 'graphql'
import { expect, test } from 'vitest'
import { createExecutor } from '../../src/graph/executor.js'
import { createSchema } from '../../src/graph/schema.js'
import { createGateway } from '../../src/server/gateway.js'
import { fixture } from '../fixture/thing.resolver.js'
import { startHouse } from '../support.js'

/** Whoever hooks into fields replaces their resolvers, at the first request at the latest. */
function resolversOf(schema: GraphQLSchema): unknown[] {
  return Object.values(schema.getTypeMap()).flatMap((type) =>
    isObjectType(type) ? Object.values(type.getFields()).map(({ resolve }) => resolve) : [],
  )
}

test('nothing hooks into fields', async () => {
  await using house = await startHouse({ GRAPHQL_PLAN_AT_USE: '2' })
  const before = resolversOf(house.app.schema)
  const inputs = { input: { boxId: 'none', name: '' } }
  for (let use = 1; use <= 3; use++) {
    await house.query('{ things { nodes { name box { label } } } }')
    await house.query('mutation ($input: AddThingInput!) { addThing(input: $input) { errors { code } } }', inputs)
  }
  const after = resolversOf(house.app.schema)
  expect(after.map((resolver, index) => resolver === before[index])).toEqual(before.map(() => true))
})

test.each([
  ['a plugin', [{ requestDidStart: async () => ({ executionDidStart: async () => ({ willResolveField() {} }) }) }]],
  ['cache control', []],
])('%s that does would be found out', async (_name, plugins) => {
  const schema = await createSchema([fixture])
  const before = resolversOf(schema)
  const without = plugins.length > 0 ? [ApolloServerPluginCacheControlDisabled()] : []
  const apollo = new ApolloServer({
    gateway: createGateway(schema, createExecutor(schema, 1)),
    plugins: [...plugins, ...without],
  })
  await apollo.start()
  await apollo.executeOperation({ query: '{ __typename }' })
  expect(resolversOf(schema)).not.toEqual(before)
  await apollo.stop()
})
