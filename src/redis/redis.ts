import { BrokenCircuitError } from 'cockatiel'
import { type Redis as Connection, type RedisCommander, ReplyError } from 'ioredis'
import { Circuit } from '../core/circuit.js'
import type { Config } from '../core/config.js'
import type { Log } from '../core/log.js'
import { PauseBreaker } from './breaker.js'
import { connect, disconnect } from './connection.js'
import { Deadlines } from './deadlines.js'
import { tellLosses } from './losses.js'
import { type Hearing, subscribe } from './subscription.js'
import { RedisUnavailable } from './unavailable.js'

/** What commands are sent by: one server's connection now, with nothing that a cluster's has not. */
export type Client = Pick<Connection, keyof RedisCommander | 'pipeline' | 'multi'>

/** A Redis that may be away at any time: nobody waits for it longer than REDIS_TIMEOUT_MS. */
export interface Redis {
  /** Whether commands are sent at the moment: it is connected, and its circuit closed or due to be tried. */
  readonly isAvailable: boolean
  /**
   * What `command` answers. It sends what it sends at once, and may go on unheard after a time-out: whether something
   * was done is then unknown. A pipeline resolves with the errors of its commands among its answers.
   * @throws RedisUnavailable, where there is no answer; the server's own refusals as they are, but without what was sent.
   */
  ask<Answer>(command: (client: Client) => Promise<Answer>): Promise<Answer>
  /**
   * Hears a channel over a connection of its own, from now on, through losses. A server that is silent counts as lost
   * after a second and a half at most.
   */
  subscribe(channel: string, hearing: Hearing): void
  /** Waits for what was asked, no longer than anybody does, and ends the connections. */
  close(): Promise<void>
}

/** How often in a row it must be late until it is left alone, and for how long until one command tries it, in ms. */
const failing = { times: 5, rest: 1_000 }

/** How long a connection may be silent, in ms: after that it is replaced. */
const silence = 2_000

/** Connects without waiting for it, and again whenever the connection is lost. @throws Error without REDIS_URL. */
export function createRedis(config: Pick<Config, 'REDIS_URL' | 'REDIS_TIMEOUT_MS'>, log: Log): Redis {
  const { REDIS_URL: place, REDIS_TIMEOUT_MS: timeout } = config
  if (!place) throw new Error('REDIS_URL is required.')
  const breaker = new PauseBreaker(failing.times, timeout)
  const circuit = new Circuit({ name: 'redis', breaker, rest: failing.rest, isFault })
  const teller = tellLosses(log)
  let release: (() => void) | undefined
  const connection = connect(place, silence, {
    ready() {
      teller.ready()
      release?.()
      release = undefined
    },
    lost(reason) {
      teller.lost(reason)
      release = circuit.hold()
    },
    refused: teller.refused,
  })
  const isConnected = () => connection.status === 'ready'
  const stops: (() => Promise<void>)[] = []

  const deadlines = new Deadlines(timeout, {
    answered: () => circuit.succeeded(),
    failed(error) {
      const failure = explain(error, isConnected())
      if (isFault(failure)) circuit.failed(failure)
      else circuit.succeeded()
      return failure
    },
  })

  return {
    get isAvailable() {
      return isConnected() && circuit.isPassable
    },
    ask(command) {
      if (!isConnected()) return Promise.reject(new RedisUnavailable('DISCONNECTED'))
      const send = () => deadlines.keep(start(command, connection))
      if (circuit.isClosed) return send()
      return circuit.execute(send).catch((error) => {
        throw error instanceof BrokenCircuitError ? new RedisUnavailable('CIRCUIT_OPEN') : error
      })
    },
    subscribe(channel, hearing) {
      stops.push(subscribe(place, { channel, hearing, refused: teller.refused }))
    },
    async close() {
      await deadlines.settle()
      await Promise.all([disconnect(connection), ...stops.map((stop) => stop())])
    },
  }
}

/** Begins it at once; what it throws is a rejection too, for which an async function would cost more. */
function start<Answer>(command: (client: Client) => Promise<Answer>, client: Client): Promise<Answer> {
  try {
    return command(client)
  } catch (error) {
    return Promise.reject(error)
  }
}

function isFault(error: unknown): boolean {
  return error instanceof RedisUnavailable
}

function explain(error: unknown, isConnected: boolean): unknown {
  // It carries what was sent: rows, or whatever else.
  if (error instanceof ReplyError) delete (error as { command?: unknown }).command
  else if (!isConnected && !isFault(error)) return new RedisUnavailable('DISCONNECTED')
  return error
}
