import { afterAll, beforeAll, expect, test } from 'vitest'
import { compileHouse } from '../observe/process.js'
import { type Received, startReceiver } from '../observe/receiver.js'
import { type Sent, send } from '../observe/session.js'
import { createTestDatabase } from '../support.js'
import { inTurn, type Neighbour, startNeighbour, status } from './neighbour.js'

/** What the neighbour answers by path; nobody else may be told. */
const secret = 'kestrel'
let neighbour: Neighbour
let received: Received
const sent: Record<string, Sent> = {}

beforeAll(async () => {
  const again = inTurn(status(503), (_, response) => void response.end('7'))
  neighbour = await startNeighbour((request, response) => {
    if (request.url?.startsWith('/well')) response.end('7')
    else if (request.url?.startsWith('/again')) again(request, response)
    else if (request.url?.startsWith('/odd')) response.end(`"${secret}"`)
    else response.writeHead(500, secret).end(secret)
  })
  const [database, house, receiver] = await Promise.all([
    createTestDatabase('template_house'),
    compileHouse('test/remote/slices.ts'),
    startReceiver(),
  ])
  const server = await house.run({
    DATABASE_URL: database.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.urls['http/protobuf'],
    OTEL_SERVICE_NAME: 'calls',
    REMOTE_URLS: `neighbour = ${neighbour.url}`,
  })
  const ask = async (name: string, document = `{ asked(path: "/${name}?q=${secret}") }`) => {
    sent[name] = await send(server.url, { document })
  }
  for (const name of ['well', 'again', 'odd']) await ask(name)
  await ask('nowhere', '{ nowhere }')
  for (let i = 0; i < 8; i++) await ask(`ill${i}`)
  await server.stop()
  await Promise.all([receiver.close(), database.drop(), house[Symbol.asyncDispose]()])
  received = receiver.of('calls')
})
afterAll(() => neighbour[Symbol.asyncDispose]())

const treeOf = (name: string) => received.spans.filter(({ traceId }) => traceId === sent[name]?.traceId)
const callsOf = (name: string) => treeOf(name).filter((span) => span.name.startsWith('call '))
const requestsOf = (name: string) => treeOf(name).filter(({ kind }) => kind === 'CLIENT')

test('clients are told what failed, and nothing of what the service said', () => {
  expect(sent.well?.answer).toEqual({ data: { asked: 7 } })
  expect(sent.again?.answer).toEqual({ data: { asked: 7 } })
  const codeOf = (name: string) => sent[name]?.answer.errors[0].extensions.code
  expect(codeOf('odd')).toBe('INTERNAL')
  expect(codeOf('nowhere')).toBe('OVERLOADED')
  expect([codeOf('ill0'), codeOf('ill7')]).toEqual(['INTERNAL', 'OVERLOADED'])
  expect(JSON.stringify(sent)).not.toContain(secret)
})

test('each request has a CLIENT span below what made it, and carries its traceparent', () => {
  const carried = neighbour.asked.map(({ headers }) => headers.traceparent)
  for (const [name, count] of Object.entries({ well: 1, again: 2 })) {
    const execution = treeOf(name).find((span) => span.name === 'GraphQL Operation Execution')
    const requests = requestsOf(name)
    expect(requests.map(({ parentSpanId }) => parentSpanId)).toEqual(Array(count).fill(execution?.spanId))
    for (const { traceId, spanId } of requests) expect(carried).toContain(`00-${traceId}-${spanId}-01`)
    expect(callsOf(name)).toEqual([])
  }
})

test('a call that failed has a span that says why, where no request was made too', () => {
  const told = (name: string) => callsOf(name).map((span) => [span.name, span.status, span.attributes])
  const attributes = (reason: string, remote: string, attempts: number) => ({
    'error.type': reason,
    'plumbline.remote.name': remote,
    'plumbline.remote.attempts': attempts,
  })
  expect(told('odd')).toEqual([['call neighbour', 'ERROR', attributes('INVALID', 'neighbour', 1)]])
  expect(told('nowhere')).toEqual([['call nowhere', 'ERROR', attributes('UNAVAILABLE', 'nowhere', 0)]])
  expect(told('ill7')).toEqual([['call neighbour', 'ERROR', attributes('UNAVAILABLE', 'neighbour', 0)]])
  expect(requestsOf('ill7')).toEqual([])
})

test('calls are measured by service and by why they failed, and so are open circuits', () => {
  const last = (metric: string) => {
    const of = received.points.filter((point) => point.metric === metric)
    return [...new Map(of.map((point) => [JSON.stringify(point.attributes), point])).values()]
  }
  const counts = last('plumbline.remote.duration').map(({ kind, unit, attributes, count }) => [
    `${kind} ${unit} ${attributes['plumbline.remote.name']} ${attributes['error.type'] ?? 'answered'}`,
    count,
  ])
  const refused = neighbour.asked.filter(({ url }) => url?.startsWith('/ill')).length
  expect(Object.fromEntries(counts)).toEqual({
    'histogram s neighbour answered': 2,
    'histogram s neighbour INVALID': 1,
    'histogram s neighbour REFUSED': refused,
    'histogram s neighbour UNAVAILABLE': 8 - refused,
    'histogram s nowhere UNAVAILABLE': 1,
  })
  expect(last('plumbline.remote.open_circuits')).toMatchObject([
    { kind: 'upDownCounter', value: 1, attributes: { 'plumbline.remote.name': 'neighbour' } },
  ])
})

test('the log says which service has no URL and which one is left alone, and no secret is told', () => {
  const lines = received.logs.filter(({ severityText }) => severityText === 'warn')
  expect(lines.map(({ body }) => body)).toEqual([
    'services without a URL in REMOTE_URLS: they cannot be called',
    'a service fails: it is not asked for a while',
  ])
  expect(JSON.stringify([received.spans, received.points])).not.toContain(secret)
})
