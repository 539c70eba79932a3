import SchemaBuilder from '@pothos/core'
import DrizzlePlugin from '@pothos/plugin-drizzle'
import RelayPlugin, { decodeGlobalID } from '@pothos/plugin-relay'
import { type SQL, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { getTableConfig } from 'drizzle-orm/pg-core'
import pg from 'pg'
import { sessionOptions, settings } from './peer.js'
import { relations } from './yoga.tables.js'

const pool = new pg.Pool({ connectionString: settings.databaseUrl, max: settings.pool, options: sessionOptions })
const db = drizzle({ client: pool, relations })

const builder = new SchemaBuilder<{
  DrizzleRelations: typeof relations
  Context: { viewer: string | undefined }
  Scalars: { DateTime: { Input: string; Output: string }; Decimal: { Input: string; Output: string } }
  DefaultFieldNullability: false
}>({
  plugins: [RelayPlugin, DrizzlePlugin],
  defaultFieldNullability: false,
  relay: {},
  drizzle: { client: db, getTableConfig, relations, maxConnectionSize: 100 },
})

builder.scalarType('DateTime', { serialize: rfc3339 })
builder.scalarType('Decimal', { serialize: String })

builder.drizzleNode('users', {
  name: 'User',
  id: { column: (user) => user.id },
  fields: (t) => ({
    name: t.exposeString('name'),
    orders: t.relatedConnection('orders', {
      query: (_args, { viewer }) => ({
        // Somebody else's are not shown.
        where: { userId: viewer ?? nobody },
        orderBy: { createdAt: 'desc', id: 'desc' },
      }),
    }),
  }),
})

builder.drizzleNode('posts', {
  name: 'Post',
  id: { column: (post) => post.id },
  fields: (t) => ({
    title: t.exposeString('title'),
    body: t.exposeString('body'),
    status: t.exposeString('status'),
    publishedAt: t.expose('publishedAt', { type: 'DateTime', nullable: true }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    author: t.relation('author'),
    tags: t.relation('tags'),
    comments: t.relatedConnection('comments', { query: { orderBy: { createdAt: 'desc', id: 'desc' } } }),
  }),
})

builder.drizzleNode('comments', {
  name: 'Comment',
  id: { column: (comment) => comment.id },
  fields: (t) => ({
    body: t.exposeString('body'),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    author: t.relation('author'),
  }),
})

builder.drizzleNode('tags', {
  name: 'Tag',
  id: { column: (tag) => tag.id },
  fields: (t) => ({ name: t.exposeString('name') }),
})

builder.drizzleNode('products', {
  name: 'Product',
  id: { column: (product) => product.id },
  fields: (t) => ({
    name: t.exposeString('name'),
    sku: t.exposeString('sku'),
    price: t.expose('price', { type: 'Decimal' }),
    currency: t.exposeString('currency'),
    stock: t.exposeInt('stock'),
    soldCount: t.exposeInt('soldCount'),
    weight: t.expose('weight', { type: 'Decimal', nullable: true }),
    active: t.exposeBoolean('active'),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
  }),
})

builder.drizzleNode('orders', {
  name: 'Order',
  id: { column: (order) => [order.userId, order.id] },
  fields: (t) => ({
    status: t.exposeString('status'),
    total: t.expose('total', { type: 'Decimal' }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    items: t.relation('items', { query: { orderBy: { position: 'asc' } } }),
  }),
})

builder.drizzleObject('orderItems', {
  name: 'OrderItem',
  fields: (t) => ({
    quantity: t.exposeInt('quantity'),
    unitPrice: t.expose('unitPrice', { type: 'Decimal' }),
    product: t.relation('product'),
  }),
})

builder.queryType({
  fields: (t) => ({
    post: t.drizzleField({
      type: 'posts',
      nullable: true,
      args: { id: t.arg.id({ required: true }) },
      resolve: (query, _root, { id }) =>
        db.query.posts
          .findFirst(query({ where: { id: keyOf(id), status: 'PUBLISHED' } }))
          .prepare()
          .execute(),
    }),
    user: t.drizzleField({
      type: 'users',
      nullable: true,
      args: { id: t.arg.id({ required: true }) },
      resolve: (query, _root, { id }) =>
        db.query.users
          .findFirst(query({ where: { id: keyOf(id) } }))
          .prepare()
          .execute(),
    }),
    posts: t.drizzleConnection({
      type: 'posts',
      resolve: (query, _root, { after }) =>
        db.query.posts
          .findMany(
            query({
              where: {
                RAW: (post) => sql`${post.status} = 'PUBLISHED' and ${from(after, publication(post.publishedAt))}`,
              },
              extras: { publication: (post) => publication(post.publishedAt) },
              orderBy: { publication: 'desc', id: 'desc' },
            }),
          )
          .prepare()
          .execute(),
    }),
    products: t.drizzleConnection({
      type: 'products',
      resolve: (query) =>
        db.query.products
          .findMany(
            query({ where: { RAW: ({ active }) => sql`${active}` }, orderBy: { createdAt: 'desc', id: 'desc' } }),
          )
          .prepare()
          .execute(),
    }),
  }),
})

export const schema = builder.toSchema()

const nobody = '00000000-0000-0000-0000-000000000000'

function keyOf(globalId: string | number): string {
  return decodeGlobalID(String(globalId)).id
}

/** The expression that the index is over. */
function publication(publishedAt: unknown): SQL<string> {
  return sql<string>`coalesce(${publishedAt}, 'infinity'::timestamptz)`
}

/**
 * The plugin's own condition for a cursor is an OR, of which PostgreSQL makes no index range: it would read every row
 * before the page. This one says no more, and is a range.
 */
function from(after: string | null | undefined, key: SQL): SQL {
  if (!after) return sql`true`
  const [place = ''] = JSON.parse(Buffer.from(after, 'base64').toString().slice('DC:T:'.length)) as string[]
  return sql`${key} <= ${place.slice('S:'.length)}`
}

/** The database's `2024-01-02 03:04:05.6+00`, or its JSON's `2024-01-02T03:04:05.6+00:00`, as RFC 3339. */
function rfc3339(value: unknown): string {
  const [time] = String(value).slice(11).split('+')
  return `${String(value).slice(0, 10)}T${time}Z`
}
