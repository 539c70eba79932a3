import { defineEntity, p } from '@mikro-orm/core'
import { Field, Int, ObjectType, registerEnumType } from 'type-graphql'
import { type Row, timestamp } from '../../db/row.js'
import { Node } from '../../graph/node.js'
import { DateTime, Decimal } from '../../graph/scalars.js'
import { UserTable } from '../users/user.entity.js'
import { ProductTable } from './product.entity.js'

export enum OrderStatus {
  PLACED = 'PLACED',
  SETTLED = 'SETTLED',
  CANCELLED = 'CANCELLED',
}
registerEnumType(OrderStatus, {
  name: 'OrderStatus',
  description: 'How far an order is.',
  valuesConfig: {
    PLACED: { description: 'Its pieces are reserved; it can still be cancelled.' },
    SETTLED: { description: 'Paid and sold: it stays as it is.' },
    CANCELLED: { description: 'Called off: its pieces are free again.' },
  },
})

/** Keys begin with the user: whoever shards orders by user moves whole ranges, and every statement says which one. */
export const OrderTable = defineEntity({
  name: 'Order',
  tableName: 'orders',
  primaryKeys: ['user', 'id'],
  properties: {
    user: () => p.manyToOne(UserTable).primary(), // orderByKey
    id: p.uuid().primary(),
    status: p.enum(() => OrderStatus),
    total: p.decimal('string').precision(18).scale(2),
    currency: p.text(),
    idempotencyKey: p.text().hidden(),
    createdAt: timestamp(),
    /** When its pieces went from reserved to sold. */
    stockMovedAt: timestamp().nullable().hidden(),
  },
  uniques: [{ name: 'orders_idempotency', properties: ['user', 'idempotencyKey'] }], // findPlaced
  checks: [{ name: 'orders_total_positive', expression: 'total >= 0' }],
  indexes: [
    // ordersOfUser
    {
      name: 'orders_user_created',
      expression: 'create index orders_user_created on orders (user_id, created_at desc, id desc)',
    },
    // dropCancelled
    {
      name: 'orders_cancelled',
      expression: "create index orders_cancelled on orders (created_at) where status = 'CANCELLED'",
    },
    // the dashboard's orders of today
    { name: 'orders_created', expression: 'create index orders_created on orders (created_at)' },
  ],
})
export type OrderRow = Row<typeof OrderTable>

export const OrderItemTable = defineEntity({
  name: 'OrderItem',
  tableName: 'order_items',
  primaryKeys: ['userId', 'orderId', 'position'],
  properties: {
    userId: p.uuid().primary(), // itemsOfOrder, and the foreign key
    orderId: p.uuid().primary(),
    position: p.integer().primary(),
    product: () => p.manyToOne(ProductTable).index('order_items_product'), // the foreign key, and what was sold of it
    quantity: p.integer(),
    unitPrice: p.decimal('string').precision(12).scale(2),
    order: () => foreignKey(OrderTable, 'user_id', 'order_id'),
  },
  checks: [{ name: 'order_items_quantity_positive', expression: 'quantity > 0' }],
})
export type OrderItemRow = Row<typeof OrderItemTable>

function foreignKey(to: typeof OrderTable, ...columns: string[]) {
  // Its columns are properties of their own: to the types of statements it adds none.
  return p.manyToOne(to).joinColumns(...columns) as unknown as ReturnType<typeof withoutColumn>
}
const withoutColumn = () => p.boolean().persist(false)

@ObjectType({ implements: Node, description: 'What a user bought.' })
export class Order extends Node implements Pick<OrderRow, 'status' | 'total' | 'currency' | 'createdAt'> {
  @Field(() => OrderStatus, { description: 'How far it is.' })
  readonly status!: OrderStatus

  @Field(() => Decimal, { description: 'What it costs, in `currency`.' })
  readonly total!: string

  @Field({ description: 'The currency of the total and of every price in it: ISO 4217.' })
  readonly currency!: string

  @Field(() => DateTime, { description: 'When it was placed.' })
  readonly createdAt!: string
}

@ObjectType({ description: 'A line of an order.' })
export class OrderItem implements Pick<OrderItemRow, 'quantity' | 'unitPrice'> {
  @Field(() => Int, { description: 'How many pieces.' })
  readonly quantity!: number

  @Field(() => Decimal, { description: 'What one piece cost when it was ordered.' })
  readonly unitPrice!: string
}
