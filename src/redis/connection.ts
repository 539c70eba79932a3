import { Redis as Connection, type RedisOptions, ReplyError } from 'ioredis'
import type { RedisPlace } from '../core/redis-url.js'

/** In ms. */
const patience = {
  /** Until a server has taken a connection. */
  connect: 2_000,
  /** Until a Sentinel has answered. */
  sentinel: 1_000,
  /** Until a connection that is closed by us is cut, where the server does not answer. */
  close: 50,
  /** The longest wait before the next attempt to connect. */
  reconnect: 2_000,
}

/** What becomes of a connection. Reasons are codes, never what was sent. */
export interface Connecting {
  /** Commands are answered from now on. */
  ready(): void
  /** It is lost, or was not had to begin with: told once, until it is ready again. */
  lost(reason: string): void
  /** The server does not take it, at this attempt. */
  refused(reason: string): void
}

/**
 * A connection that is opened anew for as long as it is not closed; `silence` is how long a server may leave a command
 * without an answer before the connection counts as lost, in ms.
 */
export function connect(place: RedisPlace, silence: number, connecting: Connecting): Connection {
  const connection = new Connection({ ...optionsOf(place), socketTimeout: silence })
  let isLost = false
  let reason = 'CLOSED'
  const lose = () => {
    if (!isLost) connecting.lost(reason)
    isLost = true
  }
  connection.on('error', (error: Error) => {
    reason = codeOf(error)
    // Sentinels that cannot be reached close nothing.
    if (connection.status !== 'ready') lose()
    if (error instanceof ReplyError) connecting.refused(reason)
  })
  connection.on('close', lose)
  connection.on('ready', () => {
    isLost = false
    reason = 'CLOSED'
    connecting.ready()
  })
  return connection
}

/** Ends it for good, within {@link patience.close}. */
export async function disconnect(connection: Connection): Promise<void> {
  connection.removeAllListeners('close').removeAllListeners('ready').removeAllListeners('error')
  connection.on('error', () => {})
  const isOpen = connection.status === 'ready' || connection.status === 'connect'
  const ended = new Promise<void>((resolve) => connection.once('end', resolve))
  connection.disconnect()
  if (isOpen) await ended
}

function optionsOf({ hosts, master, database, isEncrypted, ...sign }: RedisPlace): RedisOptions {
  const [first] = hosts
  return {
    ...(master
      ? {
          sentinels: [...hosts],
          name: master,
          sentinelPassword: sign.sentinelPassword,
          sentinelCommandTimeout: patience.sentinel,
          sentinelRetryStrategy: backoff,
          ...(isEncrypted && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
        }
      : { host: first?.host, port: first?.port }),
    ...(isEncrypted && { tls: {} }),
    username: sign.username,
    password: sign.password,
    db: database,
    connectTimeout: patience.connect,
    disconnectTimeout: patience.close,
    retryStrategy: backoff,
    // Nothing is sent later than it was asked for: not after a loss, nor while there is no connection.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    // A master that became a replica: the next connection asks where the master is.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  }
}

/** 50 ms, then twice as long each time; a random half of it less, so that processes do not come all at once. */
function backoff(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt - 1, 10), patience.reconnect) * (1 - Math.random() / 2)
}

/** What an error is, without what was sent: errors of replies carry that, passwords included. */
export function codeOf(error: Error & { code?: string }): string {
  // A reply's first word is its code.
  if (error instanceof ReplyError) return /^\w+/.exec(error.message)?.[0] ?? 'REFUSED'
  return error.code ?? /^[\w ']+/.exec(error.message)?.[0] ?? error.name
}
