import type { Log } from '../core/log.js'
import type { Connecting } from './connection.js'

/** Says in the log that the connection is lost, that it is back, and why it is refused: each once, not for each attempt. */
export function tellLosses(log: Log): Connecting {
  const refusals = new Set<string>()
  let isLost = false
  return {
    ready() {
      if (isLost) log.info('Redis is connected again')
      isLost = false
      refusals.clear()
    },
    lost(reason) {
      isLost = true
      log.warn({ reason }, 'Redis is not connected')
    },
    refused(reason) {
      if (refusals.has(reason)) return
      refusals.add(reason)
      log.warn({ reason }, 'Redis refuses a connection or subscription')
    },
  }
}
