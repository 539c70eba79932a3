import { LockMode } from '@mikro-orm/core'
import type { InferKyselyDB } from '@mikro-orm/postgresql'
import { metrics } from '@opentelemetry/api'
import { type Kysely, sql } from 'kysely'
import { v7 } from 'uuid'
import { violatedConstraint } from '../../db/failure.js'
import { param } from '../../db/statement.js'
import type { Transaction } from '../../db/transaction.js'
import { type Context, isSelfOrAdmin, type Viewer } from '../../graph/context.js'
import { definePage } from '../../graph/keyset.js'
import { defineListLoader, defineLoader } from '../../graph/loader.js'
import { Refused } from '../../graph/payload.js'
import { enqueue } from '../../jobs/enqueue.js'
import { OrderItemTable, type OrderRow, OrderStatus, OrderTable } from './order.entity.js'
import { sendOrderConfirmation, settleOrder, updateInventory } from './order.jobs.js'
import { freeItems, type ItemInput, insertItems, priceItems, sumOf } from './order-item.data.js'
import { lockProducts, reserve } from './product.data.js'

type Tables = InferKyselyDB<typeof OrderTable | typeof OrderItemTable>

const meter = metrics.getMeter('shop')
const ordersPlaced = meter.createCounter('shop.orders', { unit: '{order}', description: 'Orders placed.' })
const orderValue = meter.createHistogram('shop.order.value', {
  description: 'What orders come to, by currency.',
  advice: { explicitBucketBoundaries: [5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000] },
})

/** The orders' loaders take `<user id>:<order id>`; their statements, two arrays side by side. */
const values = (keys: readonly string[]) => {
  const parts = keys.map(partsOf)
  return { users: parts.map(([user]) => user), orders: parts.map(([, order]) => order) }
}
const asked = sql<{ user_id: string; order_id: string }>`unnest(${param('users')}::uuid[], ${param('orders')}::uuid[])`
const askedOrders = asked.as<'asked'>(sql`asked(user_id, order_id)`)

export const orderByKey = defineLoader({
  name: 'orderByKey',
  entity: OrderTable,
  key: ['userId', 'id'],
  values,
  statement: (query: Kysely<Tables>, select) =>
    query
      .selectFrom(askedOrders)
      .innerJoin('orders', (join) =>
        join.onRef('orders.user_id', '=', 'asked.user_id').onRef('orders.id', '=', 'asked.order_id'),
      )
      .select(select('orders')),
})

export const itemsOfOrder = defineListLoader({
  name: 'itemsOfOrder',
  entity: OrderItemTable,
  key: ['userId', 'orderId'],
  values,
  statement: (query: Kysely<Tables>, select) =>
    query
      .selectFrom(askedOrders)
      .innerJoin('order_items', (join) =>
        join.onRef('order_items.user_id', '=', 'asked.user_id').onRef('order_items.order_id', '=', 'asked.order_id'),
      )
      .select(select('order_items'))
      .orderBy('order_items.position'),
})

/** The order of that key, or null where the viewer may not see it. */
export async function visibleOrder(ctx: Context, key: string): Promise<OrderRow | null> {
  const [userId] = partsOf(key)
  return isSelfOrAdmin(ctx, userId) ? ctx.load(orderByKey, key) : null
}

export const ordersOfUser = definePage({
  name: 'ordersOfUser',
  entity: OrderTable,
  alias: 'orders',
  from: (query: Kysely<Tables>, { parent }) => query.selectFrom('orders').where('orders.user_id', '=', parent),
  orders: {
    CREATED_AT: [
      ['orders.created_at', 'timestamptz'],
      ['orders.id', 'uuid'],
    ],
  },
  defaultOrder: ['CREATED_AT', 'DESC'],
})

/** What an order is placed with; each product once. */
export interface OrderInput {
  readonly items: readonly ItemInput[]
  readonly idempotencyKey: string
}

