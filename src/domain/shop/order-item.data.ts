import type { InferKyselyDB } from '@mikro-orm/postgresql'
import type { Kysely } from 'kysely'
import type { Transaction } from '../../db/transaction.js'
import { Refused, type UserError, UserErrorCode } from '../../graph/payload.js'
import type { OrderItemTable } from './order.entity.js'
import { type LockedProduct, lockProducts, reserve } from './product.data.js'

type Tables = InferKyselyDB<typeof OrderItemTable>

/** So many pieces of a product. */
export interface ItemInput {
  readonly productId: string
  readonly quantity: number
}

/** An item at what it costs now. */
export interface Line extends ItemInput {
  readonly unitPrice: string
  readonly currency: string
}

/** The items with their prices. @throws Refused with every reason why they cannot be ordered together. */
export function priceItems(products: readonly LockedProduct[], items: readonly ItemInput[]): Line[] {
  const byId = new Map(products.map((product) => [product.id, product]))
  const errors: UserError[] = []
  const refuse = (code: UserErrorCode, message: string, ...field: (string | number)[]) =>
    errors.push({ code, message, field: ['items', ...field.map(String)] })
  const lines: Line[] = []
  for (const [index, item] of items.entries()) {
    const product = byId.get(item.productId)
    if (!product?.active) {
      refuse(UserErrorCode.NOT_FOUND, 'There is no such product.', index, 'productId')
      continue
    }
    const free = product.stock - product.reserved
    if (item.quantity > free) refuse(UserErrorCode.OUT_OF_STOCK, `Only ${free} are left.`, index, 'quantity')
    lines.push({ ...item, unitPrice: product.price, currency: product.currency })
  }
  if (new Set(lines.map(({ currency }) => currency)).size > 1)
    refuse(UserErrorCode.INVALID, 'One order takes products of one currency.')
  if (errors.length > 0) throw new Refused(errors)
  return lines
}

/** What the lines cost together: exact, because counted in hundredths. */
export function sumOf(lines: readonly Line[]): string {
  const hundredths = lines.reduce(
    (sum, line) => sum + BigInt(line.unitPrice.replace('.', '')) * BigInt(line.quantity),
    0n,
  )
  return `${hundredths / 100n}.${String(hundredths % 100n).padStart(2, '0')}`
}

/** Writes an order's lines, in their order. */
export async function insertItems(
  tx: Transaction,
  userId: string,
  orderId: string,
  lines: readonly Line[],
): Promise<void> {
  const rows = lines.map(({ productId, quantity, unitPrice }, position) => ({
    user_id: userId,
    order_id: orderId,
    position,
    product_id: productId,
    quantity,
    unit_price: unitPrice,
  }))
  const keys = lines.map(({ productId: product }, position) => ({ userId, orderId, position, product }))
  await tx.sql(
    (query: Kysely<Tables>) => query.insertInto('order_items').values(rows),
    [{ table: 'order_items', kind: 'insert', rows: rows.length, keys }],
  )
}

/** What an order reserves or has sold. */
export function findItems(
  tx: Transaction,
  { userId, orderId }: { userId: string; orderId: string },
): Promise<ItemInput[]> {
  return tx.sql(
    (query: Kysely<Tables>) =>
      query
        .selectFrom('order_items')
        .select(['product_id as productId', 'quantity'])
        .where('user_id', '=', userId)
        .where('order_id', '=', orderId),
    [],
  )
}

/** Frees the pieces that an order has reserved. */
export async function freeItems(tx: Transaction, userId: string, orderId: string): Promise<void> {
  const items = await findItems(tx, { userId, orderId })
  await lockProducts(
    tx,
    items.map(({ productId }) => productId),
  )
  await reserve(
    tx,
    items.map(({ productId, quantity }) => ({ productId, quantity: -quantity })),
  )
}
