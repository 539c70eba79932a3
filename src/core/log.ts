import { type Logger, pino } from 'pino'
import type { Config } from './config.js'
import { currentRequest } from './request.js'

export type Log = Logger

/** The process's log: JSON lines on standard output, each with the request it belongs to. */
export function createLog(config: Pick<Config, 'LOG_LEVEL'>): Log {
  return pino({
    level: config.LOG_LEVEL,
    base: undefined,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level) => ({ level }) },
    mixin: () => {
      const request = currentRequest()
      return request ? { requestId: request.id, operation: request.operation } : {}
    },
    redact: ['req.headers.authorization', '*.password', '*.passwordHash'],
  })
}
