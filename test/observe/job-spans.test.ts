import {
  type Context,
  INVALID_SPAN_CONTEXT,
  type SpanContext,
  type SpanOptions,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fact } from '../../src/core/events.js'
import { traceJobs } from '../../src/observe/job-spans.js'

interface Started {
  readonly parent: SpanContext | undefined
  readonly linked: readonly SpanContext[]
}

const started: Started[] = []
/** A tracer that remembers what it was asked for; no propagator is set. */
const tracer = {
  startSpan(_name: string, { links = [] }: SpanOptions, context: Context) {
    started.push({ parent: trace.getSpanContext(context), linked: links.map(({ context }) => context) })
    return trace.wrapSpanContext(INVALID_SPAN_CONTEXT)
  },
} as unknown as Tracer
let stops: (() => void)[] = []
beforeAll(() => {
  stops = traceJobs(tracer)
})
afterAll(() => {
  for (const stop of stops) stop()
})

/** What the span of a job begins with that was enqueued there. */
function start(from: string | undefined): Started | undefined {
  const job = { name: 'count', id: '1', attempt: 1, wait: 0 }
  fact('job.started').publish({ request: { id: 'one' }, job, from })
  return started.at(-1)
}

const traceId = 'a'.repeat(32)
const spanId = 'b'.repeat(16)
const asking = (traceFlags: number) => ({ traceId, spanId, traceFlags, isRemote: true })

test('a job is part of the trace that it was enqueued in, whatever propagators there are', () => {
  expect(start(`00-${traceId}-${spanId}-01`)).toEqual({ parent: asking(1), linked: [asking(1)] })
})

test('where that is not recorded, it has one of its own, which leads there', () => {
  expect(start(`00-${traceId}-${spanId}-00`)).toEqual({ parent: undefined, linked: [asking(0)] })
})

test.each([undefined, '', `00-${'0'.repeat(32)}-${spanId}-01`, `00-${traceId}-${spanId}`])(
  'enqueued at %o, it has one of its own',
  (from) => {
    expect(start(from)).toEqual({ parent: undefined, linked: [] })
  },
)
