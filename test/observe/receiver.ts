import { createRequire } from 'node:module'

export type Values = Readonly<Record<string, unknown>>

/** Times are milliseconds since 1970. */
export interface Span {
  readonly traceId: string
  readonly spanId: string
  /** Empty for a trace's first. */
  readonly parentSpanId: string
  readonly name: string
  readonly kind: string
  readonly start: number
  readonly end: number
  readonly attributes: Values
  readonly events: readonly { readonly name: string; readonly attributes: Values }[]
  readonly links: readonly { readonly traceId: string; readonly spanId: string; readonly attributes: Values }[]
  readonly status: string
}

/** One series of a metric at one time. */
export interface Point {
  readonly metric: string
  readonly unit: string
  readonly kind: 'counter' | 'upDownCounter' | 'gauge' | 'histogram'
  readonly attributes: Values
  /** A histogram's sum. */
  readonly value: number
  /** A histogram's number of values. */
  readonly count: number
}

export interface LogRecord {
  readonly body: unknown
  readonly severityText: string
  readonly severityNumber: number
  readonly attributes: Values
  readonly traceId: string
  readonly spanId: string
}

/** What one service exported, in the order in which it came. */
export interface Received {
  readonly resource: Values
  readonly spans: Span[]
  readonly points: Point[]
  readonly logs: LogRecord[]
}

export type Protocol = 'http/protobuf' | 'grpc'

/** An OTLP receiver on free ports; `of` answers what a service sent, by OTEL_SERVICE_NAME. */
export async function startReceiver() {
  const { MockOtlpServer } = createRequire(import.meta.url)('@elastic/mockotlpserver')
  const services = new Map<string, Received>()
  const of = (name: string, resource: Values = {}): Received => {
    const known = services.get(name) ?? { resource, spans: [], points: [], logs: [] }
    services.set(name, known)
    return known
  }
  const receive = (group: string, add: (to: Received, of: Message) => void) => (message: Message) => {
    for (const part of listOf(decode(message), `resource${group}`)) {
      const resource = part.resource.attributes
      for (const scope of listOf(part, `scope${group}`)) add(of(resource['service.name'], resource), scope)
    }
  }
  const server = new MockOtlpServer({
    logLevel: 'fatal',
    services: ['http', 'grpc'],
    ...{ httpHostname: '127.0.0.1', httpPort: 0, grpcHostname: '127.0.0.1', grpcPort: 0 },
    onTrace: receive('Spans', (to, scope) => to.spans.push(...listOf(scope, 'spans').map(spanOf))),
    onMetrics: receive('Metrics', (to, scope) => to.points.push(...listOf(scope, 'metrics').flatMap(pointsOf))),
    onLogs: receive('Logs', (to, scope) => to.logs.push(...listOf(scope, 'logRecords').map(logOf))),
  })
  await server.start()
  const urls: Record<Protocol, string> = { 'http/protobuf': server.httpUrl.origin, grpc: server.grpcUrl.origin }
  return { urls, of: (name: string) => of(name), close: (): Promise<void> => server.close() }
}

// biome-ignore lint/suspicious/noExplicitAny: a message of OTLP, whose shape its definition says
type Message = any

const kinds = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER']
const statuses = ['UNSET', 'OK', 'ERROR']

const listOf = (message: Message, name: string): Message[] => message[name] ?? []

function spanOf(span: Message): Span {
  return {
    ...{ traceId: span.traceId, spanId: span.spanId, parentSpanId: span.parentSpanId ?? '', name: span.name },
    ...{ kind: kinds[span.kind] ?? '', status: statuses[span.status?.code ?? 0] ?? '' },
    ...{ start: span.startTimeUnixNano / 1e6, end: span.endTimeUnixNano / 1e6, attributes: span.attributes ?? {} },
    events: listOf(span, 'events').map(({ name, attributes = {} }) => ({ name, attributes })),
    links: listOf(span, 'links').map(({ traceId, spanId, attributes = {} }) => ({ traceId, spanId, attributes })),
  }
}

function pointsOf({ name: metric, unit, sum, gauge, histogram }: Message): Point[] {
  const kind = histogram ? 'histogram' : gauge ? 'gauge' : sum.isMonotonic ? 'counter' : 'upDownCounter'
  return listOf(histogram ?? gauge ?? sum, 'dataPoints').map((point) => {
    const { attributes = {}, sum: total, asInt, asDouble, count = 0 } = point
    return { metric, unit, kind, attributes, value: total ?? asInt ?? asDouble ?? 0, count }
  })
}

function logOf(record: Message): LogRecord {
  const { body, severityText, severityNumber, attributes = {}, traceId = '', spanId = '' } = record
  return { body, severityText, severityNumber, attributes, traceId, spanId }
}

/** Plain values: hexadecimal for bytes, numbers for 64 bits, objects for attributes, the value for OTLP's AnyValue. */
function decode(value: Message): Message {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map(decode)
  if (typeof value !== 'object' || value === null) return value
  if ('low' in value) return (value.high >>> 0) * 2 ** 32 + (value.low >>> 0)
  const [only, ...more] = Object.entries<Message>(value)
  if (only && more.length === 0 && /^(string|bool|int|double|bytes)Value$/.test(only[0])) return decode(only[1])
  if (only?.[0] === 'arrayValue') return listOf(only[1], 'values').map(decode)
  if (only?.[0] === 'kvlistValue') return attributesOf(only[1].values)
  const decoded = Object.entries(value).map(([name, each]) => [
    name,
    name === 'attributes' ? attributesOf(each as Message[]) : decode(each),
  ])
  return Object.fromEntries(decoded)
}

function attributesOf(pairs: Message[] = []): Values {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, decode(value)]))
}
