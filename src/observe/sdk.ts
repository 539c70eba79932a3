import type { Attributes } from '@opentelemetry/api'
import type { DestinationStream } from 'pino'
import type { Environment } from '../core/config.js'

/** What the process's OpenTelemetry SDK takes. */
export interface Exports {
  readonly traces: boolean
  readonly metrics: boolean
}

/** The process's OpenTelemetry SDK. */
export interface Telemetry {
  readonly exports: Exports
  /** Where log lines go beside standard output; absent where logs are not exported. */
  readonly logs?: DestinationStream
  /** Exports what is left, for two seconds at most. Calling it again waits for the first. */
  close(): Promise<void>
}

const noAttributes = {}

/**
 * The SDK counts spans too, as they start and end, each time by a text of their attributes: that cost more than the
 * spans themselves. Who asks for its metrics has them whole.
 */
const countOfSpans = { instrumentName: 'otel.sdk.span.*', attributesProcessors: [{ process: () => noAttributes }] }

const signals = ['TRACES', 'METRICS', 'LOGS'] as const

/** In ms: how long the last export may hold up the end of the process. */
const patience = 2_000

/**
 * Starts the SDK as the standard OTEL_* variables say. A signal without an endpoint and without an exporter of its own
 * is off; where all are, nothing is loaded.
 */
export async function startTelemetry(variables: Environment): Promise<Telemetry> {
  for (const signal of signals) if (!hasEndpoint(variables, signal)) variables[`OTEL_${signal}_EXPORTER`] ||= 'none'
  const isOff = variables.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true'
  const takes = (signal: (typeof signals)[number]) =>
    !isOff && (variables[`OTEL_${signal}_EXPORTER`] !== 'none' || Boolean(variables.OTEL_CONFIG_FILE))
  const exports = { traces: takes('TRACES'), metrics: takes('METRICS') }
  if (!signals.some(takes)) return { exports, close: async () => {} }

  if (!variables.OTEL_RESOURCE_ATTRIBUTES?.includes('service.name=')) variables.OTEL_SERVICE_NAME ||= 'plumbline'
  // The others tell of the machine and of the command's arguments.
  variables.OTEL_NODE_RESOURCE_DETECTORS ||= 'service'
  const views = variables.OTEL_NODE_EXPERIMENTAL_SDK_METRICS ? [] : [countOfSpans]
  // Spans that a full queue dropped are counted by the SDK itself.
  variables.OTEL_NODE_EXPERIMENTAL_SDK_METRICS ||= 'true'
  // What it says beyond warnings would stand between the log's lines.
  variables.OTEL_LOG_LEVEL ||= 'warn'
  const [{ startNodeSdk }, { UndiciInstrumentation }, { RuntimeNodeInstrumentation }, { createLogStream }] =
    await Promise.all([
      import('@opentelemetry/sdk-node'),
      import('@opentelemetry/instrumentation-undici'),
      import('@opentelemetry/instrumentation-runtime-node'),
      import('./logs.js'),
    ])
  const instrumentations = [
    new UndiciInstrumentation({ requireParentforSpans: true, startSpanHook: withoutQuery }),
    ...(exports.metrics ? [new RuntimeNodeInstrumentation()] : []),
  ]
  const sdk = startNodeSdk({ instrumentations, views })
  let closed: Promise<unknown> | undefined
  return {
    exports,
    ...(takes('LOGS') ? { logs: createLogStream() } : {}),
    async close() {
      closed ??= Promise.race([
        sdk.shutdown().catch(() => {}),
        new Promise((resolve) => setTimeout(resolve, patience).unref()),
      ])
      await closed
    },
  }
}

/** What an outgoing request's span tells of its URL: values, secret ones too, travel in queries. */
function withoutQuery({ origin, path }: { origin: string; path: string }): Attributes {
  return { 'url.full': origin + path.replace(/\?.*/s, ''), 'url.query': undefined }
}

function hasEndpoint(variables: Environment, signal: string): boolean {
  return Boolean(variables.OTEL_EXPORTER_OTLP_ENDPOINT || variables[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`])
}
