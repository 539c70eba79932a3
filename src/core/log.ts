import { type DestinationStream, type Logger, pino } from 'pino'
import type { Config } from './config.js'
import { currentRequest, type RequestInfo } from './request.js'

export type Log = Logger

/** Lines go out together, a tenth of a second late at most; the last ones when the process exits, however it does but by SIGKILL. */
const output = { dest: 1, sync: false, minLength: 4096, periodicFlush: 100 }

/** The process's log: JSON lines on standard output and wherever else, each with the request it belongs to. */
export function createLog(config: Pick<Config, 'LOG_LEVEL'>, elsewhere?: DestinationStream): Log {
  const standard = pino.destination(output)
  const streams = (elsewhere ? [standard, elsewhere] : []).map((stream) => ({ stream, level: 'trace' as const }))
  return writeLog(config, elsewhere ? pino.multistream(streams) : standard)
}

/** The same log, written there. */
export function writeLog(config: Pick<Config, 'LOG_LEVEL'>, destination: DestinationStream): Log {
  return pino(
    {
      level: config.LOG_LEVEL,
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      mixin: () => {
        const request = currentRequest()
        return request ? { requestId: request.id, operation: request.operation, traceId: tracedId(request) } : {}
      },
      serializers: { err: describeError },
      redact: ['req.headers.authorization', '*.password', '*.passwordHash'],
    },
    destination,
  )
}

/** The id of a trace that is recorded: another would lead nowhere. */
function tracedId({ trace }: RequestInfo): string | undefined {
  return trace && (trace.traceFlags & 1) === 1 ? trace.traceId : undefined
}

/** An error as pino tells it, without the `detail` of the database's errors: that is the row, whatever it holds. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const told = Object.entries({ ...pino.stdSerializers.err(error), detail: undefined })
  const details = detailsOf(error)
  const without = (text: string) => details.reduce((rest, detail) => rest.replaceAll(detail, '…'), text)
  return Object.fromEntries(told.map(([name, value]) => [name, typeof value === 'string' ? without(value) : value]))
}

function detailsOf(error: unknown): string[] {
  const seen = new Set<unknown>()
  for (let at = error; at instanceof Error && !seen.has(at); at = at.cause) seen.add(at)
  return [...seen].flatMap((each) => (each as { detail?: string }).detail || [])
}
