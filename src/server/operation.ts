import type { ApolloServerPlugin, GraphQLRequestContext } from '@apollo/server'
import type { OperationDefinitionNode } from 'graphql'
import { isErrorCode } from '../core/errors.js'
import { fact } from '../core/events.js'
import { currentRequest } from '../core/request.js'
import type { Tokens } from '../db/consistency.js'
import type { Context } from '../graph/context.js'
import { httpFailure, statusOf } from './errors.js'
import { chooseMediaType } from './media.js'

/** Where a write's consistency token travels, both ways. */
export const consistencyHeader = 'x-consistency-token'

const finished = fact('operation.finished')

/** Begins each operation on its context, and gives its answer the status, media type and token that it should have. */
export function createOperationPlugin(tokens: Tokens): ApolloServerPlugin<Context> {
  return {
    async requestDidStart() {
      const started = performance.now()
      return {
        async didResolveOperation({ document, operation, schema, contextValue }) {
          // Absent where the request names an operation that the document has not: executing says so.
          if (!operation) return
          const request = currentRequest()
          if (request) request.operation = operation.name?.value.slice(0, 100)
          if (!schema.getRootType(operation.operation))
            throw httpFailure(400, 'BAD_USER_INPUT', `This API has no ${operation.operation} operations.`)
          contextValue.begin(document, operation.name?.value)
        },
        async willSendResponse(context) {
          const { response, operation, contextValue } = context
          if (response.body.kind !== 'single') return
          const result = response.body.singleResult
          settleHead(context, result.errors?.[0]?.extensions?.code)
          if (contextValue.written) {
            const token = tokens.sign(contextValue.written)
            response.http.headers.set(consistencyHeader, token)
            result.extensions = { ...result.extensions, consistencyToken: token }
          }
          if (operation && finished.heard) publish(operation, result.errors?.length ?? 0, performance.now() - started)
          release(context)
        },
      }
    },
  }
}

/**
 * By GraphQL over HTTP, `application/json` answers 200 to whatever is wrong inside a well-formed request; there the
 * status says nothing of the document.
 */
function settleHead({ request, response: { http }, source }: GraphQLRequestContext<Context>, code: unknown): void {
  const type = chooseMediaType(request.http?.headers.get('accept'))
  if (type) http.headers.set('content-type', `${type}; charset=utf-8`)
  if (http.status === 500 && isErrorCode(code)) http.status = statusOf[code]
  if (http.status === 400 && source !== undefined && type === 'application/json') http.status = 200
}

/**
 * What Apollo hands to a gateway has an accessor of its own, for which V8 makes a hidden class per request; that holds
 * the request's objects, and lives until the next whole collection. So the answer leaves them, and what was loaded too:
 * otherwise all of it is copied by two scavenges before it is dropped, for a third of the process's time.
 */
function release(context: GraphQLRequestContext<Context>): void {
  const { http, body } = context.response
  context.response.body = undefined
  Object.assign(context, { response: { http, body } })
  context.contextValue.end()
}

function publish({ name, operation }: OperationDefinitionNode, errors: number, duration: number): void {
  finished.publish({ name: name?.value, type: operation, errors, duration })
}
