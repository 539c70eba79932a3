import { ApolloServer, type ApolloServerPlugin, type GraphQLResponse, HeaderMap } from '@apollo/server'
import { buildSchema } from 'graphql'
import { expect, test, vi } from 'vitest'
import { createTokens } from '../../src/db/consistency.js'
import type { Context } from '../../src/graph/context.js'
import { createGateway } from '../../src/server/gateway.js'
import { createOperationPlugin } from '../../src/server/operation.js'
import { jwtSecret } from '../settings.js'

test.each([
  ['{ text }', '{"data":{"text":"all of it"}}'],
  ['{ missing }', 'Cannot query field'],
])('of %s nothing holds the answer any more, and the client has it', async (query, answer) => {
  let kept: Partial<GraphQLResponse> | undefined
  const keeper: ApolloServerPlugin<Context> = {
    requestDidStart: async ({ response }) => {
      kept = response
    },
  }
  const gateway = createGateway(buildSchema('type Query { text: String }'), () => ({ data: { text: 'all of it' } }))
  const plugins = [createOperationPlugin(createTokens([jwtSecret])), keeper]
  const apollo = new ApolloServer<Context>({ gateway, plugins, stopOnTerminationSignals: false })
  await apollo.start()
  const context = { request: {}, begin: () => {}, end: vi.fn() }
  const headers = new HeaderMap([['content-type', 'application/json']])
  const { body } = await apollo.executeHTTPGraphQLRequest({
    httpGraphQLRequest: { method: 'POST', headers, search: '', body: { query } },
    context: async () => context as unknown as Context,
  })
  await apollo.stop()
  expect(body).toEqual({ kind: 'complete', string: expect.stringContaining(answer) })
  expect(kept).toMatchObject({ http: {}, body: undefined })
  expect(context.end).toHaveBeenCalledOnce()
})
