import {
  isSpanContextValid,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { type Facts, fact } from '../core/events.js'
import { currentScope } from '../core/request.js'
import { typeOf } from './attributes.js'
import { endSpan, RequestTrace, recorded } from './context.js'

/** Makes a span of each attempt at a job, by the conventions for messaging. The answers stop it. */
export function traceJobs(tracer: Tracer): (() => void)[] {
  return [
    fact('job.started').listen((value) => startJob(tracer, value)),
    fact('job.finished').listen(({ error }) => {
      const traced = recorded(currentScope()?.request)
      if (traced) endSpan(traced.root, traced.now, error !== undefined && typeOf(error))
    }),
  ]
}

/** Part of the trace that it was enqueued in, however much later; of one of its own where that is not recorded. */
function startJob(tracer: Tracer, { request, job, from }: Facts['job.started']): void {
  const asking = from === undefined ? undefined : readTraceparent(from)
  const isRecorded = asking && (asking.traceFlags & TraceFlags.SAMPLED) !== 0
  const cause = isRecorded ? trace.setSpanContext(ROOT_CONTEXT, asking) : ROOT_CONTEXT
  const attributes = {
    'messaging.system': 'graphile_worker',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': job.name,
    'messaging.message.id': job.id,
    'plumbline.job.attempt': job.attempt,
    'plumbline.job.wait_time': job.wait / 1000,
  }
  const links = asking ? [{ context: asking }] : []
  const options = { kind: SpanKind.CONSUMER, startTime: Date.now(), attributes, links }
  const span = tracer.startSpan(`process ${job.name}`, options, cause)
  request.trace = new RequestTrace(span)
  request.sampled = span.isRecording()
}

/** In the one form that the queue keeps, whatever the propagators of requests. */
function readTraceparent(text: string): SpanContext | undefined {
  const [, traceId = '', spanId = '', flags = ''] = text.split('-')
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
  return isSpanContextValid(context) && !Number.isNaN(context.traceFlags) ? context : undefined
}
