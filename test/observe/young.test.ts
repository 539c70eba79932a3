import { expect, test } from 'vitest'
import { runLoad } from '../../src/tools/load.js'
import { fillThings } from '../graph/things.js'
import { startHouse } from '../support.js'
import { compileHouse } from './process.js'
import { freePort, prepareScrape } from './scrape.js'

const query = '{ things(first: 100) { nodes { id name size box { label } } } }'
const load = { bodies: [JSON.stringify({ query })], connections: 4, seconds: 0.25 }

/** In bytes a request: it is 3,000, and 26,000 when nothing lets go of its objects. */
const most = 8_000

test('a request that is traced and looked into is forgotten with its answer, not by the next whole collection', async () => {
  await using filled = await startHouse()
  const thing = (_: unknown, size: number) => ({ box: size % 3, size, weight: '0', seenAt: null })
  await fillThings(filled, Array.from({ length: 100 }, thing))
  await using house = await compileHouse('test/observe/slices.ts')
  const metrics = await prepareScrape()
  const server = await house.run({
    DATABASE_URL: filled.url,
    DETECTORS_RATIO: '1',
    NODE_OPTIONS: '--max-semi-space-size=32',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `http://127.0.0.1:${await freePort()}/v1/traces`,
    ...metrics.variables,
  })
  try {
    const send = async (requests: number) => {
      let sent = 0
      while (sent < requests) sent += await runLoad({ ...load, url: `${server.url}/graphql` })
      return sent
    }
    // Until the code is optimised and the exporter's queue is full, both of which stay.
    await send(1500)
    const grown: number[] = []
    for (let run = 0; run < 5; run++) {
      const before = await metrics.sum('v8js_memory_heap_used', '"old_space"')
      const sent = await send(300)
      grown.push(((await metrics.sum('v8js_memory_heap_used', '"old_space"')) - before) / sent)
    }
    expect(grown.sort((a, b) => a - b)[2]).toBeLessThan(most)
  } finally {
    await server.stop()
  }
})
