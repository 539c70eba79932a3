import { setFlagsFromString } from 'node:v8'
import { fastify as createFastify, type FastifyReply, type FastifyRequest } from 'fastify'
import { Redis } from 'ioredis'
import { load } from '../data.js'
import { names } from './f00.client.js'

/**
 * Answers `/<name>` with the bytes that were sent to `/bodies/<name>`: what Fastify costs with this project's request
 * ids, log, facts, their listeners and check of tokens, all of them its own code. With REDIS_URL the bytes are fetched
 * from there for each request, and sent as they come: that is F00r.
 */
const { fact } = await load('core/events.js')
const { loadConfig } = await load('core/config.js')
const { createLog } = await load('core/log.js')
const { observe } = await load('observe/observe.js')
const { requestId, trackRequests } = await load('server/requests.js')
const { createViewers } = await load('server/viewer.js')

// As in `src/main.ts`.
setFlagsFromString('--no-allocation-site-pretenuring')
const config = loadConfig(process.env)
const log = createLog(config)
const viewers = createViewers(config, log)
// It runs no statement whose plan it would look at.
observe(config, { db: undefined, log, operations: new Set(), exports: { traces: false, metrics: false } })

const finished = fact('operation.finished')
const operation = { name: undefined, type: 'query', hash: '0'.repeat(64) }
const etag = `"${'0'.repeat(43)}"`
const bodies = new Map<string, Buffer>()
const redis = process.env.REDIS_URL ? new Redis(process.env.REDIS_URL) : undefined

const fastify = createFastify({
  logger: false,
  genReqId: requestId,
  bodyLimit: config.LIMIT_BODY_BYTES,
  keepAliveTimeout: config.KEEP_ALIVE_MS,
})
trackRequests(fastify, log)
for (const name of names) {
  fastify.post(`/bodies/${name}`, (request, reply) => {
    const body = Buffer.from(JSON.stringify(request.body))
    if (redis) return redis.set(name, body).then(() => ({}))
    bodies.set(name, body)
    reply.send({})
  })
  fastify.route({
    method: ['GET', 'POST'],
    url: `/${name}`,
    handler: (request, reply) => answer(request, reply, name),
  })
}
await fastify.listen({ port: config.PORT, host: '127.0.0.1' })
log.info('ready')
process.once('SIGTERM', () => process.exit(0))

async function answer(request: FastifyRequest, reply: FastifyReply, name: string): Promise<FastifyReply> {
  const began = performance.now()
  await viewers.verify(request.headers.authorization)
  if (finished.heard) {
    const duration = performance.now() - began
    finished.publish({ operation, errors: [], hasData: true, duration, executed: undefined })
  }
  reply.header('etag', etag)
  if (request.headers['if-none-match'] === etag) return reply.code(304).send()
  const body = redis ? await redis.getBuffer(name) : bodies.get(name)
  return reply.header('content-type', 'application/json; charset=utf-8').send(body)
}
