import { type Asked, canonical, findDifference } from './client.js'
import type { Data } from './data.js'
import { ask, type Bounds, runLoad } from './load.js'
import { countStatements, cpuOf, cpuOfPostgres, peakOf, quantile, resetPeak } from './measure.js'
import { type Running, type Setting, startServer } from './processes.js'
import type { Server } from './servers.js'
import { type Sample, type ShapeName, shapes, variants } from './shapes.js'

/** What a run stands on. */
export interface Bench {
  readonly data: Data
  readonly sample: Sample
  readonly setting: Setting
  /** Seconds of one measurement, and of the first warm-up of a server and shape. */
  readonly seconds: number
  readonly warmup: number
}

/** What one round measured: CPU in µs per request, latencies in ms. */
export interface Round {
  readonly requests: number
  readonly server: number
  readonly postgres: number
  readonly redis: number
  readonly perSecond: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

/** Requests that are under way at once. */
const concurrency = 8

/** A started server that was asked what must be known to ask it. */
export async function openServer(bench: Bench, server: Server, floor?: Running): Promise<Running> {
  const running = await startServer(server, bench.setting)
  const askFloor = (shape: ShapeName) =>
    ask((floor as Running).url, requestOf(bench, (floor as Running).server, shape, 0))
  await server.client.prepare?.(async (asked) => JSON.parse(await ask(running.url, asked)), askFloor)
  return running
}

/** Throws unless the server answers several requests of the shape as F0 does. */
export async function checkShape(bench: Bench, floor: Running, running: Running, shape: ShapeName): Promise<void> {
  for (let index = 0; index < 5; index++) {
    const [expected, found] = await Promise.all(
      [floor, running].map(async ({ url, server }) => {
        const answer: unknown = JSON.parse(await ask(url, requestOf(bench, server, shape, index * 37)))
        return canonical(server.client.normalise(shape, answer))
      }),
    )
    const difference = findDifference(expected, found)
    if (difference) throw new Error(`${running.server.name} does not answer ${shape} as F0 does, at ${difference}`)
  }
}

/** SQL statements and the buffers that they looked at, per request. */
export async function countShape(
  bench: Bench,
  running: Running,
  shape: ShapeName,
  numberOf = (index: number) => index * 7,
): Promise<{ statements: number; buffers: number }> {
  const requests = 20
  const { statements, buffers } = await countStatements(bench.data.url, async () => {
    for (let index = 0; index < requests; index++)
      await ask(running.url, requestOf(bench, running.server, shape, numberOf(index)))
  })
  return { statements: statements / requests, buffers: buffers / requests }
}

/** Loads the server with requests of one shape, whose numbers `numberOf` tells, and measures what they cost. */
export async function measureShape(
  bench: Bench,
  running: Running,
  shape: ShapeName,
  { numberOf = (index: number) => index, ...bounds }: Partial<Bounds> & { numberOf?: (index: number) => number },
): Promise<Round> {
  const next = (index: number) => requestOf(bench, running.server, shape, numberOf(index))
  const cpu = () => ({
    server: cpuOf(running.pid),
    postgres: cpuOfPostgres(bench.data.pid),
    redis: running.redis ? cpuOf(running.redis.pid) : 0,
  })
  const before = cpu()
  const load = await runLoad(running.url, next, {
    concurrency,
    count: Number.POSITIVE_INFINITY,
    seconds: bench.seconds,
    ...bounds,
  })
  const after = cpu()
  return {
    requests: load.requests,
    server: (after.server - before.server) / load.requests,
    postgres: (after.postgres - before.postgres) / load.requests,
    redis: (after.redis - before.redis) / load.requests,
    perSecond: load.requests / load.seconds,
    p50: quantile(load.latencies, 0.5),
    p95: quantile(load.latencies, 0.95),
    p99: quantile(load.latencies, 0.99),
  }
}

/** S8, by a process of its own: its documents are new to it, and its memory holds no others. */
export async function measureDocuments(
  bench: Bench,
  server: Server,
  floor: Running,
): Promise<{ once: Round; cycled: Round; peak: number }> {
  const running = await openServer(bench, server, floor)
  try {
    // What the documents run through is warm; they are not.
    await measureShape(bench, running, 'S3', { seconds: bench.warmup })
    await measureShape(bench, running, 'S8', { count: 200, numberOf: (index) => variants + index })
    resetPeak(running.pid)
    const once = await measureShape(bench, running, 'S8', { count: variants, seconds: 60 })
    const numberOf = (index: number) => index % variants
    await measureShape(bench, running, 'S8', { numberOf, count: 2 * variants, seconds: 2 * bench.warmup })
    const cycled = await measureShape(bench, running, 'S8', { numberOf })
    return { once, cycled, peak: peakOf(running.pid) }
  } finally {
    await running.stop()
  }
}

/** Whether the server can be asked that. */
export function answers(server: Server, shape: ShapeName): boolean {
  return server.client.asks[shape] !== undefined
}

/** A shape's request number `index`, as the server wants it. */
export function requestOf({ sample }: Bench, server: Server, shape: ShapeName, index: number): Asked {
  const asks = server.client.asks[shape] as ((variables: object) => Asked) | undefined
  if (!asks) throw new Error(`${server.name} cannot be asked ${shape}`)
  return asks(shapes[shape](sample, index))
}
