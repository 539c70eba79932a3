import { logs, SeverityNumber } from '@opentelemetry/api'
import type { DestinationStream } from 'pino'

const severities: Readonly<Record<string, SeverityNumber>> = {
  trace: SeverityNumber.TRACE,
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
  fatal: SeverityNumber.FATAL,
}

/** Makes log records of the log's lines, which are redacted already, in the trace that they were written in. */
export function createLogStream(): DestinationStream {
  const logger = logs.getLogger('plumbline')
  return {
    write(line) {
      const { level, time, msg, err, ...attributes } = JSON.parse(line)
      const exception = err && {
        'exception.type': err.type,
        'exception.message': err.message,
        'exception.stacktrace': err.stack,
      }
      logger.emit({
        timestamp: new Date(time),
        severityNumber: severities[level] ?? SeverityNumber.UNSPECIFIED,
        severityText: level,
        body: msg,
        attributes: { ...attributes, ...exception },
      })
    },
  }
}
