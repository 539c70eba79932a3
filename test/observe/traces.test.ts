import { type Attributes, type Span, type SpanOptions, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Facts, fact, type StatementEnd } from '../../src/core/events.js'
import { inRequest, type RequestInfo } from '../../src/core/request.js'
import { traceFacts } from '../../src/observe/traces.js'

interface Made {
  readonly name: string
  readonly attributes: Attributes
  status: SpanStatusCode
}

let made: Made[] = []
let isSampled = true
let stop: () => void
beforeAll(() => {
  trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan, startActiveSpan: startSpan as never }) })
  stop = traceFacts(undefined)
})
afterAll(() => stop())

/** A span that remembers what it is told. */
function startSpan(name: string, { attributes }: SpanOptions = {}): Span {
  const span: Made = { name, attributes: { ...attributes }, status: SpanStatusCode.UNSET }
  made.push(span)
  const flags = isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE
  let isEnded = false
  const told: Partial<Span> = {
    spanContext: () => ({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: flags }),
    isRecording: () => isSampled && !isEnded,
    setAttribute: (key, value) => Object.assign(span.attributes, { [key]: value }) && (told as Span),
    setAttributes: (more) => Object.assign(span.attributes, more) && (told as Span),
    setStatus: ({ code }) => {
      span.status = code
      return told as Span
    },
    updateName: () => told as Span,
    addEvent: () => told as Span,
    end: () => {
      isEnded = true
    },
  }
  return told as Span
}

interface Asked {
  readonly status?: number
  readonly scheme?: 'http' | 'https'
  /** True where the detectors look into it. */
  readonly watched?: boolean
}

/** The spans of a request that does that before it is answered. */
function ask(work: () => void, { status = 200, scheme = 'http', ...marks }: Asked = {}): Made[] {
  made = []
  const request: RequestInfo = { id: 'one', sampled: marks.watched ?? false, ...marks }
  const asked = { request, method: 'POST', path: '/graphql', scheme }
  fact('request.started').publish({ ...asked, headers: {} })
  inRequest(request, () => {
    work()
    fact('request.finished').publish({ ...asked, route: '/graphql', status, duration: 1 })
  })
  return made
}

const statement: StatementEnd = {
  statement: 'thingById',
  text: 'select 1',
  values: [],
  rows: 0,
  duration: 1,
  wait: 0,
  pool: 'primary',
  inTransaction: false,
  field: undefined,
}
const fail = (code: string, more = {}) => Object.assign(new Error('It failed.'), { code, ...more })

test('what a database answered is told of as its status, not what the network says', () => {
  const statusOf = (error: unknown) => {
    const [, span] = ask(() => fact('statement.finished').publish({ ...statement, error }))
    return [span?.attributes['db.response.status_code'], span?.attributes['error.type']]
  }
  expect(statusOf(fail('23505', { severity: 'ERROR' }))).toEqual(['23505', '23505'])
  expect(statusOf(fail('ECONNREFUSED'))).toEqual([undefined, 'ECONNREFUSED'])
})

test('an error’s code says more than the status it is answered with', () => {
  const finish = (errors: Facts['operation.finished']['errors']) => () =>
    fact('operation.finished').publish({
      operation: { name: undefined, type: undefined, hash: undefined },
      errors,
      hasData: false,
      duration: 1,
      executed: undefined,
    })
  const overloaded = { message: 'No.', extensions: { code: 'OVERLOADED' } }
  const [root] = ask(finish([overloaded]), { status: 503 })
  expect(root).toMatchObject({ status: SpanStatusCode.ERROR, attributes: { 'error.type': 'OVERLOADED' } })
  const [bare] = ask(() => {}, { status: 503 })
  expect(bare).toMatchObject({ status: SpanStatusCode.ERROR, attributes: { 'error.type': '503' } })
})

test('of a request that is looked into but not recorded, nothing is made', () => {
  isSampled = false
  let read = 0
  const text = { slice: () => String(read++) }
  const spans = ask(() => fact('statement.finished').publish({ ...statement, text: text as never }), { watched: true })
  isSampled = true
  expect([spans.length, read]).toEqual([1, 0])
})

test('the scheme is the one that the client used', () => {
  expect(ask(() => {}, { scheme: 'https' })[0]?.attributes['url.scheme']).toBe('https')
})
