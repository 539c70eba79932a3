import { createApp, createWorker } from '../app.js'
import { type Config, ConfigError, environment, loadConfig } from '../core/config.js'
import { createLog } from '../core/log.js'
import { slices } from '../domain/index.js'
import type { Telemetry } from '../observe/sdk.js'
import { startStandIns } from '../remote/stand-in.js'
import { createMigrationCheck } from './pending.js'
import { prepare } from './prepare.js'
import { onRunnerGone } from './runner.js'
import { openSettings, type Settings } from './settings.js'
import { warmStart } from './warm-start.js'

export interface Serving {
  /** Whether it brings its own PostgreSQL where DATABASE_URL names none. */
  readonly embedded: boolean
  /** Whether it does jobs instead of answering requests. */
  readonly worker: boolean
  readonly telemetry: Telemetry
}

type Close = () => Promise<unknown>

/** A terminal's Ctrl-C reaches us twice under npm, which passes its own on: this soon, the second is no demand, in ms. */
const echo = 1_000

/**
 * Serves, or as a worker does jobs, until SIGTERM or SIGINT, then drains and exits 0; a second signal exits at once. With `embedded` and without
 * DATABASE_URL it brings its own PostgreSQL, migrated and filled. A start that fails says why and exits 1.
 */
export async function serve({ embedded, worker, telemetry }: Serving): Promise<void> {
  const opened: Close[] = [() => telemetry.close()]
  const closing = closeOnSignal(opened)
  try {
    const opening: Promise<Settings> = embedded
      ? openSettings(console.log)
      : Promise.resolve({ config: loadConfig(environment()) })
    opened.push(async () => (await opening.catch(() => undefined))?.embedded?.stop())
    const settings = await opening
    const log = createLog(settings.config, telemetry.logs)
    // graphql-js leaves some behind where a list fails part way: no client may end the process with one.
    process.on('unhandledRejection', (error) => log.error({ err: error }, 'a rejection that nobody handled'))
    if (settings.embedded) await prepare(settings.config, settings.embedded)
    const told = { log, exports: telemetry.exports }
    if (worker) {
      const jobs = await createWorker(settings.config, slices, told)
      opened.push(() => jobs.close())
      log.info('ready')
      return
    }
    const config = settings.embedded ? await standIn(settings.config, opened) : settings.config
    const app = await createApp(config, slices, told)
    opened.push(() => app.close())
    const isMigrated = createMigrationCheck(app.db)
    app.ready('migrations', isMigrated)
    const warming = warmStart(app, { log, isMigrated })
    opened.push(warming.stop)
    const url = await app.listen()
    if (embedded) console.log(`Ready: ${new URL('/graphql', url)}`)
    else log.info({ url }, 'ready')
    warming.begin()
  } catch (error) {
    if (closing.begun) return
    console.error(error instanceof ConfigError ? error.message : explain(error))
    await closeAll(opened)
    process.exit(1)
  }
}

/** On a developer's machine the services that slices call are played, unless REMOTE_URLS says where they are. */
async function standIn(config: Config, opened: Close[]): Promise<Config> {
  const remotes = slices.flatMap((slice) => slice.remotes ?? [])
  const standIns = await startStandIns(remotes, config.REMOTE_URLS)
  opened.push(() => standIns.close())
  return { ...config, REMOTE_URLS: [...config.REMOTE_URLS, ...standIns.urls] }
}

function closeOnSignal(opened: Close[]): { begun: number | undefined } {
  const closing: { begun: number | undefined } = { begun: undefined }
  const onSignal = async () => {
    if (closing.begun !== undefined) {
      if (Date.now() - closing.begun > echo) process.exit(1)
      return
    }
    closing.begun = Date.now()
    await closeAll(opened)
    process.exit(0)
  }
  onRunnerGone(onSignal)
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  return closing
}

async function closeAll(opened: Close[]): Promise<void> {
  for (const close of opened.splice(0).reverse()) {
    await close().catch((error) => console.error(error))
  }
}

function explain(error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return error
  return `The port is taken (${(error as Error).message}): set PORT to another.`
}
