import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { SignJWT } from 'jose'
import { Client } from 'pg'
import { inject } from 'vitest'
import { fact } from '../../../src/core/events.js'
import { currentRequest } from '../../../src/core/request.js'
import { type RedisServer, startRedis } from '../../redis/server.js'
import { databaseUrl, jwtSecret } from '../../settings.js'
import { History } from './history.js'
import { Lag } from './lag.js'
import type { Size } from './plan.js'
import { Process } from './process.js'

/** Rows that a sequence of steps has for itself. */
export interface Universe {
  readonly shelves: readonly string[]
  readonly books: readonly string[]
  /** Nobody, and two who are signed in. */
  readonly clients: readonly Asker[]
}

/** What somebody sends, and what they know. */
export interface Asker {
  readonly id: string
  readonly authorization: string | undefined
  token: { readonly text: string; readonly known: number } | undefined
  /** When its last write began and was known to have committed. */
  wrote: { readonly began: number; readonly known: number } | undefined
}

/** Two processes over one database and one Redis, and all that ever happened there. */
export class World {
  readonly history = new History()
  readonly lag = new Lag()
  readonly processes: Promise<Process>[] = []
  /** When a request's write was known to have committed. */
  readonly commits = new Map<string, number>()
  /** Whose request it is. */
  readonly owners = new Map<string, Process>()
  readonly endings: Promise<void>[] = []
  /** When a process's database was slow, and by how much. */
  readonly slownesses: { readonly since: number; until: number; readonly delay: number }[] = []
  /** Since when nothing is out of order. */
  calmSince = performance.now()
  private stop: () => void = () => {}

  private constructor(
    readonly redis: RedisServer,
    readonly keys: Redis,
    readonly database: Client,
    readonly url: URL,
    readonly coherence: number,
    readonly universes: readonly Universe[],
    private readonly drop: () => Promise<void>,
  ) {}

  static async open(size: Size, coherence: number): Promise<World> {
    const postgres = inject('postgres')
    const name = `test_${randomUUID().replaceAll('-', '')}`
    const admin = new Client({ connectionString: postgres })
    await admin.connect()
    await admin.query(`create database ${name} template template_house`)
    const url = new URL(databaseUrl(postgres, name))
    const database = new Client({ connectionString: url.href })
    await database.connect()
    const redis = await startRedis()
    const keys = new Redis(redis.url, { maxRetriesPerRequest: null, retryStrategy: () => 20 })
    keys.on('error', () => {})
    const id = (kind: number, universe: number, index: number) =>
      `01900000-0000-7000-8000-${[kind, universe, index].map((part) => part.toString(16).padStart(4, '0')).join('')}`
    const universes = await Promise.all(
      Array.from({ length: size.universes }, async (_, universe) => ({
        shelves: Array.from({ length: size.shelves }, (_, index) => id(1, universe, index)),
        books: Array.from({ length: size.books }, (_, index) => id(2, universe, index)),
        clients: await Promise.all([undefined, id(3, universe, 1), id(3, universe, 2)].map(sign)),
      })),
    )
    const drop = async () => {
      await admin.query(`drop database ${name} with (force)`)
      await admin.end()
    }
    const world = new World(redis, keys, database, url, coherence, universes, drop)
    world.stop = fact('transaction.committed').listen(() => world.noteCommit())
    world.processes.push(world.start())
    const [first] = world.processes
    await (await first)?.createTables()
    world.processes.push(world.start())
    await Promise.all(world.processes)
    for (const { shelves } of universes)
      await database.query('insert into shelves (id) select unnest($1::uuid[])', [shelves])
    return world
  }

  start(): Promise<Process> {
    return Process.start({ redis: this.redis.port, database: this.url, coherence: this.coherence })
  }

  /** Ends what this process has in the database, and puts another one in its place. */
  replace(index: number, dead: Process, ports: number[]): void {
    const ending = async () => {
      const alive = 'select pid from pg_stat_activity where client_port = any($1) and datname = current_database()'
      await this.database.query(`select pg_terminate_backend(pid) from (${alive}) as left_over`, [ports])
      while ((await this.database.query(alive, [ports])).rows.length > 0) await sleep(2)
    }
    const ended = ending()
    this.processes[index] = ended.then(() => this.start())
    this.endings.push(ended, dead.close())
  }

  /** In ms: what an answer may be staler in that time than on an idle machine, with a database that answers at once. */
  patience(since: number, until: number): number {
    const slow = this.slownesses.filter((slowness) => slowness.since < until && slowness.until > since)
    // A look is four or five round trips, and the one before it too.
    return this.lag.within(since, until) + 10 * Math.max(0, ...slow.map(({ delay }) => delay))
  }

  /** Trouble began, or was over; what follows of it is over a while later. */
  disturb(): void {
    this.calmSince = performance.now() + 2_500
  }

  async close(): Promise<void> {
    this.stop()
    this.lag.stop()
    await Promise.all(this.processes.map(async (process) => (await process).close()))
    await Promise.all(this.endings)
    this.keys.disconnect()
    await this.redis[Symbol.asyncDispose]()
    await this.database.end()
    await this.drop()
  }

  private noteCommit(): void {
    const id = currentRequest()?.id
    const owner = id && this.owners.get(id)
    if (!id || !owner || owner.isDead) return
    this.commits.set(id, performance.now())
    const { onCommit } = owner
    owner.onCommit = undefined
    onCommit?.()
  }
}

async function sign(id: string | undefined): Promise<Asker> {
  const now = Math.floor(Date.now() / 1000)
  const signing = new SignJWT({ sub: id ?? '', role: 'USER', iat: now, exp: now + 900 })
  const token = await signing.setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(jwtSecret))
  return { id: id ?? 'nobody', authorization: id && `Bearer ${token}`, token: undefined, wrote: undefined }
}
