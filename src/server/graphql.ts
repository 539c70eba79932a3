import { hash, randomUUID } from 'node:crypto'
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
import { type GraphQLSchema, printSchema } from 'graphql'
import type { Config } from '../core/config.js'
import type { Failure } from '../core/errors.js'
import { fact } from '../core/events.js'
import type { Log } from '../core/log.js'
import { inRequest } from '../core/request.js'
import type { Point } from '../db/consistency.js'
import type { Database } from '../db/database.js'
import { Context, type Rooms } from '../graph/context.js'
import { createExecutor } from '../graph/executor.js'
import type { Export } from '../graph/export.js'
import { createDocumentStore } from './documents.js'
import { createErrorFormat, httpFailure, replyError } from './errors.js'
import { createGateway } from './gateway.js'
import { createLimitsRule } from './limits.js'
import { chooseMediaType } from './media.js'
import { consistencyHeader, createOperationPlugin } from './operation.js'
import { createPersistedDocuments } from './persisted.js'
import { keepResponses } from './responses.js'
import { createSender } from './sender.js'
import type { Viewers } from './viewer.js'

/** What operations and exports run on. */
export interface Graph extends Rooms {
  readonly schema: GraphQLSchema
  readonly exports: readonly Export[]
}

const mostValidationErrors = 20

const finished = fact('operation.finished')

/** What is served at /graphql. */
export interface Graphql {
  /** Runs an operation, for nobody and untold, until the process has made all that it makes of a document. */
  rehearse(operation: Sendable): Promise<void>
  stop(): Promise<void>
}

/** An operation as a client sends it. */
export interface Sendable {
  readonly query: string
  readonly variables?: object | undefined
}

/** Serves the schema at /graphql. */
export async function serveGraphql(
  fastify: FastifyInstance,
  { schema, ...rooms }: Graph,
  { config, log, viewers }: { config: Config; log: Log; viewers: Viewers },
): Promise<Graphql> {
  const { db, cache } = rooms
  const planAt = config.GRAPHQL_PLAN_AT_USE
  const apollo = new ApolloServer<Context>({
    ...(planAt === 0 ? { schema } : { gateway: createGateway(schema, createExecutor(schema, planAt)) }),
    introspection: config.INTROSPECTION,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    documentStore: createDocumentStore(),
    ...(cache && { persistedQueries: { cache: createPersistedDocuments(cache.values) } }),
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

  const createContext = async (request: FastifyRequest) => {
    const { info, keeping } = request
    // Who looked for an earlier answer has checked all this.
    if (keeping)
      return new Context(rooms, {
        request: info,
        issueToken: viewers.issue,
        reading: keeping.reading,
        ...keeping.asker,
      })
    if (!chooseMediaType(request.headers.accept))
      throw httpFailure(406, 'BAD_USER_INPUT', 'Answers are application/graphql-response+json or application/json.')
    checkPersistedQuery(request)
    const after = readConsistency(request, db)
    const viewer = await viewers.verify(request.headers.authorization)
    const lastWrite = viewer && cache ? await cache.lastWrite(viewer.id) : 0
    return new Context(rooms, { request: info, viewer, issueToken: viewers.issue, after, lastWrite })
  }
  await fastify.register(async (scope) => {
    const sender = createSender(config.CACHE_HTTP_MAX_AGE_S)
    const { INTROSPECTION, LIMIT_TOKENS, LIMIT_DEPTH, LIMIT_ALIASES } = config
    // Whoever refuses more must not find what others answered.
    const form = [printSchema(schema), INTROSPECTION, LIMIT_TOKENS, LIMIT_DEPTH, LIMIT_ALIASES]
    const release = hash('sha256', JSON.stringify(form), 'base64url').slice(0, 12)
    const ttl = config.CACHE_TTL_S * 1_000
    const keep =
      cache && config.CACHE_RESPONSES
        ? keepResponses(scope, { cache, viewers, tokens: db.tokens, release, ttl, sender })
        : undefined
    scope.addHook('onSend', (request, reply, payload, done) => {
      // What is kept has its head already.
      if (typeof payload !== 'string') return done(null, payload)
      const entry = keep?.(request, reply, payload)
      sender.encode(request, reply, { text: payload, entry }).then((body) => done(null, body), done)
    })
    await scope.register(fastifyApollo(apollo), { method: ['GET', 'POST'], context: tellRefusals(createContext) })
  })
  fastify.route({ method: ['PUT', 'PATCH', 'DELETE', 'OPTIONS'], url: '/graphql', handler: refuseMethod })
  return {
    async rehearse(operation) {
      for (let use = 0; use < Math.max(1, planAt); use++) {
        const request = { id: randomUUID(), isRehearsal: true }
        const contextValue = new Context(rooms, { request, viewer: null, issueToken: viewers.issue })
        await inRequest(request, () => apollo.executeOperation(operation as object, { contextValue }))
      }
    },
    stop: () => apollo.stop(),
  }
}

/** Who is refused before there is an operation is told of as one, that nothing is known of. */
function tellRefusals(
  make: (request: FastifyRequest) => Promise<Context>,
): (request: FastifyRequest) => Promise<Context> {
  return async (request) => {
    const began = performance.now()
    try {
      return await make(request)
    } catch (error) {
      const errors = [error as Failure]
      const operation = { name: undefined, type: undefined, hash: undefined }
      const duration = performance.now() - began
      if (finished.heard) finished.publish({ operation, errors, hasData: false, duration, executed: undefined })
      throw error
    }
  }
}

function refuseMethod(_request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return replyError(reply.header('allow', 'GET, POST'), 405, 'BAD_USER_INPUT', 'Send POST, or GET for queries.')
}

/** Apollo takes the hash for a string that it is not always: a cache key made of it may throw. */
function checkPersistedQuery({ body, query }: FastifyRequest): void {
  const { extensions: given } = (body ?? query) as { extensions?: unknown }
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

/** The point of the request's consistency token, if it has one. @throws Failure BAD_USER_INPUT where it is not ours. */
export function readConsistency({ headers }: FastifyRequest, { tokens }: Database): Point | undefined {
  const token = headers[consistencyHeader]
  if (token === undefined) return undefined
  const point = typeof token === 'string' ? tokens.verify(token) : undefined
  if (!point) throw httpFailure(400, 'BAD_USER_INPUT', `The token in ${consistencyHeader} is not one of ours.`)
  return point
}
