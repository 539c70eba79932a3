import { createServer } from 'node:http'
import { PgSimplifyInflectionPreset } from '@graphile/simplify-inflection'
import { postgraphile } from 'postgraphile'
import { type PgSelectQueryBuilder, type PgSelectStep, TYPES } from 'postgraphile/@dataplan/pg'
import { makePgService } from 'postgraphile/adaptors/pg'
import { context } from 'postgraphile/grafast'
import { grafserv } from 'postgraphile/grafserv/node'
import { type SQL, sql } from 'postgraphile/pg-sql2'
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber'
import { PostGraphileRelayPreset } from 'postgraphile/presets/relay'
import { addPgTableOrderBy, orderByAscDesc, wrapPlans } from 'postgraphile/utils'
import { sessionOptions, settings, viewerOf } from './peer.js'

declare global {
  namespace Grafast {
    interface Context {
      viewer?: string | undefined
    }
  }
}

// What it cannot know of the database: the order of an index over an expression, and one of a partial index.
const publication = addPgTableOrderBy({ schemaName: 'public', tableName: 'posts' }, () =>
  orderByAscDesc('PUBLICATION', ({ alias }: PgSelectQueryBuilder) => ({
    fragment: sql`coalesce(${alias}.published_at, 'infinity'::timestamptz)`,
    codec: TYPES.timestamptz,
    nullable: false,
  })),
)
const newest = addPgTableOrderBy({ schemaName: 'public', tableName: 'products' }, () =>
  orderByAscDesc('NEWEST', 'created_at'),
)

/** A plan whose rows also meet a condition: what everybody may see stands in the text, where partial indexes need it. */
type Plan = (plan: () => unknown) => unknown
const where =
  (condition: (rows: PgSelectStep) => SQL): Plan =>
  (plan) => {
    const $connection = plan() as { getSubplan(): PgSelectStep }
    const $rows = $connection.getSubplan()
    $rows.where(condition($rows))
    return $connection
  }
const visible = wrapPlans({
  Query: {
    posts: where(({ alias }) => sql`${alias}.status = 'PUBLISHED'`),
    products: where(({ alias }) => sql`${alias}.active`),
  },
  User: {
    orders: where(($rows) => sql`${$rows.alias}.user_id = ${$rows.placeholder(context().get('viewer'), TYPES.uuid)}`),
  },
})

/** How many documents it keeps: what the others keep by default; its own default is 500. */
const documents = 1_024

const pgl = postgraphile({
  extends: [PostGraphileAmberPreset, PostGraphileRelayPreset, PgSimplifyInflectionPreset],
  plugins: [publication, newest, visible],
  pgServices: [
    makePgService({
      connectionString: settings.databaseUrl,
      poolConfig: { max: settings.pool, options: sessionOptions },
      schemas: ['public'],
    }),
  ],
  grafserv: {
    graphiql: false,
    watch: false,
    websockets: false,
    outputDataAsString: true,
    parseAndValidateCacheSize: documents,
  },
  grafast: {
    explain: false,
    context: async ({ node }) => ({ viewer: await viewerOf(node?.req.headers.authorization) }),
  },
})
const server = createServer({ keepAliveTimeout: 65_000 })
await pgl.createServ(grafserv).addTo(server)
// Built before it is asked.
const schema = await pgl.getSchema()
Object.assign(schema.extensions, { grafast: { ...schema.extensions.grafast, operationsCacheMaxLength: documents } })
server.listen(settings.port, '127.0.0.1', () => console.log('ready'))
