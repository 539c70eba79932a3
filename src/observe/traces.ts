import { timingSafeEqual } from 'node:crypto'
import {
  type Attributes,
  context,
  type Link,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { type Facts, fact } from '../core/events.js'
import { type BatchInfo, currentScope, type OperationInfo } from '../core/request.js'
import {
  codeOf,
  describeDocument,
  describeError,
  describeField,
  describeOperation,
  methodOf,
  other,
  typeOf,
} from './attributes.js'
import { endSpan, RequestTrace, recorded, ScopeContexts, sampled, traceOf } from './context.js'
import { traceJobs } from './job-spans.js'
import { cut, redactLiterals } from './redact.js'

/** The header that asks for a span per resolver, by the token of FIELD_SPANS_TOKEN. */
export const fieldSpansHeader = 'x-field-spans'

/** Paths of probes: one span each would only bury the others. */
const untraced = new Set(['/livez', '/readyz'])

const mostLinks = 16
const mostErrors = 10

/**
 * Makes spans of facts, by the names and attributes of OpenTelemetry's draft for GraphQL and its conventions for HTTP
 * and databases. Whether a request is sampled is the SDK's sampler's to say. The answer stops it.
 */
export function traceFacts(fieldSpansToken: string | undefined): () => void {
  const tracer = trace.getTracer('plumbline')
  const teller = new Teller(tracer, fieldSpansToken)
  context.disable()
  context.setGlobalContextManager(new ScopeContexts().enable())
  const stops = [
    fact('request.started').listen((value) => teller.startRequest(value)),
    fact('request.finished').listen((value) => teller.endRequest(value)),
    fact('operation.parsed').listen(({ hash, duration, error }) =>
      teller.tellStep('GraphQL Document Parsing', { hash, duration, type: 'parse' }, error && 'GRAPHQL_PARSE_FAILED'),
    ),
    fact('operation.validated').listen(({ hash, duration, errors }) =>
      teller.tellStep(
        'GraphQL Document Validation',
        { hash, duration, type: 'validate' },
        errors > 0 && 'GRAPHQL_VALIDATION_FAILED',
      ),
    ),
    fact('operation.started').listen(({ operation }) => teller.startOperation(operation)),
    fact('operation.finished').listen((value) => teller.endOperation(value)),
    fact('field.resolved').listen((value) => teller.tellField(value)),
    fact('batch.dispatched').listen(({ batch }) => teller.startBatch(batch)),
    fact('batch.loaded').listen(({ batch, error }) => teller.endBatch(batch, error)),
    fact('statement.finished').listen((value) => teller.tellStatement(value)),
    ...traceJobs(tracer),
    fact('remote.called').listen((value) => teller.tellCall(value)),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}

class Teller {
  constructor(
    private readonly tracer: Tracer,
    private readonly fieldSpansToken: string | undefined,
  ) {}

  startRequest({ request, method, path, scheme, headers }: Facts['request.started']): void {
    if (untraced.has(path)) return
    const known = methodOf(method)
    const attributes: Attributes = { 'http.request.method': known, 'url.path': path, 'url.scheme': scheme }
    if (known === other) attributes['http.request.method_original'] = method
    const options = { kind: SpanKind.SERVER, startTime: Date.now(), attributes }
    const span = this.tracer.startSpan(nameOf(method), options, propagation.extract(ROOT_CONTEXT, headers))
    request.trace = new RequestTrace(span)
    if (!span.isRecording()) return
    request.sampled = true
    request.fieldsTold = this.fieldSpansToken !== undefined && isSame(this.fieldSpansToken, headers[fieldSpansHeader])
  }

  endRequest({ request, method, route, status }: Facts['request.finished']): void {
    const traced = recorded(request)
    if (!traced) return
    const { root, now } = traced
    if (route) root.updateName(`${nameOf(method)} ${route}`).setAttribute('http.route', route)
    root.setAttribute('http.response.status_code', status)
    endSpan(root, now, status >= 500 && (traced.failure ?? String(status)))
  }

  /** What is done with a document that was not known yet. */
  tellStep(name: string, { type, hash, duration }: Step, failure: string | false): void {
    const attributes = { 'graphql.processing.type': type, ...describeDocument(hash) }
    this.tellPast(name, { duration, attributes }, failure)
  }

  startOperation(operation: OperationInfo): void {
    const traced = recorded(currentScope()?.request)
    if (!traced) return
    const { root, start, now } = traced
    const attributes = describeOperation(operation)
    root.setAttributes(attributes).setAttribute('graphql.processing.type', 'request')
    attributes['graphql.processing.type'] = 'execute'
    const options = { startTime: now, attributes }
    traced.keep(operation, this.tracer.startSpan('GraphQL Operation Execution', options, start.context))
  }

  endOperation({ operation, errors, hasData }: Facts['operation.finished']): void {
    const traced = traceOf(currentScope()?.request)
    if (!traced) return
    const { root } = traced
    const [first] = errors
    const failure = first !== undefined && !hasData && codeOf(first)
    // Its client may have gone, and the request's span with it: what it did is told all the same.
    const execution = traced.at(operation)
    if (execution) endSpan(execution.span, traced.now, failure)
    traced.forget(operation)
    if (!root.isRecording()) return
    if (!execution) root.setAttributes(describeOperation(operation)).setAttribute('graphql.processing.type', 'request')
    if (!first) return
    traced.failure = codeOf(first)
    root.setAttributes({ 'graphql.error.count': errors.length, 'error.type': traced.failure })
    for (const error of errors.slice(0, mostErrors))
      root.addEvent('graphql.error', describeError(error, hasData), traced.now)
    if (failure) root.setStatus({ code: SpanStatusCode.ERROR })
  }

  tellField({ coordinate, duration, error }: Facts['field.resolved']): void {
    const attributes = { 'graphql.processing.type': 'resolve', ...describeField(coordinate) }
    this.tellPast(coordinate, { duration, attributes }, error !== undefined && typeOf(error))
  }

  startBatch(batch: BatchInfo): void {
    const { loader, keys, askers } = batch
    const request = currentScope()?.request
    const traced = traceOf(request)
    const execution = traced?.at(request?.executing)
    if (!traced || !execution) return
    const links = askers.slice(0, mostLinks).map(({ coordinate, from }): Link => {
      const { span } = traced.at(from) ?? execution
      return { context: span.spanContext(), attributes: { 'graphql.selection.field.coordinate': coordinate } }
    })
    const attributes = {
      'graphql.processing.type': 'dataloader_batch',
      'graphql.dataloader.name': loader,
      'graphql.dataloader.batch.size': keys,
    }
    const options = { startTime: traced.now, attributes, links }
    traced.keep(batch, this.tracer.startSpan(`GraphQL DataLoader Batch ${loader}`, options, execution.context))
  }

  endBatch(batch: BatchInfo, error: unknown): void {
    const traced = traceOf(currentScope()?.request)
    const place = traced?.at(batch)
    if (traced && place) endSpan(place.span, traced.now, error !== undefined && typeOf(error))
  }

  tellStatement(end: Facts['statement.finished']): void {
    if (!sampled(currentScope()?.request)) return
    const { statement, text, rows, duration, wait, pool, inTransaction, field, error } = end
    // What the network or the house says has no severity.
    const { code, severity } = (error ?? {}) as { code?: string; severity?: string }
    const attributes: Attributes = {
      'db.system.name': 'postgresql',
      'db.query.summary': statement,
      // MikroORM writes values into its texts; ours have parameters.
      'db.query.text': inTransaction ? redactLiterals(cut(text)) : cut(text),
      'db.response.returned_rows': rows,
      'db.client.connection.pool.name': pool,
      'plumbline.db.wait_time': wait / 1000,
    }
    if (field) attributes['graphql.selection.field.coordinate'] = field
    if (code && severity) attributes['db.response.status_code'] = code
    const failure = error !== undefined && typeOf(error)
    this.tellPast(statement, { kind: SpanKind.CLIENT, duration, attributes }, failure)
  }

  /** Its requests have spans of their own, by the SDK's instrumentation; which say nothing of why there is no answer. */
  tellCall({ remote, reason, duration, attempts }: Facts['remote.called']): void {
    if (!reason) return
    const attributes = { 'plumbline.remote.name': remote, 'plumbline.remote.attempts': attempts }
    this.tellPast(`call ${remote}`, { duration, attributes }, reason)
  }

  /** A span of what has just ended, below the innermost that is going on, where that is recorded. */
  private tellPast(name: string, { duration, ...options }: Past, failure: string | false): void {
    const scope = currentScope()
    const traced = sampled(scope?.request)
    if (!scope || !traced) return
    const { now } = traced
    const span = this.tracer.startSpan(name, { ...options, startTime: now - duration }, traced.placeOf(scope).context)
    endSpan(span, now, failure)
  }
}

interface Step {
  readonly type: string
  readonly hash: string | undefined
  readonly duration: number
}

interface Past {
  readonly duration: number
  readonly kind?: SpanKind
  readonly attributes: Attributes
}

/** What clients call a method may be anything. */
function nameOf(method: string): string {
  return methodOf(method) === other ? 'HTTP' : method
}

function isSame(token: string, given: unknown): boolean {
  const [expected, actual] = [Buffer.from(token), Buffer.from(String(given))]
  return expected.length === actual.length && timingSafeEqual(expected, actual)
}
