import { type Context, ROOT_CONTEXT, type Span, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { type BatchInfo, currentScope, type OperationInfo, type RequestInfo, type Scope } from '../core/request.js'

/** A span, and the context of what is below it, which is made once for all of that. */
export class Place {
  private made: Context | undefined

  constructor(readonly span: Span) {}

  get context(): Context {
    this.made ??= trace.setSpan(ROOT_CONTEXT, this.span)
    return this.made
  }
}

/**
 * A request's trace, kept with the request: a map of all requests would be old, and what an old one refers to lives
 * until the next whole collection.
 */
export class RequestTrace {
  readonly traceId: string
  readonly spanId: string
  readonly traceFlags: number
  readonly start: Place
  /** What failed, where more is known than the status of its answer. */
  failure: string | undefined
  /** Of its operation and batches; none of what is not recorded, which is most. */
  private places: Map<object, Place> | undefined
  /** Makes `performance.now()` the time of day; by the SDK's own clocks, one a span, siblings would change places. */
  private readonly clock: number

  constructor(readonly root: Span) {
    const { traceId, spanId, traceFlags } = root.spanContext()
    this.start = new Place(root)
    this.clock = root.isRecording() ? Date.now() - performance.now() : 0
    this.traceId = traceId
    this.spanId = spanId
    this.traceFlags = traceFlags
  }

  /** In ms since 1970, where it is recorded. */
  get now(): number {
    return this.clock + performance.now()
  }

  keep(of: OperationInfo | BatchInfo, span: Span): void {
    this.places ??= new Map()
    this.places.set(of, new Place(span))
  }

  at(of: OperationInfo | BatchInfo | undefined): Place | undefined {
    return of && this.places?.get(of)
  }

  forget(of: OperationInfo): void {
    this.places?.delete(of)
  }

  /** The innermost that a scope is part of. */
  placeOf({ request, batch }: Scope): Place {
    return this.at(batch) ?? this.at(request.executing) ?? this.start
  }
}

/** The trace of a request; undefined where it is not traced. */
export function traceOf(request: RequestInfo | undefined): RequestTrace | undefined {
  return request?.trace instanceof RequestTrace ? request.trace : undefined
}

/** The trace of a request whose span is being recorded. */
export function recorded(request: RequestInfo | undefined): RequestTrace | undefined {
  const traced = traceOf(request)
  return traced?.root.isRecording() ? traced : undefined
}

/** The trace of a request that is sampled: its span may have ended, as what it does goes on without its client. */
export function sampled(request: RequestInfo | undefined): RequestTrace | undefined {
  const traced = traceOf(request)
  return traced && (traced.traceFlags & TraceFlags.SAMPLED) !== 0 ? traced : undefined
}

/** Ends it then; with what failed as its `error.type`. */
export function endSpan(span: Span, time: number, failure: string | false): void {
  if (failure) span.setAttribute('error.type', failure).setStatus({ code: SpanStatusCode.ERROR })
  span.end(time)
}

/**
 * Makes the scope's span the active one, for the spans and outgoing requests of whoever uses OpenTelemetry's API. It is
 * looked up when asked for: the scopes that the house keeps anyway are all that is carried along.
 */
export class ScopeContexts extends AsyncLocalStorageContextManager {
  override active(): Context {
    const explicit = super.active()
    if (explicit !== ROOT_CONTEXT) return explicit
    const scope = currentScope()
    return (scope && traceOf(scope.request)?.placeOf(scope).context) ?? ROOT_CONTEXT
  }
}
