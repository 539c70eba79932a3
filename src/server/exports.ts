import { Readable } from 'node:stream'
import { constants } from 'node:zlib'
import compress from '@fastify/compress'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../core/config.js'
import { Failure } from '../core/errors.js'
import type { Log } from '../core/log.js'
import { inRequest } from '../core/request.js'
import { type Graph, readConsistency } from './graphql.js'
import type { Viewers } from './viewer.js'

/** In seconds: when whoever found no export free may ask again. */
const retryAfter = 5

/** In ms: how long before the end of a shutdown exports are cut, so that the database is told. */
const lead = 500

/** Levels that cost less than the rows themselves; and a window of 256 kB, as brotli would take 8 MB for each export. */
const brotli = { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_LGWIN]: 18 }
const compression = {
  global: false,
  customTypes: /^application\/x-ndjson/,
  encodings: ['zstd', 'br', 'gzip'] as ('zstd' | 'br' | 'gzip')[],
  brotliOptions: { params: brotli },
  // Gzip reads the level, zstd the parameter.
  zlibOptions: { level: 1, params: { [constants.ZSTD_c_compressionLevel]: 1 } },
}

/**
 * Serves GET /exports/:name: all rows of an export as NDJSON, a few chunks of them in memory at a time. One that fails
 * part way resets its connection: no client takes it for whole.
 */
export async function serveExports(
  fastify: FastifyInstance,
  { exports, db }: Graph,
  { config, log, viewers }: { config: Config; log: Log; viewers: Viewers },
): Promise<void> {
  const byName = new Map(exports.map((each) => [each.name, each]))
  const closing = endWithServer(fastify, config)

  await fastify.register(async (scope) => {
    await scope.register(compress, compression)
    scope.get('/exports/:name', { exposeHeadRoute: false }, async (request, reply) => {
      const found = byName.get((request.params as { name: string }).name)
      if (!found) throw new Failure('NOT_FOUND', 'There is no such export.')
      const after = readConsistency(request, db)
      const own = new AbortController()
      const signal = AbortSignal.any([own.signal, closing])
      const late = setTimeout(() => own.abort(tooLong), config.EXPORT_TIMEOUT_MS)
      // Before anything is waited for: a client may leave at any moment.
      reply.raw.once('close', () => {
        clearTimeout(late)
        own.abort(gone)
      })
      const viewer = await viewers.verify(request.headers.authorization)
      const lines = found.open(db, { viewer, parameters: request.query }, { signal, after })
      const first = await lines.next().catch((error) => refuse(reply, error))
      signal.addEventListener('abort', () => cut(request, reply, { log, error: signal.reason }))
      const text = pace(lines, first, { idle: config.EXPORT_IDLE_TIMEOUT_MS, abort: (error) => own.abort(error) })
      reply.type('application/x-ndjson').header('content-disposition', `attachment; filename="${found.name}.ndjson"`)
      reply.compress(Readable.from(text, { objectMode: false }))
      return reply
    })
  })
}

/** Why an export of which nobody is left to be told was ended. */
const gone = new Failure('OVERLOADED', 'The client left.')
const tooLong = new Failure('TIMEOUT', 'The export took too long.')

function endWithServer(fastify: FastifyInstance, config: Config): AbortSignal {
  const closing = new AbortController()
  const rest = config.SHUTDOWN_TIMEOUT_MS - config.SHUTDOWN_ANNOUNCE_MS - lead
  const abort = () => closing.abort(new Failure('OVERLOADED', 'The server closes.'))
  fastify.addHook('preClose', async () => void setTimeout(abort, Math.max(0, rest)).unref())
  return closing.signal
}

function refuse(reply: FastifyReply, error: unknown): never {
  if (error instanceof Failure && error.code === 'OVERLOADED') reply.header('retry-after', retryAfter)
  throw error
}

/** The lines as their reader takes them; one that takes none for so long is not waited for. */
async function* pace(
  lines: AsyncGenerator<string, void>,
  first: IteratorResult<string, void>,
  { idle, abort }: { idle: number; abort: (error: unknown) => void },
) {
  let next = first
  while (!next.done) {
    const timer = setTimeout(() => abort(new Failure('TIMEOUT', 'The reader took too long.')), idle)
    try {
      yield next.value
    } finally {
      clearTimeout(timer)
    }
    try {
      next = await lines.next()
    } catch (error) {
      abort(error)
      // The connection has ended with it: this is for nobody, and not logged again.
      throw gone
    }
  }
}

/** Ends the connection in the middle of the answer, and says why where that is not the client's doing. */
function cut({ info }: FastifyRequest, reply: FastifyReply, { log, error }: { log: Log; error: unknown }): void {
  if (error === gone) return
  // By a reset: to HTTP/1.0, which proxies may speak to us, an orderly end of the connection is that of the answer.
  reply.raw.socket?.resetAndDestroy()
  reply.raw.destroy(error as Error)
  inRequest(info, () => log.error({ err: error }, 'an export was cut'))
}
