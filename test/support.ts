import { randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import { Client, type QueryResultRow } from 'pg'
import request from 'supertest'
import { inject } from 'vitest'
import { type App, createApp } from '../src/app.js'
import { type Environment, loadConfig } from '../src/core/config.js'
import { type Finding, fact, type StatementEnd } from '../src/core/events.js'
import { writeLog } from '../src/core/log.js'
import { currentRequest } from '../src/core/request.js'
import { slices } from '../src/domain/index.js'
import type { Viewer } from '../src/graph/context.js'
import type { Slice } from '../src/graph/slice.js'
import { startStandIns } from '../src/remote/stand-in.js'
import { fixture } from './fixture/thing.resolver.js'
import { databaseUrl, jwtSecret } from './settings.js'

/** A running API over a database of its own. */
export interface TestApp extends AsyncDisposable {
  readonly app: App
  /** What it logged as a warning or worse, each line parsed. */
  // biome-ignore lint/suspicious/noExplicitAny: lines as a log's reader parses them
  readonly logged: any[]
  /** Its database's URL. */
  readonly url: string
  /** Where the services are that its slices call, as REMOTE_URLS says it; stand-ins where the configuration has none. */
  readonly remoteUrls: string
  /** One GraphQL request over HTTP. */
  query(document: string, variables?: Record<string, unknown>, options?: QueryOptions): Promise<Answer>
  /** Runs SQL beside the API, on a connection of its own. */
  sql<Row extends QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>
}

export interface QueryOptions {
  readonly as?: Viewer
  readonly headers?: Record<string, string>
}

export interface Answer {
  readonly status: number
  readonly headers: Record<string, string>
  // biome-ignore lint/suspicious/noExplicitAny: an answer has the shape of its operation
  readonly data: any
  // biome-ignore lint/suspicious/noExplicitAny: tests look into errors as clients do
  readonly errors: any[] | undefined
  // biome-ignore lint/suspicious/noExplicitAny: the response's own
  readonly extensions: any
  /** The statements that the request ran outside transactions. */
  readonly statements: StatementEnd[]
  /** What the detectors found in it, where they look. */
  readonly findings: Finding[]
}

/** The house over the fixture noun, and further slices: what must work with or without a business. */
export function startHouse(config: Environment = {}, more: readonly Slice[] = []): Promise<TestApp> {
  return start('template_house', [fixture, ...more], config)
}

/** The business as it is shipped. */
export function startBusiness(config: Environment = {}): Promise<TestApp> {
  return start('template_business', slices, { DETECTORS_RATIO: '1', ...config })
}

/** A database copied from one of the templates; `drop` removes it. */
export async function createTestDatabase(template: 'template_house' | 'template_business') {
  const server = inject('postgres')
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await onServer(server, `create database ${name} template ${template}`)
  return { url: databaseUrl(server, name), drop: () => onServer(server, `drop database ${name} with (force)`) }
}

/** A token as the API would sign it; `claims` replace or remove parts of it. */
export function tokenFor(viewer: Viewer, claims: Record<string, unknown> = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({ sub: viewer.id, role: viewer.role, iat: now, exp: now + 600, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(jwtSecret))
}

async function start(
  template: 'template_house' | 'template_business',
  parts: typeof slices,
  config: Environment,
): Promise<TestApp> {
  const database = await createTestDatabase(template)
  const given = loadConfig({
    DATABASE_URL: database.url,
    JWT_SECRET: jwtSecret,
    LOG_LEVEL: 'warn',
    PORT: '0',
    INTROSPECTION: 'on',
    DATABASE_POOL_SIZE: '5',
    DETECTORS_RATIO: '0',
    // Tests change rows behind the API's back; those of the cache say so.
    CACHE: 'off',
    SHUTDOWN_ANNOUNCE_MS: '0',
    SHUTDOWN_TIMEOUT_MS: '1000',
    ...config,
  })
  const standIns = await startStandIns(
    parts.flatMap(({ remotes = [] }) => remotes),
    given.REMOTE_URLS,
  )
  const settings = { ...given, REMOTE_URLS: [...given.REMOTE_URLS, ...standIns.urls] }
  const logged: unknown[] = []
  const log = writeLog(settings, { write: (line) => void logged.push(JSON.parse(line)) })
  const app = await createApp(settings, parts, { log })
  await app.listen()
  const client = new Client({ connectionString: database.url })
  await client.connect()
  const recorder = recordFacts()
  return {
    app,
    logged,
    url: database.url,
    remoteUrls: settings.REMOTE_URLS.map(([name, url]) => `${name}=${url}`).join(),
    query: (document, variables, options) => query(app, recorder, document, variables, options),
    sql: async (text, values) => (await client.query(text, values)).rows,
    async [Symbol.asyncDispose]() {
      recorder.stop()
      await client.end()
      await app.close()
      await standIns.close()
      await database.drop()
    },
  }
}

async function query(
  app: App,
  recorder: ReturnType<typeof recordFacts>,
  document: string,
  variables: Record<string, unknown> = {},
  { as, headers = {} }: QueryOptions = {},
): Promise<Answer> {
  const id = randomUUID()
  const call = request(app.http).post('/graphql').set('x-request-id', id).set(headers)
  if (as) call.set('authorization', `Bearer ${await tokenFor(as)}`)
  const { status, headers: answered, body } = await call.send({ query: document, variables })
  return {
    status,
    headers: answered as Record<string, string>,
    data: body.data,
    errors: body.errors,
    extensions: body.extensions,
    ...recorder.take(id),
  }
}

/** What is told of each request, until it is taken. */
function recordFacts() {
  const byRequest = new Map<string, Pick<Answer, 'statements' | 'findings'>>()
  const recordOf = (id = '') => {
    const record = byRequest.get(id) ?? { statements: [], findings: [] }
    byRequest.set(id, record)
    return record
  }
  const stops = [
    fact('statement.finished').listen((statement) => {
      if (!statement.inTransaction) recordOf(currentRequest()?.id).statements.push(statement)
    }),
    fact('finding.made').listen((finding) => void recordOf(currentRequest()?.id).findings.push(finding)),
  ]
  return {
    stop() {
      for (const stop of stops) stop()
    },
    take(id: string) {
      const record = recordOf(id)
      byRequest.delete(id)
      return record
    },
  }
}

async function onServer(server: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: server })
  await client.connect()
  await client.query(statement).finally(() => client.end())
}
