import { expect } from 'vitest'
import { execution, server, spanIn, strangers, type Told, traceOf } from './conversation.js'
import type { Span } from './receiver.js'
import { rulesOf } from './rules.js'

const sampled = ({ sent }: Told) => Object.entries(sent).filter(([name]) => name !== 'unsampled')
const serversOf = (spans: readonly Span[]) => spans.filter(({ kind }) => kind === 'SERVER')

/** How traces hang together, and with those of others. */
export const traceRules = rulesOf('trace', [
  [
    'MUST',
    'a request is one SERVER span named by method and route, with the attributes of HTTP',
    (told) => {
      for (const [name] of sampled(told)) {
        expect(serversOf(traceOf(told, name))).toHaveLength(1)
        expect(spanIn(told, name, server)).toMatchObject({
          kind: 'SERVER',
          attributes: {
            'http.request.method': 'POST',
            'http.route': '/graphql',
            'http.response.status_code': name === 'gone' ? 499 : 200,
            'url.path': '/graphql',
            'url.scheme': 'http',
          },
        })
      }
    },
  ],
  [
    'MUST',
    'every request has a trace of its own, and nothing else has one: no probe, no start of the server',
    (told) => {
      const servers = serversOf(told.spans)
      expect(servers).toHaveLength(sampled(told).length + strangers + 1)
      expect(new Set(servers.map(({ traceId }) => traceId)).size).toBe(servers.length)
      expect(servers.filter(({ attributes }) => attributes['url.path'] !== '/graphql')).toEqual([])
    },
  ],
  [
    'MUST',
    'no span is an orphan: its parent was exported in the same trace',
    ({ spans }) => {
      const known = new Set(spans.map(({ traceId, spanId }) => `${traceId} ${spanId}`))
      const inner = spans.filter(({ kind }) => kind !== 'SERVER')
      expect(inner.filter(({ traceId, parentSpanId }) => !known.has(`${traceId} ${parentSpanId}`))).toEqual([])
    },
  ],
  [
    'MUST',
    'a parent encloses its children in time, to a millisecond, unless the answer or the client did not wait for them',
    ({ spans, sent }) => {
      const byId = new Map(spans.map((span) => [span.spanId, span]))
      const strays = spans.filter(({ traceId, start, end, parentSpanId }) => {
        const parent = byId.get(parentSpanId)
        const isLeft = [sent.late, sent.gone].some((request) => request?.traceId === traceId)
        return end < start || (parent && !isLeft && (start < parent.start - 1.001 || end > parent.end + 1.001))
      })
      expect(strays).toEqual([])
    },
  ],
  [
    'SHOULD',
    'spans are in the order of what happened: parsed, validated, executed; a batch, its statement',
    (told) => {
      const names = ['GraphQL Document Parsing', 'GraphQL Document Validation', execution]
      for (const name of ['tree', 'fan', 'partial', 'put', 'called', 'slow', 'last']) {
        const [parsing, validation, executed] = names.map((step) => spanIn(told, name, step)) as [Span, Span, Span]
        expect(parsing.end).toBeLessThanOrEqual(validation.start)
        expect(validation.end).toBeLessThanOrEqual(executed.start)
      }
      for (const name of ['tree', 'again', 'planned']) {
        const [batch, statement] = ['GraphQL DataLoader Batch boxById', 'boxById'].map((each) =>
          spanIn(told, name, each),
        )
        expect(batch?.start).toBeLessThanOrEqual(statement?.start as number)
        expect(batch?.end).toBeGreaterThanOrEqual(statement?.end as number)
      }
    },
  ],
  [
    'SHOULD',
    'what goes on when the client has gone is told where it belongs',
    (told) => {
      const [root, executed, statement] = [server, execution, 'sleep'].map((name) => spanIn(told, 'gone', name))
      expect(executed?.end).toBeGreaterThan(root?.end as number)
      expect([executed?.parentSpanId, statement?.parentSpanId]).toEqual([root?.spanId, executed?.spanId])
    },
  ],
  [
    'MUST',
    'a method that is no known one names no span and no series',
    ({ spans, points }) => {
      const names = { 'http.request.method': '_OTHER', 'http.request.method_original': 'PROPFIND' }
      expect(spans.filter(({ name }) => name === 'HTTP')).toMatchObject([{ attributes: names }])
      expect(points.some(({ attributes }) => attributes['http.request.method'] === 'PROPFIND')).toBe(false)
    },
  ],
  [
    'MUST',
    'a caller’s traceparent is taken: its trace, its span as the parent',
    (told) => {
      for (const [name, { parentId }] of sampled(told)) expect(spanIn(told, name, server).parentSpanId).toBe(parentId)
    },
  ],
  [
    'MUST',
    'without a traceparent a request begins a trace',
    (told) => {
      const begun = serversOf(told.spans).filter(({ parentSpanId }) => parentSpanId === '')
      expect(begun).toHaveLength(strangers + 1)
    },
  ],
  [
    'MUST',
    'of a trace that its caller does not sample, nothing is exported',
    (told) => {
      const { unsampled } = told.sent
      expect(unsampled?.answer.data).toEqual(told.sent.tree?.answer.data)
      expect(told.spans.filter(({ traceId }) => traceId === unsampled?.traceId)).toEqual([])
    },
  ],
  [
    'MUST',
    'a sampler’s ratio of 0 exports no span',
    ({ quiet }) => {
      expect(quiet.spans).toEqual([])
      expect(quiet.logs.map(({ traceId }) => traceId)).toContain(quiet.traceId)
    },
  ],
  [
    'MUST',
    'a request to another server carries the traceparent of its CLIENT span, below what made it',
    (told) => {
      const calls = traceOf(told, 'called').filter(({ attributes }) => attributes['server.address'] === '127.0.0.1')
      const parents = calls.map(({ parentSpanId }) => told.spans.find(({ spanId }) => spanId === parentSpanId)?.name)
      expect(calls.map(({ kind }) => kind)).toEqual(['CLIENT', 'CLIENT'])
      expect(parents.sort()).toEqual(['GraphQL DataLoader Batch statusOfUrl', execution])
      const carried = calls.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`)
      expect(told.passedOn.toSorted()).toEqual(carried.sort())
    },
  ],
])
