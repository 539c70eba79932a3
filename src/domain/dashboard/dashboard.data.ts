import type { InferKyselyDB } from '@mikro-orm/postgresql'
import { type Kysely, sql } from 'kysely'
import { allShards, defineSlowQuery } from '../../graph/query.js'
import { PostStatus, type PostTable, publication } from '../blog/post.entity.js'
import { OrderStatus, type OrderTable } from '../shop/order.entity.js'
import type { UserTable } from '../users/user.entity.js'

type Tables = InferKyselyDB<typeof UserTable | typeof PostTable | typeof OrderTable>

const count = sql<number>`count(*)::int`.as('count')
const today = sql<string>`date_trunc('day', now(), 'UTC')`
const cancelled = sql.lit(OrderStatus.CANCELLED)

export const userCount = defineSlowQuery('userCount', (query: Kysely<Tables>) =>
  query.selectFrom('users').select(count),
)

export const postCountToday = defineSlowQuery('postCountToday', (query: Kysely<Tables>) =>
  query
    .selectFrom('posts')
    .select(count)
    .where('posts.status', '=', sql.lit(PostStatus.PUBLISHED))
    .where(sql.raw<string>(publication), '>=', today),
)

export const orderCountToday = defineSlowQuery('orderCountToday', (query: Kysely<Tables>) =>
  allShards(
    query
      .selectFrom('orders')
      .select(count)
      .where('orders.created_at', '>=', today)
      .where('orders.status', '<>', cancelled),
  ),
)

export const revenueToday = defineSlowQuery('revenueToday', (query: Kysely<Tables>) =>
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
