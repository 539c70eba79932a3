import { setTimeout as sleep } from 'node:timers/promises'
import type { App } from '../app.js'
import { reasonOf } from '../core/errors.js'
import type { Log } from '../core/log.js'
import type { Check } from '../server/health.js'
import { readWarmOperations } from './operation-file.js'
import { awaitRedis, warm } from './warming.js'

/** In ms: how long a server that is not warm yet says that it is not ready; how long it waits for Redis before. */
const patience = { ready: 10_000, redis: 2_000 }

/** In ms: how often it is looked whether the database is there. */
const pause = 1_000

/** In ms: how long what is asked at the moment may hold up a shutdown. */
const grace = 1_000

export interface WarmStart {
  /** To be called once the app listens. */
  begin(): void
  stop(): Promise<void>
}

/** What it is told by, and what rejects as long as there is nothing to be warmed with. */
interface Starting {
  readonly log: Log
  readonly isMigrated: Check
}

/**
 * Has a server make itself warm as it starts, beside whoever asks already, as soon as its database is there, migrated;
 * until then it is not ready, unless that takes long.
 */
export function warmStart(app: App, { log, isMigrated }: Starting): WarmStart {
  const controller = new AbortController()
  const { signal } = controller
  const late = performance.now() + patience.ready
  let isDone = false
  let done: Promise<void> | undefined
  app.ready('warm', async () => {
    if (!isDone && performance.now() < late) throw new Error('It is not warm yet.')
  })

  async function waitForTables(): Promise<void> {
    for (let isTold = false; !signal.aborted; isTold = true)
      try {
        return void (await isMigrated())
      } catch (error) {
        const reason = reasonOf(error)
        if (!isTold) log.warn({ reason }, 'waiting for the database and its migrations: npm run db:migrate')
        await sleep(pause, undefined, { signal, ref: false }).catch(() => {})
      }
  }

  async function run(): Promise<void> {
    await waitForTables()
    const operations = await readWarmOperations()
    await awaitRedis(app, patience.redis, signal)
    const began = performance.now()
    const failures = await warm(app, { operations, isServing: true, progress: () => {}, signal })
    for (const [operation, reason] of failures) log.warn({ operation, reason }, 'an operation could not be warmed')
    log.debug({ operations: operations.size, duration: Math.round(performance.now() - began) }, 'warm')
  }

  return {
    begin() {
      done = run()
        .catch((error) => log.warn({ err: error }, 'the server could not be warmed'))
        .finally(() => {
          isDone = true
        })
    },
    async stop() {
      controller.abort()
      await Promise.race([done, sleep(grace, undefined, { ref: false })])
    },
  }
}
