import { expect, test } from 'vitest'
import { runLoad } from '../../src/tools/load.js'
import { fillThings } from '../graph/things.js'
import { startHouse } from '../support.js'
import { compileHouse } from './process.js'
import { freePort, prepareScrape } from './scrape.js'

const query = '{ things(first: 100) { nodes { id name size box { label } } } }'

/** In bytes a request: its spans, as they wait to be exported. With its rows it was 15,000 and more. */
const most = 12_000

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
    const grown: number[] = []
    for (let run = 0; run < 5; run++) {
      const before = await metrics.sum('v8js_memory_heap_used', '"old_space"')
      const load = { url: `${server.url}/graphql`, bodies: [JSON.stringify({ query })], connections: 4, seconds: 0.5 }
      const sent = await runLoad(load)
      grown.push(((await metrics.sum('v8js_memory_heap_used', '"old_space"')) - before) / sent)
    }
    expect(grown.sort((a, b) => a - b)[2]).toBeLessThan(most)
  } finally {
    await server.stop()
  }
})
