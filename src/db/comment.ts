import { currentRequest } from '../core/request.js'

/** The request's trace context as a comment of SQL, in sqlcommenter's form; empty where its trace is not sampled. */
export function traceComment(): string {
  const trace = currentRequest()?.trace
  return trace && (trace.traceFlags & 1) === 1 ? ` /*traceparent='00-${trace.traceId}-${trace.spanId}-01'*/` : ''
}
