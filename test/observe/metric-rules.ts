import { expect } from 'vitest'
import { errorCodes } from '../../src/core/errors.js'
import { strangers, type Told } from './conversation.js'
import type { Point } from './receiver.js'
import { rulesOf } from './rules.js'

/** A metric's series, each as it was last exported. */
function seriesOf({ points }: Pick<Told, 'points'>, metric: string): Point[] {
  const of = points.filter((point) => point.metric === metric)
  return [...new Map(of.map((point) => [JSON.stringify(point.attributes), point])).values()]
}

const countOf = (series: readonly Point[]) => series.reduce((sum, { count }) => sum + count, 0)
const totalOf = (series: readonly Point[]) => series.reduce((sum, { value }) => sum + value, 0)
const operation = 'graphql.operation.name'
const sentOf = ({ sent }: Told) => Object.values(sent)
const documentsOf = (told: Told) => new Set(sentOf(told).map(({ hash }) => hash)).size + strangers

/** What metrics tell. */
export const metricRules = rulesOf('metric', [
  [
    'MUST',
    'graphql.server.request.duration is a histogram in seconds, of every request, by operation',
    (told) => {
      const series = seriesOf(told, 'graphql.server.request.duration')
      expect(new Set(series.map(({ kind, unit }) => `${kind} ${unit}`))).toEqual(new Set(['histogram s']))
      expect(countOf(series)).toBe(sentOf(told).length + strangers)
      const of = (name: string) => series.filter(({ attributes }) => attributes[operation] === name)
      expect(of('Tree')).toMatchObject([{ count: 6, attributes: { 'graphql.operation.type': 'query' } }])
      expect(countOf(of('Put').filter(({ attributes }) => attributes['graphql.operation.type'] === 'mutation'))).toBe(3)
      expect(totalOf(series)).toBeGreaterThan(1.7)
      expect(totalOf(series)).toBeLessThan(170)
    },
  ],
  [
    'MUST',
    'operations that nobody knows are one series, whatever clients call them',
    (told) => {
      const named = told.points.filter(({ attributes }) => operation in attributes)
      expect(new Set(named.map(({ attributes }) => attributes[operation]))).toEqual(new Set(['Tree', 'Put', '_OTHER']))
      const others = seriesOf(told, 'graphql.server.request.duration').filter(
        ({ attributes }) =>
          attributes[operation] === '_OTHER' &&
          attributes['graphql.operation.type'] === 'query' &&
          !('error.type' in attributes),
      )
      expect(others).toHaveLength(1)
      expect(countOf(others)).toBeGreaterThanOrEqual(strangers)
    },
  ],
  [
    'MUST',
    'graphql.server.active_requests counts up and down, and ends at 0',
    (told) => {
      for (const metric of ['graphql.server.active_requests', 'http.server.active_requests']) {
        const values = told.points.filter((point) => point.metric === metric)
        expect(Math.max(...values.map(({ value }) => value))).toBeGreaterThan(0)
        expect(seriesOf(told, metric).map(({ kind, value }) => [kind, value])).toEqual(
          seriesOf(told, metric).map(() => ['upDownCounter', 0]),
        )
      }
    },
  ],
  [
    'SHOULD',
    'parsing and validation are measured once a document, as long as their spans',
    (told) => {
      for (const [metric, name, missing] of [
        ['graphql.server.request.parse.duration', 'GraphQL Document Parsing', 0],
        ['graphql.server.request.validate.duration', 'GraphQL Document Validation', 1],
      ] as const) {
        const series = seriesOf(told, metric)
        const spans = told.spans.filter((span) => span.name === name)
        expect(countOf(series)).toBe(documentsOf(told) - missing)
        expect(spans).toHaveLength(documentsOf(told) - missing)
        const seconds = spans.reduce((sum, { start, end }) => sum + end - start, 0) / 1_000
        expect(totalOf(series)).toBeCloseTo(seconds, 3)
      }
    },
  ],
  [
    'MUST',
    'a phase that failed is measured by its error.type',
    (told) => {
      const failed = (metric: string) =>
        seriesOf(told, metric)
          .filter(({ attributes }) => 'error.type' in attributes)
          .map(({ attributes, count }) => [attributes['error.type'], count])
      expect(failed('graphql.server.request.parse.duration')).toEqual([['GRAPHQL_PARSE_FAILED', 1]])
      expect(failed('graphql.server.request.validate.duration')).toEqual([['GRAPHQL_VALIDATION_FAILED', 1]])
      expect(failed('graphql.server.request.execute.duration')).toContainEqual(['CONFLICT', 1])
    },
  ],
  [
    'MUST',
    'graphql.server.request.execute.duration is measured for what was executed',
    (told) => {
      const refused = ['unparsable', 'invalid']
      expect(countOf(seriesOf(told, 'graphql.server.request.execute.duration'))).toBe(
        sentOf(told).length + strangers - refused.length,
      )
    },
  ],
  [
    'MUST',
    'graphql.server.response.error_count counts errors by the codes of the closed list',
    (told) => {
      const series = seriesOf(told, 'graphql.server.response.error_count')
      const told12 = series.filter(({ attributes }) => attributes['error.type'] === 'INTERNAL')
      expect(totalOf(told12)).toBe(12)
      const all = sentOf(told).flatMap(({ answer }) => answer.errors ?? [])
      expect(totalOf(series)).toBe(all.length)
      for (const { attributes } of series) expect(errorCodes).toContain(attributes['error.type'])
    },
  ],
  [
    'SHOULD',
    'graphql.dataloader.batch.size is a histogram of keys by loader',
    (told) => {
      const of = (name: string) =>
        seriesOf(told, 'graphql.dataloader.batch.size').filter(
          ({ attributes }) => attributes['graphql.dataloader.name'] === name,
        )
      expect(of('labelOfProbe')).toMatchObject([{ kind: 'histogram', unit: '{key}', count: 1, value: 20 }])
      expect(of('probeByNumber')).toMatchObject([{ count: 20, value: 20 }])
    },
  ],
  [
    'MUST',
    'statements and connections are measured as db.client.*, with the attributes these must have',
    (told) => {
      const durations = seriesOf(told, 'db.client.operation.duration')
      expect(new Set(durations.map(({ attributes }) => attributes['db.system.name']))).toEqual(new Set(['postgresql']))
      const failed = durations.filter(({ attributes }) => attributes['error.type'] === '23505')
      expect(failed).toMatchObject([{ kind: 'histogram', unit: 's', count: 1 }])
      expect(failed[0]?.attributes['db.query.summary']).toBe('insert things')
      const states = seriesOf(told, 'db.client.connection.count')
      expect(states.map(({ attributes }) => attributes['db.client.connection.state']).sort()).toEqual(['idle', 'used'])
      expect(seriesOf(told, 'db.client.connection.wait_time')).toMatchObject([{ kind: 'histogram', unit: 's' }])
      for (const name of ['count', 'max', 'pending_requests', 'wait_time'])
        for (const { kind, attributes } of seriesOf(told, `db.client.connection.${name}`)) {
          expect(attributes['db.client.connection.pool.name']).toBe('primary')
          expect(kind).toBe(name === 'wait_time' ? 'histogram' : 'upDownCounter')
        }
    },
  ],
  [
    'MUST',
    'http.server.request.duration has method, route, scheme and status',
    (told) => {
      const series = seriesOf(told, 'http.server.request.duration')
      const attributes = { 'url.scheme': 'http', 'http.response.status_code': 200 }
      expect(series).toContainEqual(
        expect.objectContaining({
          attributes: { ...attributes, 'http.request.method': 'POST', 'http.route': '/graphql' },
          kind: 'histogram',
          unit: 's',
          count: sentOf(told).length - 1,
        }),
      )
      for (const { attributes } of seriesOf(told, 'http.server.active_requests'))
        expect(attributes).toEqual({ 'http.request.method': expect.any(String), 'url.scheme': 'http' })
    },
  ],
  [
    'SHOULD',
    'the runtime is measured: event loop, garbage collection, heap',
    (told) => {
      expect(totalOf(seriesOf(told, 'v8js.memory.heap.used'))).toBeGreaterThan(2 ** 20)
      expect(countOf(seriesOf(told, 'v8js.gc.duration'))).toBeGreaterThan(0)
      expect(seriesOf(told, 'nodejs.eventloop.utilization')[0]?.value).toBeLessThanOrEqual(1)
      // Half of the time the loop is at rest, whatever it did in the other half.
      const delays = told.points
        .filter(({ metric }) => metric === 'nodejs.eventloop.delay.p50')
        .map(({ value }) => value)
      expect(Math.min(...delays)).toBeLessThan(0.25)
    },
  ],
  [
    'SHOULD',
    'the process is measured: CPU time by mode, resident memory',
    (told) => {
      const cpu = seriesOf(told, 'process.cpu.time')
      expect(cpu.map(({ kind, unit, attributes }) => [kind, unit, attributes['cpu.mode']]).sort()).toEqual([
        ['counter', 's', 'system'],
        ['counter', 's', 'user'],
      ])
      const [memory] = seriesOf(told, 'process.memory.usage')
      expect(memory).toMatchObject({ kind: 'upDownCounter', unit: 'By' })
      expect(memory?.value).toBeGreaterThan(30 * 2 ** 20)
    },
  ],
  [
    'SHOULD',
    'the SDK counts spans, and by labels only for who asked for its metrics',
    (told) => {
      const started = seriesOf(told, 'otel.sdk.span.started')
      expect(started.map(({ attributes }) => attributes)).toEqual([{}])
      expect(totalOf(started)).toBeGreaterThanOrEqual(told.spans.length)
      const asked = seriesOf(told.quiet, 'otel.sdk.span.started')
      expect(asked[0]?.attributes).toMatchObject({ 'otel.span.sampling_result': 'DROP' })
    },
  ],
])
