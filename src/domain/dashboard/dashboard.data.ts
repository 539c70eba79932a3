import type { InferKyselyDB } from '@mikro-orm/postgresql'
import { type Kysely, sql } from 'kysely'
import { defineComputed } from '../../graph/computed.js'
import type { Context } from '../../graph/context.js'
import { allShards, defineSlowQuery } from '../../graph/query.js'
import { PostStatus, type PostTable, publication } from '../blog/post.entity.js'
import { OrderStatus, type OrderTable } from '../shop/order.entity.js'
import type { UserTable } from '../users/user.entity.js'

type Tables = InferKyselyDB<typeof UserTable | typeof PostTable | typeof OrderTable>

const count = sql<number>`count(*)::int`.as('count')
const today = sql<string>`date_trunc('day', now(), 'UTC')`
const cancelled = sql.lit(OrderStatus.CANCELLED)

/** In seconds: how old a figure may be. */
const seconds = 300

const countUsers = defineSlowQuery('userCount', (query: Kysely<Tables>) => query.selectFrom('users').select(count))

const countPosts = defineSlowQuery('postCountToday', (query: Kysely<Tables>) =>
  query
    .selectFrom('posts')
    .select(count)
    .where('posts.status', '=', sql.lit(PostStatus.PUBLISHED))
    .where(sql.raw<string>(publication), '>=', today),
)

const countOrders = defineSlowQuery('orderCountToday', (query: Kysely<Tables>) =>
  allShards(
    query
      .selectFrom('orders')
      .select(count)
      .where('orders.created_at', '>=', today)
      .where('orders.status', '<>', cancelled),
  ),
)

const sumOrders = defineSlowQuery('revenueToday', (query: Kysely<Tables>) =>
  allShards(
    query
      .selectFrom('orders')
      .select((columns) => ['orders.currency', columns.fn.sum<string>('orders.total').as('amount')])
      .where('orders.created_at', '>=', today)
      .where('orders.status', '<>', cancelled)
      .groupBy('orders.currency')
      .orderBy('orders.currency'),
  ),
)

/** How many accounts there are. */
export const userCount = defineComputed({ name: 'userCount', seconds }, async (ctx) => countOf(await countUsers(ctx)))

/** How many posts were published today. */
export const postCountToday = defineToday('postCountToday', async (ctx) => countOf(await countPosts(ctx)))

/** How many orders were placed today, without those cancelled. */
export const orderCountToday = defineToday('orderCountToday', async (ctx) => countOf(await countOrders(ctx)))

/** What was ordered for today, without what was cancelled: one amount per currency, by currency. */
export const revenueToday = defineToday('revenueToday', (ctx) => sumOrders(ctx))

/** A figure of a day, which ends with it. */
function defineToday<Figure>(name: string, compute: (ctx: Context) => Promise<Figure>) {
  return defineComputed({ name, seconds, ends: () => new Date().setUTCHours(24, 0, 0, 0) }, compute)
}

function countOf(rows: readonly { count: number }[]): number {
  return rows[0]?.count ?? 0
}
