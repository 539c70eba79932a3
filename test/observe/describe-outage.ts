import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, type ExpectStatic, inject, test } from 'vitest'
import { runLoad } from '../../src/tools/load.js'
import { compileHouse, type House } from './process.js'
import { freePort, prepareScrape } from './scrape.js'

const collectors: Record<string, RequestListener | undefined> = {
  'is down': undefined,
  'never answers': () => {},
  'answers 503': (_request, response) => response.writeHead(503).end(),
  'answers 429': (_request, response) => response.writeHead(429, { 'retry-after': '1' }).end(),
}

/** In spans: small, so that they are soon full. */
const [queue, batch] = [256, 64]

/** A request of `{ __typename }` makes its own span, and its operation's. */
const spansEach = 2

/** After so many requests the queue must have been full. */
const most = 5_000

/** In ms. */
const shutdownTimeout = 3_000

/**
 * A server of whose spans nobody takes any: `requests`, all of them sampled. Where `watchesMemory`, it must hold no
 * more in the second half than in the first.
 */
export function describeOutage({ requests, watchesMemory }: { requests: number; watchesMemory: boolean }): void {
  let house: House
  beforeAll(async () => {
    house = await compileHouse('test/observe/slices.ts')
  })
  afterAll(() => house[Symbol.asyncDispose]())

  test.concurrent.for(Object.keys(collectors))(
    'a collector that %s costs spans, each of them counted, and nothing else',
    async (name, { expect }) => {
      await using collector = await listen(collectors[name])
      const metrics = await prepareScrape()
      const server = await house.run({
        DATABASE_URL: inject('postgres'),
        // In MB: a heap that is collected often, and too small for the spans of the long proof.
        NODE_OPTIONS: '--max-semi-space-size=32 --max-old-space-size=128',
        SHUTDOWN_TIMEOUT_MS: String(shutdownTimeout),
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `http://127.0.0.1:${collector.port}/v1/traces`,
        OTEL_BSP_MAX_QUEUE_SIZE: String(queue),
        OTEL_BSP_MAX_EXPORT_BATCH_SIZE: String(batch),
        ...metrics.variables,
      })
      try {
        const load = {
          url: `${server.url}/graphql`,
          bodies: ['{"query":"{ __typename }"}'],
          connections: 4,
          seconds: 0.5,
        }
        const lost = (how = 'error_type=') => metrics.sum('otel_sdk_processor_span_processed_total', how)
        const fromQueue = () => lost('error_type="queue_full"')
        const held: number[] = []
        let sent = 0
        // Exports that fail at once go on beside one another, and hold several times what the queue does.
        while (sent < requests || (sent < most && (await fromQueue()) === 0)) {
          // It throws where an answer is not 200, or has errors.
          sent += await runLoad(load)
          held.push((await metrics.sum('process_memory_usage')) / 2 ** 20)
        }
        const queued = () => metrics.sum('otel_sdk_processor_span_queue_size')
        expect(await queued()).toBeLessThanOrEqual(queue)
        expect(await fromQueue()).toBeGreaterThan(0)
        // Each failed export lets one more be on its way beside the others, up to 30: given up one by one.
        const known = async () => (await lost()) + (await queued()) + batch
        await expect.poll(known).toBeGreaterThanOrEqual(spansEach * sent)
        if (watchesMemory)
          expectBounded(expect, held, `A collector that ${name}, ${sent} requests, ${await lost()} spans lost`)
      } finally {
        const { code, took } = await server.stop()
        expect(code).toBe(0)
        expect(took).toBeLessThan(shutdownTimeout + 2_000)
      }
    },
  )
}

function expectBounded(expect: ExpectStatic, held: readonly number[], what: string): void {
  const half = held.length >> 1
  const [before, after] = [Math.max(...held.slice(0, half)), Math.max(...held.slice(half))]
  console.log(`${what}: at most ${before.toFixed()} MB in the first half, ${after.toFixed()} MB in the second`)
  expect(before).toBeGreaterThan(0)
  expect(after).toBeLessThan(1.1 * before)
}

/** A server on a free port; without an answer, the port alone. */
async function listen(answer: RequestListener | undefined) {
  if (!answer) return { port: await freePort(), [Symbol.asyncDispose]: async () => {} }
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}
