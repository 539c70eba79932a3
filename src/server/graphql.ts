import { ApolloServer } from '@apollo/server'
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled'
import fastifyApollo from '@as-integrations/fastify'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { GraphQLSchema } from 'graphql'
import type { Config } from '../core/config.js'
import type { Log } from '../core/log.js'
import type { Point } from '../db/consistency.js'
import type { Database } from '../db/database.js'
import { Context } from '../graph/context.js'
import { createExecutor } from '../graph/executor.js'
import type { Projector } from '../graph/projection.js'
import { createDocumentStore } from './documents.js'
import { createErrorFormat, httpFailure, replyError } from './errors.js'
import { createGateway } from './gateway.js'
import { createLimitsRule } from './limits.js'
import { chooseMediaType } from './media.js'
import { consistencyHeader, createOperationPlugin } from './operation.js'
import type { Viewers } from './viewer.js'

/** What operations run on. */
export interface Graph {
  readonly schema: GraphQLSchema
  readonly db: Database
  readonly projector: Projector
}

const mostValidationErrors = 20

/** Serves the schema at /graphql; the answer stops what was started. */
export async function serveGraphql(
  fastify: FastifyInstance,
  { schema, db, projector }: Graph,
  { config, log, viewers }: { config: Config; log: Log; viewers: Viewers },
): Promise<() => Promise<void>> {
  const planAt = config.GRAPHQL_PLAN_AT_USE
  const apollo = new ApolloServer<Context>({
    ...(planAt === 0 ? { schema } : { gateway: createGateway(schema, createExecutor(schema, planAt)) }),
    introspection: config.INTROSPECTION,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    documentStore: createDocumentStore(),
    parseOptions: { maxTokens: config.LIMIT_TOKENS },
    validationRules: [createLimitsRule(config)],
    // What a suggestion names is the schema, which a server without introspection keeps to itself.
    validationOptions: { maxErrors: mostValidationErrors, hideSuggestions: !config.INTROSPECTION },
    formatError: createErrorFormat(log, config.INTROSPECTION),
    logger: log,
    plugins: [
      createOperationPlugin(db.tokens),
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
    ],
  })
  await apollo.start()

  await fastify.register(fastifyApollo(apollo), {
    method: ['GET', 'POST'],
    context: async (request) => {
      if (!chooseMediaType(request.headers.accept))
        throw httpFailure(406, 'BAD_USER_INPUT', 'Answers are application/graphql-response+json or application/json.')
      checkPersistedQuery(request)
      const after = readConsistency(request, db)
      const viewer = await viewers.verify(request.headers.authorization)
      return new Context(db, projector, { requestId: request.id, viewer, issueToken: viewers.issue, after })
    },
  })
  fastify.route({ method: ['PUT', 'PATCH', 'DELETE', 'OPTIONS'], url: '/graphql', handler: refuseMethod })
  return () => apollo.stop()
}

function refuseMethod(_request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return replyError(reply.header('allow', 'GET, POST'), 405, 'BAD_USER_INPUT', 'Send POST, or GET for queries.')
}

/** Apollo takes the hash for a string that it is not always: a cache key made of it may throw. */
function checkPersistedQuery({ body, query }: FastifyRequest): void {
  const given =
    (body as { extensions?: unknown } | undefined)?.extensions ?? (query as { extensions?: unknown }).extensions
  const extensions = typeof given === 'string' ? parse(given) : given
  const persisted = (extensions as { persistedQuery?: { sha256Hash?: unknown } } | null | undefined)?.persistedQuery
  if (persisted === undefined || persisted === null) return
  const { sha256Hash } = persisted
  if (typeof sha256Hash !== 'string' || !/^[0-9a-f]{64}$/.test(sha256Hash))
    throw httpFailure(400, 'BAD_USER_INPUT', '`persistedQuery.sha256Hash` is 64 hexadecimal digits, in lower case.')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function readConsistency({ headers }: FastifyRequest, { tokens }: Database): Point | undefined {
  const token = headers[consistencyHeader]
  if (token === undefined) return undefined
  const point = typeof token === 'string' ? tokens.verify(token) : undefined
  if (!point) throw httpFailure(400, 'BAD_USER_INPUT', `The token in ${consistencyHeader} is not one of ours.`)
  return point
}
