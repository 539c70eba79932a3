import { type Server as HttpServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import cors from '@fastify/cors'
import { fastify as createFastify, type FastifyInstance } from 'fastify'
import helmet from 'helmet'
import type { Config } from '../core/config.js'
import type { Log } from '../core/log.js'
import { serveDiagnostics } from './diagnostics.js'
import { createErrorReply, errorBody, replyError } from './errors.js'
import { serveExports } from './exports.js'
import { serveGraphiql } from './graphiql.js'
import { type Graph, type Graphql, serveGraphql } from './graphql.js'
import { type Health, serveHealth } from './health.js'
import { consistencyHeader } from './operation.js'
import { requestId, trackRequest, trackRequests } from './requests.js'
import { createDrain } from './shutdown.js'
import { createViewers } from './viewer.js'

/** The server room. */
export interface Server extends Health {
  readonly http: HttpServer
  /** Runs when the last request is answered, before {@link close} ends; the last one given runs first. */
  onClose(action: () => Promise<void>): void
  /** Answers the server's own URL. */
  listen(): Promise<string>
  readonly rehearse: Graphql['rehearse']
  /**
   * Drains: not ready, requests in flight finish, then nothing listens any more and what was opened is closed; all in
   * SHUTDOWN_TIMEOUT_MS at most. Calling it again waits for the first.
   */
  close(): Promise<void>
}

/** How long a client may take to send a request, in ms. */
const requestTimeout = 30_000

/** Makes the server, which does not listen yet. */
export async function createServer(graph: Graph, config: Config, log: Log): Promise<Server> {
  const fastify = open(config, log)
  trackRequests(fastify, log)
  const drain = createDrain(fastify, config)
  await protect(fastify, config)
  const health = serveHealth(fastify, log, () => drain.begun)
  const viewers = createViewers(config, log)
  if (config.DIAGNOSTICS) serveDiagnostics(fastify, viewers, log)
  if (config.GRAPHIQL) serveGraphiql(fastify)
  await serveExports(fastify, graph, { config, log, viewers })
  const graphql = await serveGraphql(fastify, graph, { config, log, viewers })
  await fastify.ready()

  const closing = [graphql.stop]
  let closed: Promise<void> | undefined
  const close = async () => {
    const expired = sleep(config.SHUTDOWN_TIMEOUT_MS, undefined, { ref: false })
    await drain.run()
    // A pool ends with its last statement, which goes on after its request was cut: that is no longer waited for.
    for (const action of closing.reverse()) await Promise.race([action(), expired])
  }
  return {
    http: fastify.server,
    ready: health.ready,
    onClose: (action) => void closing.push(action),
    listen: () => fastify.listen({ port: config.PORT, host: config.HOST }),
    rehearse: graphql.rehearse,
    close: () => {
      closed ??= close()
      return closed
    },
  }
}

function open(config: Config, log: Log): FastifyInstance {
  const replyToError = createErrorReply(log, config.LIMIT_BODY_BYTES)
  const fastify = createFastify({
    logger: false,
    genReqId: requestId,
    bodyLimit: config.LIMIT_BODY_BYTES,
    trustProxy: config.TRUST_PROXY,
    keepAliveTimeout: config.KEEP_ALIVE_MS,
    requestTimeout,
    // Node bounds the headers when it makes the server, before Fastify tells it the above, and mixes the two up then.
    http: { requestTimeout, headersTimeout: requestTimeout, connectionsCheckingInterval: requestTimeout / 10 },
    // The announced drain takes its place.
    return503OnClosing: false,
    clientErrorHandler: (error, socket) => refuseConnection(error, socket),
    frameworkErrors: (error, request, reply) => {
      trackRequest(request, reply, log)
      replyToError(error, request, reply)
    },
  })
  fastify.server.on('connection', closeSilent)
  fastify.setErrorHandler(replyToError)
  fastify.setNotFoundHandler((_request, reply) => replyError(reply, 404, 'NOT_FOUND', 'There is nothing at this path.'))
  return fastify
}

/** Ends a connection that says nothing at all: it has no request whose time could be up. */
function closeSilent(socket: Socket): void {
  const timer = setTimeout(() => socket.bytesRead === 0 && socket.destroy(), requestTimeout).unref()
  socket.once('close', () => clearTimeout(timer))
}

/** Security headers for answers that are data, never pages; and other origins, where they are configured. */
async function protect(fastify: FastifyInstance, { CORS_ORIGINS }: Config): Promise<void> {
  const headers = { ...securityHeaders(), 'cache-control': 'no-store' }
  fastify.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers)
    done()
  })
  if (CORS_ORIGINS.length === 0) return
  await fastify.register(cors, {
    origin: CORS_ORIGINS.includes('*') ? '*' : CORS_ORIGINS,
    methods: ['GET', 'POST'],
    exposedHeaders: ['x-request-id', consistencyHeader],
    maxAge: 600,
    strictPreflight: false,
  })
}

/** Helmet's: the same for every request, so it is asked once. */
function securityHeaders(): Record<string, string> {
  const headers: Record<string, string> = {}
  const setHeaders = helmet({
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
  })
  const response = { setHeader: (name: string, value: string) => (headers[name.toLowerCase()] = value) }
  setHeaders({} as IncomingMessage, { ...response, removeHeader: () => {} } as unknown as ServerResponse, () => {})
  return headers
}

/** What is not HTTP gets an answer all the same, the only one that this connection will have. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
  const body = errorBody('BAD_USER_INPUT', `${STATUS_CODES[status]}.`)
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
