import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { fact } from '../core/events.js'
import type { Log } from '../core/log.js'
import { inRequest, type RequestInfo } from '../core/request.js'

declare module 'fastify' {
  interface FastifyRequest {
    info: RequestInfo
  }
}

const finished = fact('request.finished')

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
  const started = performance.now()
  const info: RequestInfo = { id: request.id }
  request.info = info
  reply.header('x-request-id', request.id)
  reply.raw.once('close', () => {
    const { method } = request
    const path = pathOf(request.url)
    const status = reply.raw.writableFinished ? reply.raw.statusCode : clientClosed
    const duration = performance.now() - started
    finished.publish({ id: info.id, method, path, status, duration })
    const level = path === '/livez' || path === '/readyz' ? 'debug' : 'info'
    inRequest(info, () => log[level]({ method, path, status, duration: Math.round(duration * 10) / 10 }, 'request'))
  })
}

function pathOf(url: string): string {
  const end = url.search(/[?#]/)
  return end === -1 ? url : url.slice(0, end)
}
