import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConfigError } from '../core/config.js'
import { clusterUrl, createCluster, type Settings, serverOf, startCluster, stopCluster } from './cluster.js'
import { beginUse, isMissing, ownName } from './processes.js'

/** A PostgreSQL server of this checkout, for machines that have none. */
export interface Embedded {
  url: string
  /** Made once per checkout, so that tokens stay valid from one start to the next. */
  jwtSecret: string
  /** True until `markFilled` was called, in this process or an earlier one: nobody has filled the database to the end. */
  readonly fresh: boolean
  /** To be called before filling it; answers whether an earlier filling never came to its end. */
  markFilling(): Promise<boolean>
  markFilled(): Promise<void>
  /** Lets go of the server; the last process that uses it stops it. */
  stop(): Promise<void>
}

interface Options {
  /** Holds the data, the secrets and the log; nothing outside it is needed to start again. */
  folder: string
  /** Told what takes long. */
  progress?: (message: string) => void
}

const settings: Settings = {
  shared_buffers: '256MB',
  work_mem: '64MB',
  effective_cache_size: '1GB',
  max_connections: 100,
}

/** How long another process's start or stop of the same server is waited for, in ms. */
const patience = 60_000

/**
 * PostgreSQL 18 on a loopback port: the running server where another process has started it, else a new one. It lives
 * in a session of its own and survives signals to this process. Throws ConfigError where the platform has no binaries.
 */
export async function startEmbedded({ folder, progress = () => {} }: Options): Promise<Embedded> {
  await mkdir(folder, { recursive: true })
  await chmod(folder, 0o755)
  const data = join(folder, 'postgres')
  const use = await beginUse(join(folder, 'processes'))
  const stop = () => use.end(() => stopCluster(data))
  try {
    const [filling, filled] = [join(data, 'filling'), join(data, 'filled')]
    const url = await attachOrStart(data, join(folder, 'port'), progress)
    return {
      url,
      jwtSecret: await secretIn(join(folder, 'jwt-secret')),
      get fresh() {
        return !existsSync(filled)
      },
      async markFilling() {
        const again = existsSync(filling)
        await writeFile(filling, '')
        return again
      },
      markFilled: () => writeFile(filled, ''),
      stop,
    }
  } catch (error) {
    await stop().catch(() => {})
    throw error
  }
}

async function attachOrStart(data: string, portFile: string, progress: (message: string) => void): Promise<string> {
  const giveUp = Date.now() + patience
  for (let failures = 0; ; ) {
    const url = existsSync(data) ? await clusterUrl(data) : undefined
    if (url) return url
    try {
      if (!existsSync(data)) {
        progress('Creating a PostgreSQL 18 cluster')
        await createCluster(data)
      }
      await startCluster(data, settings, Number(await readFile(portFile, 'utf8').catch(() => 0)))
      const { port } = await serverOf(data)
      await writeFile(portFile, String(port))
    } catch (error) {
      // Another process may be starting or stopping the same server: its lock decides, we look again.
      const { alive } = await serverOf(data)
      if (error instanceof ConfigError || Date.now() > giveUp || (!alive && ++failures === 3)) throw error
      await sleep(200)
    }
  }
}

/** Whole or not there: a half-written secret would be read by whoever starts at the same time. */
async function secretIn(path: string): Promise<string> {
  const known = await readFile(path, 'utf8').catch((error) => {
    if (!isMissing(error)) throw error
  })
  if (known) return known
  const draft = `${path}.${ownName()}`
  await writeFile(draft, randomBytes(32).toString('hex'), { mode: 0o600 })
  await link(draft, path).catch(() => {})
  await rm(draft)
  return readFile(path, 'utf8')
}
