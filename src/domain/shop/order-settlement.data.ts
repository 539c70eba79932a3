import { LockMode } from '@mikro-orm/core'
import type { InferKyselyDB } from '@mikro-orm/postgresql'
import { type Kysely, sql } from 'kysely'
import type { Transaction } from '../../db/transaction.js'
import { allShards } from '../../graph/query.js'
import type { UserTable } from '../users/user.entity.js'
import { type OrderItemTable, OrderStatus, OrderTable } from './order.entity.js'
import { findItems } from './order-item.data.js'
import { lockProducts, sell } from './product.data.js'
import type { ProductTable } from './product.entity.js'

type Tables = InferKyselyDB<typeof OrderTable | typeof OrderItemTable | typeof ProductTable | typeof UserTable>

/** Which order. */
export interface OrderKey {
  readonly userId: string
  readonly orderId: string
}

/** Settles an order that is placed; whatever became of it otherwise stays. */
export async function settle(tx: Transaction, key: OrderKey): Promise<void> {
  const order = await lockOrder(tx, key)
  if (order?.status === OrderStatus.PLACED) order.status = OrderStatus.SETTLED
}

/** Moves the pieces of a settled order from reserved to sold, once. @throws Error where it is not settled yet. */
export async function moveStock(tx: Transaction, key: OrderKey): Promise<void> {
  const order = await lockOrder(tx, key)
  if (order?.status === OrderStatus.PLACED) throw new Error('The order is not settled yet.')
  if (order?.status !== OrderStatus.SETTLED || order.stockMovedAt) return
  const items = await findItems(tx, key)
  await lockProducts(
    tx,
    items.map(({ productId }) => productId),
  )
  await sell(tx, items)
  order.stockMovedAt = new Date().toISOString()
}

/** What the buyer of a settled order is told; null for an order that is not. @throws Error where it is not settled yet. */
export async function readConfirmation(tx: Transaction, { userId, orderId }: OrderKey) {
  const lines = await tx.sql(
    (query: Kysely<Tables>) =>
      query
        .selectFrom('orders')
        .innerJoin('users', 'users.id', 'orders.user_id')
        .innerJoin('order_items', (join) =>
          join.onRef('order_items.user_id', '=', 'orders.user_id').onRef('order_items.order_id', '=', 'orders.id'),
        )
        .innerJoin('products', 'products.id', 'order_items.product_id')
        .select(['orders.status', 'orders.total', 'orders.currency', 'users.email', 'users.name as buyer'])
        .select(['products.name', 'order_items.quantity', 'order_items.unit_price as unitPrice'])
        .where('orders.user_id', '=', userId)
        .where('orders.id', '=', orderId)
        .orderBy('order_items.position'),
    [],
  )
  const [first] = lines
  if (first?.status === OrderStatus.PLACED) throw new Error('The order is not settled yet.')
  return first?.status === OrderStatus.SETTLED ? { ...first, lines } : null
}

/**
 * Counts anew what was sold of `limit` products, those whose ids come after `after`, and answers the last one's id;
 * undefined where there are no more.
 */
export async function recountSold(tx: Transaction, after: string, limit: number): Promise<string | undefined> {
  const locked = await tx.sql(
    (query: Kysely<Tables>) =>
      query.selectFrom('products').select('id').where('id', '>', after).orderBy('id').limit(limit).forNoKeyUpdate(),
    [],
  )
  const ids = locked.map(({ id }) => id)
  // Of products that are locked no sale is going on: whoever sells locks them first.
  await tx.sql(
    (query: Kysely<Tables>) =>
      allShards(
        query
          .with('counted', (counting) =>
            counting
              .selectFrom('products')
              .leftJoin('order_items', 'order_items.product_id', 'products.id')
              .leftJoin('orders', (join) =>
                join
                  .onRef('orders.user_id', '=', 'order_items.user_id')
                  .onRef('orders.id', '=', 'order_items.order_id')
                  .on('orders.stock_moved_at', 'is not', null),
              )
              .where('products.id', '=', sql<string>`any(${ids}::uuid[])`)
              .groupBy('products.id')
              .select([
                'products.id',
                sql<number>`coalesce(sum(quantity) filter (where orders.id is not null), 0)`.as('sold'),
              ]),
          )
          .updateTable('products')
          .from('counted')
          .set((row) => ({ sold_count: row.ref('counted.sold') }))
          .whereRef('products.id', '=', 'counted.id')
          .whereRef('products.sold_count', '<>', 'counted.sold')
          .returning('products.id'),
      ),
    (rows) => (rows.length > 0 ? [{ table: 'products', kind: 'update', rows: rows.length, keys: rows }] : []),
  )
  return ids.at(-1)
}

/** Deletes at most `limit` orders that were placed `days` ago or before, and cancelled; answers how many. */
export async function dropCancelled(tx: Transaction, days: number, limit: number): Promise<number> {
  const orders = await tx.sql(
    (query: Kysely<Tables>) =>
      allShards(
        query
          .selectFrom('orders')
          .select(['user_id as userId', 'id'])
          .where('status', '=', sql.lit(OrderStatus.CANCELLED))
          .where('created_at', '<', sql<string>`now() - ${days} * interval '1 day'`)
          .orderBy('created_at')
          .limit(limit)
          .forUpdate()
          .skipLocked(),
      ),
    [],
  )
  const users = orders.map(({ userId }) => userId)
  const ids = orders.map(({ id }) => id)
  const these = sql<boolean>`(user_id, order_id) in (select * from unnest(${users}::uuid[], ${ids}::uuid[]))`
  await tx.sql(
    (query: Kysely<Tables>) =>
      allShards(
        query
          .deleteFrom('order_items')
          .where(these)
          .returning(['user_id as userId', 'order_id as orderId', 'position', 'product_id as product']),
      ),
    (rows) => [{ table: 'order_items', kind: 'delete', rows: rows.length, keys: rows }],
  )
  await tx.sql(
    (query: Kysely<Tables>) =>
      allShards(
        query
          .deleteFrom('orders')
          .where(sql<boolean>`(user_id, id) in (select * from unnest(${users}::uuid[], ${ids}::uuid[]))`),
      ),
    [
      {
        table: 'orders',
        kind: 'delete',
        rows: orders.length,
        keys: orders.map(({ userId, id }) => ({ user: userId, id })),
      },
    ],
  )
  return orders.length
}

function lockOrder(tx: Transaction, { userId, orderId }: OrderKey) {
  return tx.em.findOne(OrderTable, { user: userId, id: orderId }, { lockMode: LockMode.PESSIMISTIC_WRITE })
}
