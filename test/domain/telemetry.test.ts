import { join } from 'node:path'
import { beforeAll, expect, test, vi } from 'vitest'
import { compileHouse } from '../observe/process.js'
import { type Received, type Span, startReceiver } from '../observe/receiver.js'
import { type Sent, send } from '../observe/session.js'
import { printTree } from '../observe/tree.js'
import { startBusiness } from '../support.js'
import { type Call, operations, readOperation, seedCalls } from './operations.js'

/** Every operation that clients send, and an order of more than there is. */
const sent: Record<string, Sent> = {}
let calls: Record<string, Call>
let received: Received

beforeAll(async () => {
  await using app = await startBusiness()
  const [house, receiver, seeded] = await Promise.all([compileHouse(), startReceiver(), seedCalls(app)])
  calls = seeded
  const server = await house.run({
    DATABASE_URL: app.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.urls['http/protobuf'],
    OTEL_SERVICE_NAME: 'business',
    OTEL_METRIC_EXPORT_INTERVAL: '500',
    OTEL_METRIC_EXPORT_TIMEOUT: '400',
    WORKER: 'on',
    MAIL_FOLDER: join(house.folder, 'mail'),
    REMOTE_URLS: app.remoteUrls,
  })
  for (const name of operations)
    sent[name] = await send(server.url, { document: readOperation(name), ...(calls[name] as Call) })
  const items = [{ productId: calls['product-detail']?.variables?.id, quantity: 999 }]
  sent.refused = await send(server.url, {
    document: readOperation('create-order'),
    variables: { input: { items, idempotencyKey: 'another cart' } },
    as: calls['create-order']?.as,
  })
  await vi.waitFor(async () => expect(await app.sql('select 1 from graphile_worker.jobs')).toEqual([]), {
    timeout: 10_000,
  })
  // One that nobody knows how to do stays.
  await app.sql(`select graphile_worker.add_job('unknown', run_at => now() - interval '1 minute')`)
  const told = () => receiver.of('business').points.map(({ attributes }) => attributes['messaging.destination.name'])
  await vi.waitFor(() => expect(told()).toContain('unknown'), { timeout: 10_000 })
  await server.stop()
  await receiver.close()
  await house[Symbol.asyncDispose]()
  received = receiver.of('business')
})

const treeOf = (name: string) => received.spans.filter(({ traceId }) => traceId === sent[name]?.traceId)
const idsOf = (spans: readonly Span[]) => spans.map(({ spanId }) => spanId)

test('20 posts with author, tags, comments and their authors: each batch leads to what asked for it', () => {
  expect(sent['home-feed']?.answer.data.posts.edges).toHaveLength(20)
  const tree = treeOf('home-feed')
  expect(tree.length).toBeLessThanOrEqual(25)
  expect(printTree(tree).replaceAll(/ {2}(SERVER|INTERNAL|CLIENT) {2}.*/g, '')).toBe(
    `
POST /graphql
  GraphQL Document Parsing
  GraphQL Document Validation
  GraphQL Operation Execution
    posts
    GraphQL DataLoader Batch userById
      → GraphQL Operation Execution  Post.author
      userById
    GraphQL DataLoader Batch tagsOfPost
      → GraphQL Operation Execution  Post.tags
      tagsOfPost
    GraphQL DataLoader Batch commentsOfPost
      → GraphQL Operation Execution  Post.comments
      commentsOfPost
    GraphQL DataLoader Batch userById
      → GraphQL DataLoader Batch commentsOfPost  Comment.author
      userById`.trim(),
  )
})

test('every operation is a trace without an orphan and without an error', () => {
  for (const name of operations) {
    const tree = treeOf(name)
    expect(tree.filter(({ kind }) => kind === 'SERVER')).toHaveLength(1)
    expect(tree.filter(({ parentSpanId }) => !idsOf(tree).includes(parentSpanId))).toHaveLength(1)
    expect(tree.filter(({ status }) => status !== 'UNSET')).toEqual([])
  }
})

test('an order leads to its three jobs, one after another, in the same trace', () => {
  const tree = treeOf('create-order')
  const [request] = tree.filter(({ kind }) => kind === 'SERVER')
  const jobs = tree.filter(({ kind }) => kind === 'CONSUMER').sort((a, b) => a.start - b.start)
  expect(jobs.map(({ name }) => name)).toEqual([
    'process settle-order',
    'process send-order-confirmation',
    'process update-inventory',
  ])
  for (const [index, { parentSpanId, links, start }] of jobs.entries()) {
    expect(parentSpanId).toBe(request?.spanId)
    expect(links.map(({ spanId }) => spanId)).toEqual([request?.spanId])
    expect(start).toBeGreaterThan(jobs[index - 1]?.end ?? 0)
  }
  const sold = jobs[2] as Span
  expect(tree.filter(({ parentSpanId }) => parentSpanId === sold.spanId).map(({ name }) => name)).toContain(
    'update products',
  )
})

test('jobs are measured: how long they took, what is in the queue and how long it has been there', () => {
  const of = (metric: string) =>
    received.points.filter(
      (point) => point.metric === metric && point.attributes['messaging.destination.name'] === 'settle-order',
    )
  expect(of('messaging.client.sent.messages').at(-1)).toMatchObject({ kind: 'counter', value: 1 })
  expect(of('messaging.process.duration').at(-1)).toMatchObject({ kind: 'histogram', unit: 's', count: 1 })
  expect(of('plumbline.jobs.wait_time').at(-1)).toMatchObject({ kind: 'histogram', count: 1 })
  const unknown = received.points.filter(({ attributes }) => attributes['messaging.destination.name'] === 'unknown')
  const last = (metric: string) => unknown.findLast((point) => point.metric === metric && point.value > 0)
  expect(last('plumbline.jobs.count')).toMatchObject({
    kind: 'gauge',
    attributes: { 'plumbline.job.state': 'waiting' },
  })
  expect(last('plumbline.jobs.oldest.age')?.value).toBeGreaterThan(59)
})

test('an order that is refused in its transaction is rolled back, which is told', () => {
  expect(sent.refused?.answer.data.createOrder.errors).toMatchObject([{ code: 'OUT_OF_STOCK' }])
  const statements = treeOf('refused').filter(({ kind }) => kind === 'CLIENT')
  const names = statements.sort((a, b) => a.start - b.start).map(({ name }) => name)
  expect([names[0], names.at(-1)]).toEqual(['begin', 'rollback'])
  expect(names).not.toContain('commit')
})

test('no password, e-mail address, text or id that clients sent is told to anybody', () => {
  const told = JSON.stringify({ ...received, resource: {} })
  const given = Object.values(calls).flatMap(({ variables }) => textsOf(variables))
  expect(given).toEqual(expect.arrayContaining(['correct horse battery', 'user@example.com', 'So it is.']))
  expect(given.filter((text) => told.includes(text))).toEqual([])
})

/** What is no word of the schema's. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return /[\s@]|^.{20,}$/.test(value) ? [value] : []
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : []
}
