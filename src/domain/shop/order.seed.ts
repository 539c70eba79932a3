import { fill } from '../../graph/fill.js'
import { defineRandom, type Random, timeText } from '../../graph/random.js'
import type { Seeding } from '../../graph/slice.js'
import { pickUser } from '../users/user.seed.js'
import { OrderItemTable, OrderStatus, OrderTable } from './order.entity.js'
import { money, pickProduct, productCount, type Sales, seedProducts } from './product.seed.js'

const random = defineRandom('order')
const itemsRandom = defineRandom('items of order')

const day = 86_400e6
/** Orders have come in for so long, in microseconds, more of them every day. */
const span = 3 * 365 * day

/** How many items ten orders in a row have: three each, on average. */
const itemsOfTen = [1, 2, 4, 3, 1, 6, 2, 5, 2, 4]

/** Fills products, orders and order_items. */
export async function seedShop(seeding: Seeding): Promise<void> {
  const { items, ...sales } = countSales(seeding)
  await seedProducts(seeding, sales)
  await fill(seeding, {
    table: OrderTable,
    columns: {
      user_id: 'uuid',
      id: 'uuid',
      status: 'text',
      total: 'numeric',
      currency: 'text',
      idempotency_key: 'text',
      created_at: 'timestamptz',
      stock_moved_at: 'timestamptz',
    },
    of: orderCount(seeding),
    rows: orders(seeding),
  })
  await fill(seeding, {
    table: OrderItemTable,
    columns: {
      user_id: 'uuid',
      order_id: 'uuid',
      position: 'integer',
      product_id: 'uuid',
      quantity: 'integer',
      unit_price: 'numeric',
    },
    of: items,
    rows: lines(seeding),
  })
}

function orderCount({ scale }: Seeding): number {
  return Math.round(50_000 * scale)
}

/** What the orders come to: the pieces of each product, and how many lines there are. */
function countSales(seeding: Seeding): Sales & { items: number } {
  const sold = new Uint32Array(productCount(seeding))
  const reserved = new Uint32Array(productCount(seeding))
  let items = 0
  for (let index = 0; index < orderCount(seeding); index++) {
    const { status, createdAt } = seededOrder(seeding, index)
    for (const { product, quantity } of itemsOfOrder(seeding, index, createdAt)) {
      items++
      if (status === OrderStatus.SETTLED) sold[product.index] = (sold[product.index] ?? 0) + quantity
      if (status === OrderStatus.PLACED) reserved[product.index] = (reserved[product.index] ?? 0) + quantity
    }
  }
  return { sold, reserved, items }
}

function* orders(seeding: Seeding) {
  for (let index = 0; index < orderCount(seeding); index++) {
    const { status, createdAt, draw } = seededOrder(seeding, index)
    const items = itemsOfOrder(seeding, index, createdAt)
    yield {
      ...keyOf(seeding, draw, createdAt),
      status,
      total: money(items.reduce((sum, { product, quantity }) => sum + product.price * quantity, 0)),
      currency: items[0]?.product.currency as string,
      idempotency_key: `seed-${index}`,
      created_at: timeText(createdAt),
      stock_moved_at: status === OrderStatus.SETTLED ? timeText(createdAt) : null,
    }
  }
}

function* lines(seeding: Seeding) {
  for (let index = 0; index < orderCount(seeding); index++) {
    const { createdAt, draw } = seededOrder(seeding, index)
    const { user_id, id: order_id } = keyOf(seeding, draw, createdAt)
    for (const [position, { product, quantity }] of itemsOfOrder(seeding, index, createdAt).entries())
      yield { user_id, order_id, position, product_id: product.id, quantity, unit_price: money(product.price) }
  }
}

/** The last few are of the first minute of the day that counts as today. */
function seededOrder(seeding: Seeding, index: number) {
  const draw = random(index)
  const count = orderCount(seeding)
  const before = count - Math.max(3, Math.round(count / 1_000))
  const place = index + draw.unit()
  const createdAt =
    index < before
      ? Math.floor(seeding.day - span * (1 - (place / before) ** 0.7))
      : Math.floor(seeding.day + 60e6 * ((place - before) / (count - before)))
  return { createdAt, status: statusAt(createdAt > seeding.day - 10 * day, draw.unit()), draw }
}

function statusAt(recent: boolean, chance: number): OrderStatus {
  if (chance < 0.06) return OrderStatus.CANCELLED
  return recent ? OrderStatus.PLACED : OrderStatus.SETTLED
}

function keyOf(seeding: Seeding, draw: Random, createdAt: number) {
  return { id: draw.uuid(createdAt), user_id: pickUser(seeding, draw, createdAt, 0.95) }
}

/** Each product once, all of one currency. */
function itemsOfOrder(seeding: Seeding, index: number, createdAt: number) {
  const draw = itemsRandom(index)
  const first = pickProduct(seeding, draw, createdAt)
  const items = new Map<number, { product: typeof first; quantity: number }>()
  // Where the shop had too few products by then, the order has fewer items.
  for (let tries = 0; items.size < (itemsOfTen[index % 10] as number) && tries < 40; tries++) {
    const product = tries === 0 ? first : pickProduct(seeding, draw, createdAt, first.currency)
    if (!items.has(product.index)) items.set(product.index, { product, quantity: draw.pick([1, 1, 1, 1, 2, 2, 3, 5]) })
  }
  return [...items.values()]
}
