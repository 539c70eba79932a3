import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { jwtVerify } from 'jose'
import pg from 'pg'
import type { ShapeName } from '../shapes.js'

/** A floor's answer to a shape, as JSON text; `user` is whom the request's token names. */
export type Answer = (parameters: readonly string[], user: string | undefined) => Promise<string>

/** Serves `GET /<shape>/<parameter>/…` on PORT, over node:http and nothing else. */
export function serveFloor(answers: Readonly<Record<ShapeName, Answer>>): void {
  const verify = createVerify()

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, shape, ...parameters] = (request.url as string).split('/')
    const { authorization } = request.headers
    const user =
      authorization === undefined ? undefined : (verify.known(authorization) ?? (await verify.check(authorization)))
    // As bytes: node writes a long string at 10 % more.
    const body = Buffer.from(await answers[shape as ShapeName](parameters, user))
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
    response.end(body)
  }

  const server = createServer((request, response) => {
    respond(request, response).catch((error) => {
      response.writeHead(500)
      response.end(String(error))
    })
  })
  server.keepAliveTimeout = 65_000
  server.listen(Number(process.env.PORT), '127.0.0.1', () => console.log('ready'))
}

/** Runs named statements on one pipelined connection: cheaper than a pool, which needs a turn for each statement. */
export async function connect(): Promise<
  <Row extends unknown[]>(name: string, text: string, values: unknown[]) => Promise<Row[]>
> {
  const client = new pg.Client({
    connectionString: process.env.DATABASE_URL,
    pipeline: true,
    options: '-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c jit=off -c TimeZone=UTC -c DateStyle=ISO',
    types: { getTypeParser: () => asText },
  })
  await client.connect()
  return async (name, text, values) => (await client.query({ name, text, values, rowMode: 'array' })).rows as never
}

const asText = (value: unknown) => value

/** Each token is verified once. */
function createVerify() {
  const secret = new TextEncoder().encode(process.env.JWT_SECRET)
  const users = new Map<string, { user: string; until: number }>()
  return {
    known(authorization: string): string | undefined {
      const found = users.get(authorization)
      return found && Date.now() < found.until ? found.user : undefined
    },
    async check(authorization: string): Promise<string> {
      const { payload } = await jwtVerify(authorization.slice('Bearer '.length), secret, { algorithms: ['HS256'] })
      const user = payload.sub as string
      if (users.size < 10_000) users.set(authorization, { user, until: (payload.exp as number) * 1000 })
      return user
    },
  }
}
