import { defineRelations } from 'drizzle-orm'
import { boolean, integer, numeric, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core'

const time = (name: string) => timestamp(name, { withTimezone: true, precision: 6, mode: 'string' })

const users = pgTable('users', { id: uuid().primaryKey(), name: text().notNull() })

const posts = pgTable('posts', {
  id: uuid().primaryKey(),
  authorId: uuid('author_id').notNull(),
  status: text().notNull(),
  title: text().notNull(),
  body: text().notNull(),
  publishedAt: time('published_at'),
  createdAt: time('created_at').notNull(),
})

const comments = pgTable('comments', {
  id: uuid().primaryKey(),
  postId: uuid('post_id').notNull(),
  authorId: uuid('author_id').notNull(),
  body: text().notNull(),
  createdAt: time('created_at').notNull(),
})

const tags = pgTable('tags', { id: uuid().primaryKey(), name: text().notNull() })

const postTags = pgTable(
  'post_tags',
  { postId: uuid('post_id').notNull(), tagId: uuid('tag_id').notNull() },
  (table) => [primaryKey({ columns: [table.postId, table.tagId] })],
)

const products = pgTable('products', {
  id: uuid().primaryKey(),
  name: text().notNull(),
  sku: text().notNull(),
  price: numeric().notNull(),
  currency: text().notNull(),
  stock: integer().notNull(),
  soldCount: integer('sold_count').notNull(),
  weight: numeric(),
  active: boolean().notNull(),
  createdAt: time('created_at').notNull(),
})

const orders = pgTable(
  'orders',
  {
    userId: uuid('user_id').notNull(),
    id: uuid().notNull(),
    status: text().notNull(),
    total: numeric().notNull(),
    createdAt: time('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.userId, table.id] })],
)

const orderItems = pgTable(
  'order_items',
  {
    userId: uuid('user_id').notNull(),
    orderId: uuid('order_id').notNull(),
    position: integer().notNull(),
    productId: uuid('product_id').notNull(),
    quantity: integer().notNull(),
    unitPrice: numeric('unit_price').notNull(),
  },
  (table) => [primaryKey({ columns: [table.userId, table.orderId, table.position] })],
)

/** The tables as Drizzle's relational queries know them. */
export const relations = defineRelations(
  { users, posts, comments, tags, postTags, products, orders, orderItems },
  (to) => ({
    users: { orders: to.many.orders() },
    posts: {
      author: to.one.users({ from: to.posts.authorId, to: to.users.id, optional: false }),
      comments: to.many.comments(),
      tags: to.many.tags({
        from: to.posts.id.through(to.postTags.postId),
        to: to.tags.id.through(to.postTags.tagId),
      }),
    },
    comments: {
      post: to.one.posts({ from: to.comments.postId, to: to.posts.id }),
      author: to.one.users({ from: to.comments.authorId, to: to.users.id, optional: false }),
    },
    orders: {
      user: to.one.users({ from: to.orders.userId, to: to.users.id }),
      items: to.many.orderItems({
        from: [to.orders.userId, to.orders.id],
        to: [to.orderItems.userId, to.orderItems.orderId],
      }),
    },
    orderItems: { product: to.one.products({ from: to.orderItems.productId, to: to.products.id, optional: false }) },
  }),
)
