import type { Server as HttpServer } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { GraphQLSchema } from 'graphql'
import { type CacheRoom, openCache } from './cache/open.js'
import { readRelease } from './cache/release.js'
import type { Config } from './core/config.js'
import type { Log } from './core/log.js'
import { createDatabase, type Database } from './db/database.js'
import { Kept } from './graph/kept.js'
import { createProjector } from './graph/projection.js'
import { checkColumns, createSchema } from './graph/schema.js'
import { checkNames, type Slice } from './graph/slice.js'
import { runWarmer, type Warmer } from './graph/warmer.js'
import type { Job } from './jobs/job.js'
import { readJobCounts } from './jobs/queue.js'
import { createWorker as startWorker, type Worker } from './jobs/worker.js'
import { createMailer } from './mail/mailer.js'
import { observe } from './observe/observe.js'
import { readOperationNames } from './observe/operations.js'
import type { Exports } from './observe/sdk.js'
import { createRedis } from './redis/redis.js'
import { createRemotes, type Remotes } from './remote/remotes.js'
import type { Check } from './server/health.js'
import { createServer, type Server } from './server/http.js'

/** The whole house, made of a configuration and the business's slices. */
export interface App {
  /** Where it is reached; empty until {@link listen} has resolved. */
  readonly url: string
  readonly db: Database
  readonly remotes: Remotes
  /** Absent where nothing is kept beyond a request. */
  readonly cache: CacheRoom | undefined
  /** What the slices have read before anybody asks, and what does so. */
  readonly warmers: readonly Warmer[]
  warm(warmer: Warmer, progress: (done: number, of: number) => void): Promise<void>
  readonly rehearse: Server['rehearse']
  readonly schema: GraphQLSchema
  readonly http: HttpServer
  /** Answers the URL once requests are taken. */
  listen(): Promise<string>
  /** From now on /readyz says ready only while this check resolves. */
  ready(name: string, check: Check): void
  /** Lets requests in flight finish, then closes what was opened, last first. Calling it again waits for the first. */
  close(): Promise<void>
}

/** What an app tells of itself, and where. */
export interface Told {
  readonly log: Log
  /** What the process exports; nothing by default. */
  readonly exports?: Exports
}

/**
 * Opens the rooms in floor order, with WORKER a worker too. Connects to the database when first used, which for a worker
 * is now. Throws where slices and tables disagree, or slices with each other.
 */
export async function createApp(config: Config, slices: readonly Slice[], told: Told): Promise<App> {
  const rooms = await openRooms(config, slices, { ...told, withJobs: config.WORKER })
  const { db, remotes, cache } = rooms
  let worker: Worker | undefined
  const closeRooms = async () => {
    await worker?.close()
    await rooms.close()
  }
  try {
    const schema = await createSchema(slices)
    const columns = (type: string) => db.columns(type)
    const entities = slices.flatMap((slice) => slice.entities.map(({ name }) => name))
    checkColumns(schema, columns, entities)
    const projector = createProjector(schema, columns)
    const exports = slices.flatMap((slice) => slice.exports ?? [])
    const graph = { schema, db, projector, remotes, kept: new Kept(db.keys), cache, exports }
    const server = await createServer(graph, config, told.log)
    server.ready('database', () => db.ping())
    server.onClose(closeRooms)
    if (config.WORKER) worker = await startWorker(config, jobsOf(slices), rooms)
    let url = ''
    return {
      get url() {
        return url
      },
      db,
      remotes,
      cache,
      warmers: slices.flatMap((slice) => slice.warm ?? []),
      warm: (warmer, progress) => runWarmer(warmer, graph, progress),
      rehearse: server.rehearse,
      schema,
      http: server.http,
      listen: async () => {
        url = await server.listen()
        return url
      },
      ready: server.ready,
      close: () => {
        // Jobs are given as much time as requests.
        worker?.close()
        return server.close()
      },
    }
  } catch (error) {
    await closeRooms()
    throw error
  }
}

/** Opens the rooms that jobs need, and does them until it is closed, within SHUTDOWN_TIMEOUT_MS. Throws where the database is not ready for it. */
export async function createWorker(config: Config, slices: readonly Slice[], told: Told): Promise<Worker> {
  const rooms = await openRooms(config, slices, { ...told, withJobs: true })
  try {
    const worker = await startWorker(config, jobsOf(slices), rooms)
    return {
      close: () => {
        const expired = sleep(config.SHUTDOWN_TIMEOUT_MS, undefined, { ref: false })
        // A pool ends with its last transaction, of a job that was left to others: that is no longer waited for.
        return Promise.race([worker.close().finally(rooms.close), expired])
      },
    }
  } catch (error) {
    await rooms.close()
    throw error
  }
}

async function openRooms(
  config: Config,
  slices: readonly Slice[],
  { log, exports = { traces: false, metrics: false }, withJobs }: Told & { withJobs: boolean },
) {
  checkNames(slices)
  const entities = slices.flatMap((slice) => slice.entities)
  const db = await createDatabase(config, { entities, jobs: jobsOf(slices) }, log)
  const redis = config.REDIS_URL ? createRedis(config, log) : undefined
  const columns = entities.map(({ name }) => [name, db.columns(name).columns])
  const release = await readRelease(config, columns, join(import.meta.dirname, 'domain'))
  // Who keeps nothing writes all the same, for others to hear of.
  const told = config.CACHE || redis ? openCache(config, { db, redis, release, log }) : undefined
  const cache = config.CACHE ? told : undefined
  const mail = createMailer(config)
  const services = slices.flatMap((slice) => slice.remotes ?? [])
  const remotes = createRemotes(config, services, log)
  const operations = await readOperationNames(join(import.meta.dirname, '../schema/operations'))
  const stopObserving = observe(config, {
    db,
    log,
    operations,
    exports,
    ...(withJobs && { countJobs: () => readJobCounts(db) }),
    ...(cache && { readCache: () => cache.values.numbers }),
  })
  return {
    db,
    mail,
    remotes,
    cache,
    log,
    async close() {
      stopObserving()
      remotes.close()
      await mail.close()
      await told?.close()
      await redis?.close()
      await db.close()
    },
  }
}

function jobsOf(slices: readonly Slice[]): Job[] {
  return slices.flatMap((slice) => slice.jobs ?? [])
}
