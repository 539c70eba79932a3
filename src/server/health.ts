import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { reasonOf } from '../core/errors.js'
import type { Log } from '../core/log.js'

/** Resolves while what it is about can serve requests; rejects while it cannot. */
export type Check = () => Promise<unknown>

export interface Health {
  /** From now on the server is ready only while this check resolves, within two seconds. */
  ready(name: string, check: Check): void
}

const patience = 2_000

/** Serves /livez (the process answers) and /readyz (requests may come: every check holds, no shutdown has begun). */
export function serveHealth(fastify: FastifyInstance, log: Log, isClosing: () => boolean): Health {
  const checks = new Map<string, Check>()

  fastify.get('/livez', async () => ({ status: 'live' }))
  fastify.get('/readyz', async (_request, reply) => {
    const results = await Promise.all([...checks].map(async ([name, check]) => [name, await holds(name, check, log)]))
    const ready = !isClosing() && results.every(([, held]) => held)
    const status = isClosing() ? 'closing' : ready ? 'ready' : 'not ready'
    return reply.code(ready ? 200 : 503).send({ status, checks: Object.fromEntries(results) })
  })
  return { ready: (name, check) => void checks.set(name, check) }
}

async function holds(name: string, check: Check, log: Log): Promise<boolean> {
  const ended = new AbortController()
  try {
    await Promise.race([check(), expire(ended.signal)])
    return true
  } catch (error) {
    log.warn({ check: name, reason: reasonOf(error) }, 'not ready')
    return false
  } finally {
    ended.abort()
  }
}

async function expire(signal: AbortSignal): Promise<never> {
  await sleep(patience, undefined, { signal })
  throw new Error(`No answer within ${patience} ms.`)
}
