import type { Server as HttpServer } from 'node:http'
import type { GraphQLSchema } from 'graphql'
import type { Config } from './core/config.js'
import type { Log } from './core/log.js'
import { createDatabase, type Database } from './db/database.js'
import { createProjector } from './graph/projection.js'
import { checkColumns, createSchema } from './graph/schema.js'
import type { Slice } from './graph/slice.js'
import type { Check } from './server/health.js'
import { createServer } from './server/http.js'

/** The whole house, made of a configuration and the business's slices. */
export interface App {
  /** Where it is reached; empty until {@link listen} has resolved. */
  readonly url: string
  readonly db: Database
  readonly schema: GraphQLSchema
  readonly http: HttpServer
  /** Answers the URL once requests are taken. */
  listen(): Promise<string>
  /** From now on /readyz says ready only while this check resolves. */
  ready(name: string, check: Check): void
  /** Lets requests in flight finish, then closes what was opened, last first. Calling it again waits for the first. */
  close(): Promise<void>
}

/** Opens the rooms in floor order. Connects to the database when first used. Throws where slices and tables disagree. */
export async function createApp(config: Config, slices: readonly Slice[], log: Log): Promise<App> {
  const entities = slices.flatMap((slice) => slice.entities)
  const db = await createDatabase(config, entities, log)
  try {
    const schema = await createSchema(slices)
    const columns = (type: string) => db.columns(type)
    checkColumns(
      schema,
      columns,
      entities.map(({ name }) => name),
    )
    const server = await createServer({ schema, db, projector: createProjector(schema, columns) }, config, log)
    server.ready('database', () => db.ping())
    server.onClose(() => db.close())
    let url = ''
    return {
      get url() {
        return url
      },
      db,
      schema,
      http: server.http,
      listen: async () => {
        url = await server.listen()
        return url
      },
      ready: server.ready,
      close: server.close,
    }
  } catch (error) {
    await db.close()
    throw error
  }
}
