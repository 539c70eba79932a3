import type { ApolloServerPlugin, GraphQLRequestContext, GraphQLRequestListener } from '@apollo/server'
import { type ErrorCode, isErrorCode } from '../core/errors.js'
import { fact } from '../core/events.js'
import type { OperationInfo } from '../core/request.js'
import type { Tokens } from '../db/consistency.js'
import type { Context } from '../graph/context.js'
import { findPaths } from '../graph/paths.js'
import { httpFailure, statusOf } from './errors.js'
import { chooseMediaType } from './media.js'

/** A name is the client's: it may have any length. */
const longestName = 100

/** What a client is told that asks by a hash not sent before: its next request has the document. */
const firstStep: ErrorCode = 'PERSISTED_QUERY_NOT_FOUND'

/** Where a write's consistency token travels, both ways. */
export const consistencyHeader = 'x-consistency-token'

const parsed = fact('operation.parsed')
const validated = fact('operation.validated')
const started = fact('operation.started')
const finished = fact('operation.finished')

/** Begins each operation on its context, and gives its answer the status, media type and token that it should have. */
export function createOperationPlugin(tokens: Tokens): ApolloServerPlugin<Context> {
  return {
    async requestDidStart() {
      const began = performance.now()
      let executing: number | undefined
      return {
        ...tellOfDocuments,
        async didResolveOperation({ document, operation, schema, contextValue, queryHash }) {
          // Absent where the request names an operation that the document has not: executing says so.
          if (!operation) return
          const name = operation.name?.value
          const { request } = contextValue
          request.operation = name?.slice(0, longestName)
          if (!schema.getRootType(operation.operation))
            throw httpFailure(400, 'BAD_USER_INPUT', `This API has no ${operation.operation} operations.`)
          contextValue.begin(document, operation)
          executing = performance.now()
          request.executing = { name: request.operation, type: operation.operation, hash: queryHash }
          if (started.heard && !request.isRehearsal) {
            const paths = (coordinate: string) => findPaths(schema, document, coordinate)
            started.publish({ operation: request.executing, paths })
          }
        },
        async willSendResponse(context) {
          const { response, contextValue } = context
          if (response.body.kind !== 'single') return
          const result = response.body.singleResult
          settleHead(context, result.errors?.[0]?.extensions?.code)
          if (result.errors) contextValue.caching?.fail()
          if (contextValue.written) {
            const token = tokens.sign(contextValue.written)
            response.http.headers.set(consistencyHeader, token)
            result.extensions = { ...result.extensions, consistencyToken: token }
          }
          if (finished.heard && !contextValue.request.isRehearsal) {
            const now = performance.now()
            const executed = executing === undefined ? undefined : now - executing
            const { data } = result
            const errors = (result.errors ?? []).filter(({ extensions }) => extensions?.code !== firstStep)
            const hasData = data !== undefined && data !== null
            finished.publish({ operation: describe(context), errors, hasData, duration: now - began, executed })
          }
          release(context)
        },
      }
    },
  }
}

/** Called for documents that are not known yet. */
const tellOfDocuments: GraphQLRequestListener<Context> = {
  async parsingDidStart({ queryHash: hash }) {
    const began = performance.now()
    return async (error) => {
      if (parsed.heard) parsed.publish({ hash, duration: performance.now() - began, error: error !== undefined })
    }
  },
  async validationDidStart({ queryHash: hash }) {
    const began = performance.now()
    return async (errors = []) => {
      if (validated.heard) validated.publish({ hash, duration: performance.now() - began, errors: errors.length })
    }
  },
}

/** The operation that was executed, or what is known of one that was not. */
function describe({ contextValue, operation, queryHash }: GraphQLRequestContext<Context>): OperationInfo {
  return contextValue.request.executing ?? { name: undefined, type: operation?.operation, hash: queryHash }
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
