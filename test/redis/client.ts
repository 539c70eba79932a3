import { expect } from 'vitest'
import { type Environment, loadConfig } from '../../src/core/config.js'
import { type Facts, fact } from '../../src/core/events.js'
import { writeLog } from '../../src/core/log.js'
import { createRedis, type Redis } from '../../src/redis/redis.js'
import { jwtSecret } from '../settings.js'

export interface TestRedis extends Redis, AsyncDisposable {
  /** Everything it has logged, as text. */
  readonly logged: string[]
  /** What its circuit told. */
  readonly changed: Facts['circuit.changed'][]
  /** Resolves when it is available. */
  available(): Promise<void>
}

/** The room over this server, patient unless a test says otherwise: machines are busy. */
export function openRedis(url: string, config: Environment = {}): TestRedis {
  const logged: string[] = []
  const changed: Facts['circuit.changed'][] = []
  const stop = fact('circuit.changed').listen((change) => void changed.push(change))
  const log = writeLog({ LOG_LEVEL: 'trace' }, { write: (line) => void logged.push(line) })
  const needed = { DATABASE_URL: 'postgresql://nowhere/nothing', JWT_SECRET: jwtSecret }
  const redis = createRedis(loadConfig({ ...needed, REDIS_URL: url, REDIS_TIMEOUT_MS: '5000', ...config }), log)
  return {
    get isAvailable() {
      return redis.isAvailable
    },
    ask: (command) => redis.ask(command),
    subscribe: (channel, hearing) => redis.subscribe(channel, hearing),
    close: () => redis.close(),
    logged,
    changed,
    available: () => expect.poll(() => redis.isAvailable, { interval: 10 }).toBe(true),
    async [Symbol.asyncDispose]() {
      stop()
      await redis.close()
    },
  }
}

/** What was asked, or why there is no answer. */
export async function outcome(asked: Promise<unknown>): Promise<unknown> {
  return asked.catch((error) => error.reason ?? error.message)
}
