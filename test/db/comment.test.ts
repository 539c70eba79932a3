import { Client } from 'pg'
import { afterEach, expect, test, vi } from 'vitest'
import { fact } from '../../src/core/events.js'
import { encodeId } from '../../src/graph/node.js'
import { fillThings } from '../graph/things.js'
import { startHouse } from '../support.js'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const spanId = 'b7ad6b7169203331'
const comment = `/*traceparent='00-${traceId}-${spanId}-01'*/`

afterEach(() => vi.restoreAllMocks())

/** What the driver is given while a read and a write are served, in a trace of those flags. */
async function sent(setting: 'on' | 'off', traceFlags: number) {
  await using house = await startHouse({ DB_TRACE_CONTEXT: setting })
  const [box] = await fillThings(house, [{ box: 0, size: 1, weight: '1', seenAt: null }])
  const stop = fact('request.started').listen(({ request }) => {
    request.trace = { traceId, spanId, traceFlags }
  })
  const query = vi.spyOn(Client.prototype, 'query')
  for (let use = 0; use < 4; use++) await house.query('{ things(first: 1) { nodes { name } } }')
  const input = { boxId: encodeId('Box', box as string), name: 'traced' }
  await house.query('mutation($input: AddThingInput!) { addThing(input: $input) { thing { id } } }', { input })
  stop()
  const calls = query.mock.calls.map(([given]) => (typeof given === 'string' ? { text: given, name: '' } : given)) as {
    text: string
    name: string
  }[]
  return {
    reads: calls.filter(({ text }) => text.startsWith('select "things"."name"')),
    writes: calls.filter(({ text }) => text.startsWith('insert into "things"')),
  }
}

test('statements of a sampled request carry its trace context, and have no name', async () => {
  const { reads, writes } = await sent('on', 1)
  expect(reads).toHaveLength(4)
  expect(writes).toHaveLength(1)
  for (const { text } of [...reads, ...writes]) expect(text.endsWith(comment)).toBe(true)
  expect(reads.map(({ name }) => name)).toEqual(['', '', '', ''])
})

test('those of a request that is not sampled do not, and keep their names', async () => {
  const { reads, writes } = await sent('on', 0)
  for (const { text } of [...reads, ...writes]) expect(text).not.toContain('traceparent')
  expect(reads.at(-1)?.name).toMatch(/^things_/)
})

test('nor do any where that is off', async () => {
  const { reads, writes } = await sent('off', 1)
  for (const { text } of [...reads, ...writes]) expect(text).not.toContain('traceparent')
})
