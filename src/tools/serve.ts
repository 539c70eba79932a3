import { createApp } from '../app.js'
import { ConfigError, environment, loadConfig } from '../core/config.js'
import { createLog } from '../core/log.js'
import { slices } from '../domain/index.js'
import { createMigrationCheck } from './pending.js'
import { prepare } from './prepare.js'
import { onRunnerGone } from './runner.js'
import { openSettings, type Settings } from './settings.js'

type Close = () => Promise<unknown>

/** A terminal's Ctrl-C reaches us twice under npm, which passes its own on: this soon, the second is no demand, in ms. */
const echo = 1_000

/**
 * Serves until SIGTERM or SIGINT, then drains and exits 0; a second signal exits at once. With `embedded` and without
 * DATABASE_URL it brings its own PostgreSQL, migrated and filled. A start that fails says why and exits 1.
 */
export async function serve({ embedded }: { embedded: boolean }): Promise<void> {
  const opened: Close[] = []
  const closing = closeOnSignal(opened)
  try {
    const opening: Promise<Settings> = embedded
      ? openSettings(console.log)
      : Promise.resolve({ config: loadConfig(environment()) })
    opened.push(async () => (await opening.catch(() => undefined))?.embedded?.stop())
    const settings = await opening
    const log = createLog(settings.config)
    // graphql-js leaves some behind where a list fails part way: no client may end the process with one.
    process.on('unhandledRejection', (error) => log.error({ err: error }, 'a rejection that nobody handled'))
    if (settings.embedded) await prepare(settings.config, settings.embedded)
    const app = await createApp(settings.config, slices, log)
    opened.push(() => app.close())
    app.ready('migrations', createMigrationCheck(app.db))
    const url = await app.listen()
    if (embedded) console.log(`Ready: ${new URL('/graphql', url)}`)
    else log.info({ url }, 'ready')
  } catch (error) {
    if (closing.begun) return
    console.error(error instanceof ConfigError ? error.message : explain(error))
    await closeAll(opened)
    process.exit(1)
  }
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
