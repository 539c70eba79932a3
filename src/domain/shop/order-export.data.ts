import type { InferKyselyDB } from '@mikro-orm/postgresql'
import { type Kysely, sql } from 'kysely'
import { z } from 'zod'
import { param } from '../../db/statement.js'
import { requireAdmin } from '../../graph/context.js'
import { defineExport } from '../../graph/export.js'
import { encodeId } from '../../graph/node.js'
import { allShards } from '../../graph/query.js'
import { DateTime, dateTime } from '../../graph/scalars.js'
import type { OrderItemTable, OrderTable } from './order.entity.js'

type Tables = InferKyselyDB<typeof OrderTable | typeof OrderItemTable>

/** As the database writes it into JSON: the product's key, how many pieces, and what one cost. */
type Item = readonly [productId: string, quantity: number, unitPrice: string]

/**
 * The orders placed from `from` on and before `to`, oldest first, each with its items. For administrators: others see
 * their own orders only, which a page holds.
 */
export const exportOrders = defineExport({
  name: 'orders',
  parameters: z.object({ from: dateTime(), to: dateTime() }),
  mayRead: requireAdmin,
  statement: (query: Kysely<Tables>) =>
    allShards(
      query
        .selectFrom('orders')
        .select(['orders.id', 'user_id as userId', 'status', 'total', 'currency', 'created_at as createdAt'])
        .select((order) =>
          order
            .selectFrom('order_items as item')
            .whereRef('item.user_id', '=', 'orders.user_id')
            .whereRef('item.order_id', '=', 'orders.id')
            .select(
              sql<
                Item[] | null
              >`json_agg(json_build_array(item.product_id, item.quantity, item.unit_price::text) order by item.position)`.as(
                'items',
              ),
            )
            .as('items'),
        )
        .where('created_at', '>=', param<string>('from'))
        .where('created_at', '<', param<string>('to'))
        .orderBy('created_at')
        .orderBy('user_id')
        .orderBy('orders.id'),
    ),
  line: ({ id, userId, createdAt, items, ...order }) => ({
    id: encodeId('Order', `${userId}:${id}`),
    userId: encodeId('User', userId),
    ...order,
    createdAt: DateTime.serialize(createdAt),
    items: (items ?? []).map(([productId, quantity, unitPrice]) => ({
      productId: encodeId('Product', productId),
      quantity,
      unitPrice,
    })),
  }),
})