/**
 * Reserves the pieces and answers the new order's key; for an idempotency key that was used with the same items before,
 * that order's. @throws Refused NOT_FOUND, INVALID (currencies), OUT_OF_STOCK, or CONFLICT for a key with other items.
 */
export async function createOrder(ctx: Context, viewer: Viewer, input: OrderInput): Promise<string> {
  const place = (tx: Transaction) => placeOrder(tx, viewer.id, input)
  try {
    return await ctx.write(place)
  } catch (error) {
    if (violatedConstraint(error) !== 'orders_idempotency') throw error
    // Another order with this key, and with none of these products, came first: now it is found.
    return await ctx.write(place)
  }
}

/** Calls the order off and frees its pieces; one that is called off stays so. @throws Refused NOT_FOUND or NOT_ALLOWED. */
export async function cancelOrder(ctx: Context, key: string): Promise<string> {
  const [user, id] = partsOf(key)
  const missing = new Refused('NOT_FOUND', 'There is no such order.', ['id'])
  if (!isSelfOrAdmin(ctx, user)) throw missing
  return ctx.write(async (tx) => {
    const order = await tx.em.findOne(OrderTable, { user, id }, { lockMode: LockMode.PESSIMISTIC_WRITE })
    if (!order) throw missing
    if (order.status === OrderStatus.SETTLED)
      throw new Refused('NOT_ALLOWED', 'A settled order cannot be cancelled.', ['id'])
    if (order.status === OrderStatus.CANCELLED) return key
    order.status = OrderStatus.CANCELLED
    await freeItems(tx, user, id)
    return key
  })
}

async function placeOrder(tx: Transaction, userId: string, { items, idempotencyKey }: OrderInput): Promise<string> {
  const ids = items.map(({ productId }) => productId)
  const products = await lockProducts(tx, ids)
  // Not before the locks: a request with the same key and items that came first has ended only now.
  const placed = await findPlaced(tx, userId, idempotencyKey)
  if (placed.length > 0) return sameOrder(userId, placed, items)

  const lines = priceItems(products, items)
  await reserve(tx, items)
  const id = v7()
  const total = sumOf(lines)
  const currency = lines[0]?.currency as string
  tx.em.create(OrderTable, {
    id,
    user: userId,
    status: OrderStatus.PLACED,
    total,
    currency,
    idempotencyKey,
    createdAt: new Date().toISOString(),
  })
  await insertItems(tx, userId, id, lines)
  const key = { userId, orderId: id }
  enqueue(tx, settleOrder, key)
  enqueue(tx, sendOrderConfirmation, key)
  enqueue(tx, updateInventory, key)
  tx.afterCommit(() => {
    ordersPlaced.add(1)
    orderValue.record(Number(total), { currency })
  })
  return `${userId}:${id}`
}

function findPlaced(tx: Transaction, userId: string, idempotencyKey: string) {
  return tx.sql(
    (query: Kysely<Tables>) =>
      query
        .selectFrom('orders')
        .innerJoin('order_items', (join) =>
          join.onRef('order_items.user_id', '=', 'orders.user_id').onRef('order_items.order_id', '=', 'orders.id'),
        )
        .select(['orders.id', 'order_items.product_id as productId', 'order_items.quantity'])
        .where('orders.user_id', '=', userId)
        .where('orders.idempotency_key', '=', idempotencyKey),
    [],
  )
}

function sameOrder(
  userId: string,
  placed: Awaited<ReturnType<typeof findPlaced>>,
  items: readonly ItemInput[],
): string {
  const quantities = new Map(items.map(({ productId, quantity }) => [productId, quantity]))
  const same =
    placed.length === items.length && placed.every((item) => quantities.get(item.productId) === item.quantity)
  if (!same) throw new Refused('CONFLICT', 'This key has been used for an order of other items.', ['idempotencyKey'])
  return `${userId}:${placed[0]?.id}`
}

function partsOf(key: string): [user: string, order: string] {
  const [user = '', order = ''] = key.split(':')
  return [user, order]
}
