import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { fact } from '../core/events.js'
import type { Log } from '../core/log.js'
import { inRequest, type RequestInfo } from '../core/request.js'
import { statusOf } from './errors.js'

declare module 'fastify' {
  interface FastifyRequest {
    info: RequestInfo
  }
}

const started = fact('request.started')
const finished = fact('request.finished')

/** In characters: nothing here has a longer one. */
const longestPath = 500

/** nginx's word for a connection that its client closed before the answer. */
const clientClosed = 499

/** The id that the client or its proxy gave the request, where it is a sane one, else a new one. */
export function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && /^[\w-]{1,64}$/.test(given) ? given : randomUUID()
}

/** Makes everything that a request causes part of it, and tells how each one ended. */
export function trackRequests(fastify: FastifyInstance, log: Log): void {
  fastify.decorateRequest('info')
  fastify.addHook('onRequest', (request, reply, done) => {
    trackRequest(request, reply, log)
    inRequest(request.info, done)
  })
}

/** The same for a request that no hook sees. */
export function trackRequest(request: FastifyRequest, reply: FastifyReply, log: Log): void {
  const began = performance.now()
  const info: RequestInfo = { id: request.id }
  const { method, headers } = request
  const path = pathOf(request.url)
  // A proxy may say anything.
  const scheme = request.protocol === 'https' ? 'https' : 'http'
  request.info = info
  reply.header('x-request-id', request.id)
  if (started.heard) started.publish({ request: info, method, path, scheme, headers })
  reply.raw.once('close', () => {
    const route = request.routeOptions.url
    // An answer that we cut short has told another status by then.
    const unfinished = reply.raw.errored ? statusOf.INTERNAL : clientClosed
    const status = reply.raw.writableFinished ? reply.raw.statusCode : unfinished
    const duration = performance.now() - began
    inRequest(info, () => {
      if (finished.heard) finished.publish({ request: info, method, path, scheme, route, status, duration })
      const level = path === '/livez' || path === '/readyz' ? 'debug' : 'info'
      log[level]({ method, path, status, duration: Math.round(duration * 10) / 10 }, 'request')
    })
  })
}

/** The path alone: of a whole URL, which a proxy may be sent, the rest may hold a password. */
function pathOf(url: string): string {
  return url
    .replace(/^\w+:\/\/[^/?#]*/, '')
    .replace(/[?#].*/s, '')
    .slice(0, longestPath)
}
