import { Agent, request } from 'node:http'
import { type App, createApp } from '../../../src/app.js'
import { loadConfig } from '../../../src/core/config.js'
import { writeLog } from '../../../src/core/log.js'
import { jwtSecret } from '../../settings.js'
import { books } from './books.js'
import { Wire } from './wire.js'

export interface Answered {
  readonly status: number
  readonly token: string | undefined
  // biome-ignore lint/suspicious/noExplicitAny: an answer has the shape of its operation
  readonly body: any
}

/** What a process runs with. */
export interface Surroundings {
  readonly redis: number
  readonly database: URL
  /** In ms. */
  readonly coherence: number
}

/** One process's whole life: an app of its own, whose ways to Redis and the database may be cut. */
export class Process {
  /** From now on nothing that it does counts. */
  isDead = false
  isEnding = false
  /** Called as soon as the next of its writes has committed. */
  onCommit: (() => void) | undefined
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 50 })

  private constructor(
    private readonly app: App,
    private readonly url: URL,
    readonly redis: Wire,
    readonly database: Wire,
  ) {}

  static async start({ redis, database, coherence }: Surroundings): Promise<Process> {
    const toRedis = await Wire.open(redis)
    const toDatabase = await Wire.open(Number(database.port))
    const ownDatabase = new URL(database)
    ownDatabase.host = `127.0.0.1:${toDatabase.port}`
    const config = loadConfig({
      DATABASE_URL: ownDatabase.href,
      REDIS_URL: `redis://127.0.0.1:${toRedis.port}`,
      REDIS_TIMEOUT_MS: '80',
      CACHE_COHERENCE_MS: String(coherence),
      JWT_SECRET: jwtSecret,
      PORT: '0',
      LOG_LEVEL: 'silent',
      DATABASE_POOL_SIZE: '6',
      DETECTORS_RATIO: '0',
      SHUTDOWN_ANNOUNCE_MS: '0',
      SHUTDOWN_TIMEOUT_MS: '1000',
    })
    const log = writeLog(config, { write: () => {} })
    const app = await createApp(config, [books], { log })
    return new Process(app, new URL(await app.listen()), toRedis, toDatabase)
  }

  createTables(): Promise<void> {
    return this.app.db.orm.schema.create()
  }

  ask(id: string, body: object, headers: Record<string, string>): Promise<Answered> {
    const { promise, resolve, reject } = Promise.withResolvers<Answered>()
    const text = JSON.stringify(body)
    const sent = request({
      agent: this.agent,
      host: this.url.hostname,
      port: this.url.port,
      path: '/graphql',
      method: 'POST',
      timeout: 15_000,
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
        'x-request-id': id,
        ...headers,
      },
    })
    sent.on('timeout', () => sent.destroy(new Error('Nothing was answered in time.')))
    sent.on('error', reject)
    sent.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const token = response.headers['x-consistency-token'] as string | undefined
        try {
          resolve({ status: response.statusCode ?? 0, token, body: JSON.parse(String(Buffer.concat(chunks))) })
        } catch (error) {
          reject(error)
        }
      })
    })
    sent.end(text)
    return promise
  }

  /** Nothing of it arrives anywhere any more. Answers the ports that the database knew it by. */
  kill(): number[] {
    const { ports } = this.database
    this.isDead = true
    this.redis.kill()
    this.database.kill()
    this.agent.destroy()
    return ports
  }

  /** As an orchestrator ends it; what is left of one that was killed goes too. */
  async close(): Promise<void> {
    this.isEnding = true
    await this.app.close().catch(() => {})
    this.kill()
  }
}
