import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Config, ConfigError, type Environment, environment, loadConfig } from '../core/config.js'
import { type Embedded, startEmbedded } from '../db/embedded.js'

/** What a process runs with. */
export interface Settings {
  config: Config
  /** The PostgreSQL of this checkout, where DATABASE_URL names no other; whoever opened the settings stops it. */
  embedded?: Embedded
}

/**
 * The environment's settings where DATABASE_URL is set, else those of the embedded server, which any variable of the
 * environment overrides. Throws ConfigError.
 */
export async function openSettings(
  progress: (message: string) => void,
  fallbacks: Environment = {},
): Promise<Settings> {
  const given = Object.fromEntries(Object.entries(environment()).filter(([, value]) => value !== ''))
  if (given.DATABASE_URL) return { config: loadConfig({ ...fallbacks, ...given }) }
  const folder = join(import.meta.dirname, '../../.data')
  const embedded = await startEmbedded({ folder, progress })
  try {
    const { url, jwtSecret } = embedded
    const conveniences = {
      GRAPHIQL: 'on',
      INTROSPECTION: 'on',
      DETECTORS_RATIO: '1',
      SLOW_STATEMENT_PLANS: 'analyzed',
      WORKER: 'on',
      MAIL_FOLDER: join(folder, 'mail'),
    }
    const defaults = { DATABASE_URL: url, JWT_SECRET: jwtSecret, ...conveniences }
    return { config: loadConfig({ ...defaults, ...given }), embedded }
  } catch (error) {
    await embedded.stop()
    throw error
  }
}

/**
 * Runs a command to its end, on the server of DATABASE_URL or the embedded one; it signs no tokens that must last, and
 * needs no JWT_SECRET. What is wrong with the configuration goes to standard error in plain words, exit code 1.
 */
export async function runCommand(command: (settings: Settings) => Promise<unknown>): Promise<void> {
  try {
    const settings = await openSettings(console.error, { JWT_SECRET: randomBytes(32).toString('hex') })
    const stop = async () => settings.embedded?.stop()
    const interrupt = () => void stop().finally(() => process.exit(130))
    process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
    await command(settings).finally(stop)
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    console.error(error.message)
    process.exitCode = 1
  }
}
