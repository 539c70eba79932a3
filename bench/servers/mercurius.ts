import DataLoader from 'dataloader'
import { fastify } from 'fastify'
import { GraphQLError, type GraphQLResolveInfo, GraphQLScalarType } from 'graphql'
import { mercurius } from 'mercurius'
import pg from 'pg'
import { sessionOptions, settings, viewerOf } from './peer.js'

// As lean as this stack goes: statements by name on one pipelined connection, planned once; loaders by scalar key.
const client = new pg.Client({
  connectionString: settings.databaseUrl,
  pipeline: true,
  options: sessionOptions,
})
client.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) => text)
await client.connect()

// biome-ignore lint/suspicious/noExplicitAny: rows of any statement
type Row = any
const run = (name: string, text: string, values: unknown[]): Promise<Row[]> =>
  client.query({ name, text, values }).then(({ rows }) => rows)

const schema = `
  scalar DateTime
  scalar Decimal
  type Query {
    post(id: ID!): Post
    user(id: ID!): User
    posts(first: Int = 20, after: String): PostConnection!
    products(first: Int = 20, after: String): ProductConnection!
  }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type User { id: ID! name: String! orders(first: Int = 20): OrderConnection! }
  type Tag { id: ID! name: String! }
  type Post {
    id: ID! title: String! body: String! status: String! publishedAt: DateTime createdAt: DateTime!
    author: User! tags: [Tag!]! comments(first: Int = 20): CommentConnection!
  }
  type Comment { id: ID! body: String! createdAt: DateTime! author: User! }
  type Product {
    id: ID! name: String! sku: String! price: Decimal! currency: String! stock: Int! soldCount: Int! weight: Decimal
    active: Boolean! createdAt: DateTime!
  }
  type Order { id: ID! status: String! total: Decimal! createdAt: DateTime! items: [OrderItem!]! }
  type OrderItem { quantity: Int! unitPrice: Decimal! product: Product! }
  ${['Post', 'Comment', 'Product', 'Order']
    .map(
      (name) => `
  type ${name}Connection { edges: [${name}Edge!]! pageInfo: PageInfo! }
  type ${name}Edge { cursor: String! node: ${name}! }`,
    )
    .join('')}
`

const product =
  'id, name, sku, price, currency, stock, sold_count as "soldCount", weight, active, created_at as "createdAt"'
// A post's body is long and lists seldom show it: it is fetched where it is asked for.
const post = 'id, title, status, published_at as "publishedAt", created_at as "createdAt", author_id as "authorId"'

const statements = {
  postById: `select ${post}, body from posts where id = any($1) and status = 'PUBLISHED'`,
  posts: `select ${post} from posts where status = 'PUBLISHED'
    order by coalesce(published_at, 'infinity') desc, id desc limit $1`,
  postsAfter: `select ${post} from posts
    where status = 'PUBLISHED' and (coalesce(published_at, 'infinity'), id) < ($2::timestamptz, $3::uuid)
    order by coalesce(published_at, 'infinity') desc, id desc limit $1`,
  products: `select ${product} from products where active order by created_at desc, id desc limit $1`,
  productsAfter: `select ${product} from products where active and (created_at, id) < ($2::timestamptz, $3::uuid)
    order by created_at desc, id desc limit $1`,
  userById: 'select id, name from users where id = any($1)',
  productById: `select ${product} from products where id = any($1)`,
  tagsOfPost: `select pt.post_id as key, t.id, t.name from post_tags pt join tags t on t.id = pt.tag_id
    where pt.post_id = any($1) order by t.name`,
  commentsOfPost: `select c.* from unnest($1::uuid[]) as parent(id) cross join lateral (
    select post_id as key, id, body, created_at as "createdAt", author_id as "authorId" from comments
    where post_id = parent.id order by created_at desc, id desc limit $2) c`,
  ordersOfUser: `select id, user_id as "userId", status, total, created_at as "createdAt" from orders
    where user_id = $1 order by created_at desc, id desc limit $2`,
  itemsOfOrder: `select order_id as key, quantity, unit_price as "unitPrice", product_id as "productId" from order_items
    where user_id = $1 and order_id = any($2) order by position`,
}
type Name = keyof typeof statements

const byId = (name: Name) =>
  new DataLoader<string, Row>((ids) =>
    run(name, statements[name], [ids]).then((rows) => {
      const found = new Map(rows.map((row) => [row.id, row]))
      return ids.map((id) => found.get(id))
    }),
  )

const listOf = (name: Name, values: (ids: readonly string[]) => unknown[] = (ids) => [ids]) =>
  new DataLoader<string, Row[]>((ids) =>
    run(name, statements[name], values(ids)).then((rows) => {
      const found = new Map<string, Row[]>(ids.map((id) => [id, []]))
      for (const row of rows) found.get(row.key)?.push(row)
      return ids.map((id) => found.get(id) as Row[])
    }),
  )

/** The loaders of one request, each made when it is first used. */
class Loaders {
  private readonly made = new Map<string, DataLoader<string, Row>>()
  constructor(readonly viewer: string | undefined) {}

