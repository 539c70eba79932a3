import { createTestDatabase } from '../support.js'
import type { House } from './process.js'
import type { Protocol, Received, Span, startReceiver } from './receiver.js'
import { fieldSpansToken, fill, type Rows, requestsOf, type Sent, send, startElsewhere } from './session.js'
import { printTree } from './tree.js'

/** In ms. */
export const shutdownTimeout = 5_000
/** Requests whose operations have names that nobody knows. */
export const strangers = 50

/** A server's whole life, as it was told by OTLP. */
export interface Told extends Received {
  readonly sent: Readonly<Record<string, Sent>>
  readonly rows: Rows
  /** What `traceparent` another server was sent. */
  readonly passedOn: readonly string[]
  readonly exit: { readonly code: number | null; readonly took: number }
  /** The same of a server that samples nothing, is asked for the SDK's metrics, and leaves its intervals as they are. */
  readonly quiet: Received & { readonly traceId: string }
}

type Receiver = Awaited<ReturnType<typeof startReceiver>>

/** Runs servers that export by that protocol, asks them this and that, and ends them. */
export async function converse(house: House, receiver: Receiver, protocol: Protocol): Promise<Told> {
  const [database, elsewhere] = await Promise.all([createTestDatabase('template_house'), startElsewhere()])
  const variables = (name: string) => ({
    DATABASE_URL: database.url,
    SHUTDOWN_TIMEOUT_MS: String(shutdownTimeout),
    OTEL_SERVICE_NAME: name,
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.urls[protocol],
    OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
  })
  const rows = await fill(database.url)
  const [loud, quiet] = await Promise.all([
    house.run({
      ...variables(protocol),
      // Nothing is exported before the end but metrics, whose changes are of interest.
      OTEL_BSP_SCHEDULE_DELAY: '60000',
      OTEL_BLRP_SCHEDULE_DELAY: '60000',
      OTEL_METRIC_EXPORT_INTERVAL: '400',
      OTEL_METRIC_EXPORT_TIMEOUT: '400',
      FIELD_SPANS_TOKEN: fieldSpansToken,
      // Whatever there is to tell of operations and statements is told.
      DETECTORS_RATIO: '1',
      SLOW_STATEMENT_MS: '1',
    }),
    house.run({
      ...variables(`${protocol} quiet`),
      OTEL_TRACES_SAMPLER: 'traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0',
      OTEL_NODE_EXPERIMENTAL_SDK_METRICS: 'true',
      DETECTORS_RATIO: '1',
    }),
  ])
  const requests = Object.entries(requestsOf(rows, elsewhere.url))
  const sent: Record<string, Sent> = {}
  // What is not read keeps its connection.
  const call = async (path: string, init: RequestInit = {}) => (await fetch(loud.url + path, init)).text()
  for (const path of ['/livez', '/readyz']) await call(path)
  await call('/graphql', { method: 'PROPFIND' })
  for (let i = 0; i < strangers; i++) await call(`/graphql?query=query+Stranger${i}+{__typename}`, plain)
  for (const [name, request] of requests) sent[name] = await send(loud.url, request)
  const { traceId } = await send(quiet.url, requests[0]?.[1] as (typeof requests)[0][1])
  const [exit] = await Promise.all([loud.stop(), quiet.stop()])
  elsewhere.close()
  await database.drop()
  const told = { sent, rows, passedOn: elsewhere.asked, exit }
  return { ...receiver.of(protocol), ...told, quiet: { ...receiver.of(`${protocol} quiet`), traceId } }
}

/** Apollo takes a GET for a request that a browser was tricked into, unless it says otherwise. */
const plain = { headers: { 'apollo-require-preflight': 'true' } }

/** The spans of a request, by its name. */
export function traceOf({ spans, sent }: Told, name: string): Span[] {
  const trace = spans.filter(({ traceId }) => traceId === sent[name]?.traceId)
  if (trace.length === 0) throw new Error(`Of "${name}" there is no trace.`)
  return trace
}

/** The span of that name in a request's trace, where it has exactly one. */
export function spanIn(told: Told, request: string, name: string): Span {
  const trace = traceOf(told, request)
  const [span, ...more] = trace.filter((each) => each.name === name)
  if (span && more.length === 0) return span
  throw new Error(
    `The trace of "${request}" has ${span ? more.length + 1 : 'no'} spans "${name}":\n${printTree(trace)}`,
  )
}

export const server = 'POST /graphql'
export const execution = 'GraphQL Operation Execution'
