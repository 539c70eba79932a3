import { randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import { Client, type QueryResultRow } from 'pg'
import request from 'supertest'
import { inject } from 'vitest'
import { type App, createApp } from '../src/app.js'
import { type Environment, loadConfig } from '../src/core/config.js'
import { type Facts, fact } from '../src/core/events.js'
import { createLog } from '../src/core/log.js'
import { currentRequest } from '../src/core/request.js'
import { slices } from '../src/domain/index.js'
import type { Viewer } from '../src/graph/context.js'
import { fixture } from './fixture/thing.resolver.js'
import { databaseUrl, jwtSecret } from './settings.js'

/** A running API over a database of its own. */
export interface TestApp extends AsyncDisposable {
  readonly app: App
  /** Its database's URL. */
  readonly url: string
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
  readonly statements: Facts['statement.finished'][]
}

/** The house over the fixture noun: what must work with or without a business. */
export function startHouse(config: Environment = {}): Promise<TestApp> {
  return start('template_house', [fixture], config)
}

/** The business as it is shipped. */
export function startBusiness(config: Environment = {}): Promise<TestApp> {
  return start('template_business', slices, config)
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
  const settings = loadConfig({
    DATABASE_URL: database.url,
    JWT_SECRET: jwtSecret,
    LOG_LEVEL: 'silent',
    PORT: '0',
    INTROSPECTION: 'on',
    DATABASE_POOL_SIZE: '5',
    SHUTDOWN_ANNOUNCE_MS: '0',
    SHUTDOWN_TIMEOUT_MS: '1000',
    ...config,
  })
  const app = await createApp(settings, parts, createLog(settings))
  await app.listen()
  const client = new Client({ connectionString: database.url })
  await client.connect()
  const recorder = recordStatements()
  return {
    app,
    url: database.url,
    query: (document, variables, options) => query(app, recorder, document, variables, options),
    sql: async (text, values) => (await client.query(text, values)).rows,
    async [Symbol.asyncDispose]() {
      recorder.stop()
      await client.end()
      await app.close()
      await database.drop()
    },
  }
}

async function query(
  app: App,
  recorder: ReturnType<typeof recordStatements>,
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
    statements: recorder.take(id),
  }
}

function recordStatements() {
  const byRequest = new Map<string, Facts['statement.finished'][]>()
  const stop = fact('statement.finished').listen((statement) => {
    const id = currentRequest()?.id
    if (id) byRequest.set(id, [...(byRequest.get(id) ?? []), statement])
  })
  return {
    stop,
    take(id: string) {
      const statements = byRequest.get(id) ?? []
      byRequest.delete(id)
      return statements
    },
  }
}

async function onServer(server: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: server })
  await client.connect()
  await client.query(statement).finally(() => client.end())
}