  of(name: string, make: () => DataLoader<string, Row>): DataLoader<string, Row> {
    const known = this.made.get(name)
    if (known) return known
    const loader = make()
    this.made.set(name, loader)
    return loader
  }
  load(name: Name, id: string): Promise<Row> {
    return this.of(name, () => byId(name)).load(id)
  }
}

type Ctx = { loaders: Loaders }
type Page = { first: number; after?: string }

const connection = (rows: Row[], first: number, place: string) => ({ rows, first, place })
const shown = ({ rows, first }: Row) => (rows.length > first ? rows.slice(0, first) : rows)
const cursorOf = (row: Row, place: string) => Buffer.from(`${row[place]}~${row.id}`).toString('base64url')
/** How many rows to fetch: one more than shown where it is asked whether there are more. */
const limitOf = (first: number, { fieldNodes }: GraphQLResolveInfo) => {
  const fields = fieldNodes.flatMap(({ selectionSet }) => selectionSet?.selections ?? [])
  return fields.some((field) => field.kind !== 'Field' || field.name.value === 'pageInfo') ? first + 1 : first
}
const page =
  (name: 'posts' | 'products', place: string) =>
  (_: unknown, { first, after }: Page, _context: Ctx, info: GraphQLResolveInfo) => {
    const limit = limitOf(first, info)
    if (!after) return run(name, statements[name], [limit]).then((rows) => connection(rows, first, place))
    const values = [limit, ...Buffer.from(after, 'base64url').toString().split('~')]
    return run(`${name}After`, statements[`${name}After`], values).then((rows) => connection(rows, first, place))
  }
const ofConnection = {
  edges: (all: Row) => shown(all).map((node: Row) => ({ node, place: all.place })),
  pageInfo: (all: Row) => all,
}
const pageInfo = {
  hasNextPage: ({ rows, first }: Row) => rows.length > first,
  endCursor: (all: Row) => (all.rows.length > 0 ? cursorOf(shown(all).at(-1), all.place) : null),
}
const ofEdge = { cursor: ({ node, place }: Row) => cursorOf(node, place) }
const author = ({ authorId }: Row, _: unknown, { loaders }: Ctx) => loaders.load('userById', authorId)

const resolvers = {
  DateTime: new GraphQLScalarType({ name: 'DateTime', serialize: rfc3339 as (value: unknown) => string }),
  Decimal: new GraphQLScalarType({ name: 'Decimal', serialize: String }),
  Query: {
    post: (_: unknown, { id }: Row, { loaders }: Ctx) => loaders.load('postById', id),
    user: (_: unknown, { id }: Row, { loaders }: Ctx) => loaders.load('userById', id),
    posts: page('posts', 'publishedAt'),
    products: page('products', 'createdAt'),
  },
  User: {
    orders({ id }: Row, { first }: Page, { loaders }: Ctx, info: GraphQLResolveInfo) {
      if (loaders.viewer !== id) throw new GraphQLError('Not your orders.')
      const rows = run('ordersOfUser', statements.ordersOfUser, [id, limitOf(first, info)])
      return rows.then((orders) => connection(orders, first, 'createdAt'))
    },
  },
  Post: {
    author,
    body: (row: Row, _: unknown, { loaders }: Ctx) =>
      row.body ?? loaders.load('postById', row.id).then(({ body }) => body),
    tags: ({ id }: Row, _: unknown, { loaders }: Ctx) => loaders.of('tagsOfPost', () => listOf('tagsOfPost')).load(id),
    comments({ id }: Row, { first }: Page, { loaders }: Ctx, info: GraphQLResolveInfo) {
      const limit = limitOf(first, info)
      const make = () => listOf('commentsOfPost', (ids) => [ids, limit])
      const rows = loaders.of(`commentsOfPost${limit}`, make).load(id)
      return rows.then((comments) => connection(comments, first, 'createdAt'))
    },
  },
  Comment: { author },
  Order: {
    items({ id, userId }: Row, _: unknown, { loaders }: Ctx) {
      return loaders.of(userId, () => listOf('itemsOfOrder', (ids) => [userId, ids])).load(id)
    },
  },
  OrderItem: {
    product: ({ productId }: Row, _: unknown, { loaders }: Ctx) => loaders.load('productById', productId),
  },
  PageInfo: pageInfo,
  PostConnection: ofConnection,
  CommentConnection: ofConnection,
  ProductConnection: ofConnection,
  OrderConnection: ofConnection,
  PostEdge: ofEdge,
  CommentEdge: ofEdge,
  ProductEdge: ofEdge,
  OrderEdge: ofEdge,
}

/** The database's `2024-01-02 03:04:05.6+00` as RFC 3339. */
function rfc3339(text: string): string {
  return `${text.slice(0, 10)}T${text.slice(11, -3)}Z`
}

const app = fastify({ logger: false, keepAliveTimeout: 65_000 })
app.register(mercurius, {
  schema,
  // biome-ignore lint/suspicious/noExplicitAny: its types want every resolver generic
  resolvers: resolvers as any,
  context: async ({ headers }) => ({ loaders: new Loaders(await viewerOf(headers.authorization)) }),
  jit: 1,
})
await app.listen({ port: settings.port, host: '127.0.0.1' })
console.log('ready')
