import type { Profiler } from 'node:inspector'
import { Session } from 'node:inspector/promises'
import { freemem } from 'node:os'
import { finished } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { getHeapSnapshot, getHeapStatistics } from 'node:v8'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { Failure } from '../core/errors.js'
import type { Log } from '../core/log.js'
import { requireAdmin } from '../graph/context.js'
import type { Viewers } from './viewer.js'

/** Microseconds between two samples: 2.5 % of CPU while it lasts, where 1,000 would take 13 %. */
const samplingInterval = 5_000

/** Bytes of memory that a snapshot takes for each byte of heap: 3 where it is mostly code, 10 where it is small objects. */
const snapshotCost = 10

const seconds = z.coerce.number().int().min(1).max(60).default(10)

/**
 * Serves administrators what the running process does and holds, one request at a time, others get CONFLICT:
 * - POST /diagnostics/cpu-profile?seconds=10 (1 to 60): a CPU profile, cut short when the server closes.
 * - POST /diagnostics/heap-snapshot: everything in memory. The process stands still while it is taken; OVERLOADED
 *   where the memory would not suffice.
 */
export function serveDiagnostics(fastify: FastifyInstance, viewers: Viewers, log: Log): void {
  const closing = new AbortController()
  fastify.addHook('preClose', async () => closing.abort())
  const onRequest = async ({ headers, url }: FastifyRequest) => {
    const { id } = requireAdmin({ viewer: await viewers.verify(headers.authorization) })
    log.warn({ viewer: id, url }, 'diagnostics asked for')
  }
  let busy = false
  const begin = (reply: FastifyReply): AbortSignal => {
    if (busy) throw new Failure('CONFLICT', 'A profile or snapshot is being taken: try again when it is done.')
    busy = true
    const over = new AbortController()
    finished(reply.raw, () => {
      busy = false
      over.abort()
    })
    return AbortSignal.any([over.signal, closing.signal])
  }

  fastify.post('/diagnostics/cpu-profile', { onRequest }, async ({ query }, reply) => {
    const duration = readSeconds(query) * 1000
    const profile = await profileCpu(duration, begin(reply))
    return attach(reply, 'cpuprofile').send(profile)
  })

  fastify.post('/diagnostics/heap-snapshot', { onRequest }, async (_request, reply) => {
    begin(reply)
    checkMemory()
    return attach(reply, 'heapsnapshot').send(getHeapSnapshot())
  })
}

function readSeconds(query: unknown): number {
  const { data, error } = seconds.safeParse((query as { seconds?: unknown }).seconds)
  if (error) throw new Failure('BAD_USER_INPUT', '`seconds` is a whole number from 1 to 60.')
  return data
}

/** Of so many milliseconds, or less where the signal ends it before. */
async function profileCpu(duration: number, signal: AbortSignal): Promise<Profiler.Profile> {
  const session = new Session()
  session.connect()
  try {
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: samplingInterval })
    await session.post('Profiler.start')
    await sleep(duration, undefined, { signal }).catch(() => {})
    return (await session.post('Profiler.stop')).profile
  } finally {
    // Whatever happened, this stops and disables its profiler too.
    session.disconnect()
  }
}

function checkMemory(): void {
  const needed = snapshotCost * getHeapStatistics().used_heap_size
  // Not process.availableMemory(), which takes the container's file cache for used.
  const left = Math.min(
    freemem(),
    (process.constrainedMemory() || Number.POSITIVE_INFINITY) - process.memoryUsage.rss(),
  )
  if (needed <= left) return
  const [most, rest] = [needed, left].map((bytes) => Math.round(bytes / 2 ** 20))
  throw new Failure('OVERLOADED', `A snapshot may take ${most} MB more memory, and ${rest} MB are left.`)
}

/** Makes the answer a file, which browsers and `curl -OJ` save under its name. */
function attach(reply: FastifyReply, kind: 'cpuprofile' | 'heapsnapshot'): FastifyReply {
  const name = `${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}.${kind}`
  return reply.type('application/json').header('content-disposition', `attachment; filename="${name}"`)
}
