import type { ApolloServerOptionsWithGateway } from '@apollo/server'
import type { GraphQLSchema } from 'graphql'
import type { Context } from '../graph/context.js'
import type { Executor } from '../graph/executor.js'

type Gateway = ApolloServerOptionsWithGateway<Context>['gateway']

/** Has Apollo Server execute by an executor of ours; parsing, validation, hooks and errors stay Apollo's. */
export function createGateway(schema: GraphQLSchema, executor: Executor): Gateway {
  return {
    onSchemaLoadOrUpdate(listen) {
      listen({ apiSchema: schema, coreSupergraphSdl: '' })
      return () => {}
    },
    load: async () => ({
      executor: async ({ document, request, context }) =>
        executor({ document, operationName: request.operationName, variables: request.variables, context }),
    }),
    stop: async () => {},
  }
}
