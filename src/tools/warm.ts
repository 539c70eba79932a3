import { createApp } from '../app.js'
import { type Config, ConfigError } from '../core/config.js'
import { createLog } from '../core/log.js'
import { slices } from '../domain/index.js'
import { readWarmOperations } from './operation-file.js'
import { type Progress, showProgress } from './progress.js'
import { runCommand } from './settings.js'
import { awaitRedis, warm } from './warming.js'

/** It has no clients, so nobody minds that Redis is waited for. */
const alone = { WORKER: false, PORT: 0, HOST: '127.0.0.1', SHUTDOWN_ANNOUNCE_MS: 0, REDIS_TIMEOUT_MS: 1_000 }

if (import.meta.main)
  await runCommand(async ({ config }) => {
    const reason = whyNot(config)
    if (reason) console.log(reason)
    else await warmCache(config, showProgress(process.stdout))
  })

/** Why there is nothing to fill from here, in plain words; undefined where there is. */
export function whyNot({ CACHE, REDIS_URL }: Config): string | undefined {
  if (!CACHE) return 'CACHE is off: there is nothing to fill.'
  if (!REDIS_URL) return 'There is no REDIS_URL: each process has a cache of its own, which nothing can fill from here.'
  return undefined
}

/**
 * Fills Redis for the servers of this release, as a process of its own that answers nobody. Redis is waited for, so many
 * ms at most.
 * @throws ConfigError where Redis does not answer, or something could not be read.
 */
export async function warmCache(config: Config, progress: Progress, patience = 10_000): Promise<void> {
  const log = createLog({ LOG_LEVEL: 'error' })
  const operations = await readWarmOperations()
  const app = await createApp({ ...config, ...alone }, slices, { log })
  try {
    await app.listen()
    if (!(await awaitRedis(app, patience))) throw new ConfigError('Redis does not answer: nothing was filled.')
    const { signal } = new AbortController()
    const failures = await warm(app, { operations, isServing: false, progress, signal })
    const lines = [...failures].map(([name, message]) => `  ${name}: ${message}`)
    if (lines.length > 0) throw new ConfigError(['These could not be filled:', ...lines].join('\n'))
  } finally {
    await app.close()
  }
}
