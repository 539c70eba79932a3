import { Field, ID, InputType, Int, ObjectType } from 'type-graphql'
import { z } from 'zod'
import { connectionOf } from '../../graph/connection.js'
import { Payload } from '../../graph/payload.js'
import { Order } from './order.entity.js'

export const OrderConnection = connectionOf(() => Order, 'Order', 'newest first')

@InputType({ description: 'A line of a new order.' })
export class OrderItemInput {
  @Field(() => ID, { description: 'The id of the product.' })
  readonly productId!: string

  @Field(() => Int, { description: 'How many pieces: 1 to 1,000.' })
  readonly quantity!: number
}

const quantity = z.int().min(1, 'A quantity is 1 to 1,000.').max(1_000, 'A quantity is 1 to 1,000.')

/** Lines as an order takes them: each product once. */
export const orderItems = z
  .array(z.object({ productId: z.string(), quantity }))
  .min(1, 'An order has 1 to 100 items.')
  .max(100, 'An order has 1 to 100 items.')
  .superRefine((items, check) => {
    const ids = items.map(({ productId }) => productId)
    for (const [index, id] of ids.entries())
      if (ids.indexOf(id) < index)
        check.addIssue({
          code: 'custom',
          message: 'This product is in the order already: raise its quantity.',
          path: [index, 'productId'],
        })
  })

@InputType({ description: 'A new order.' })
export class CreateOrderInput {
  @Field(() => [OrderItemInput], { description: '1 to 100 different products, all of one currency.' })
  readonly items!: OrderItemInput[]

  @Field({
    description:
      'A name of your choice for this order, 1 to 100 characters: sent again with the same items, it answers the same order instead of placing another.',
  })
  readonly idempotencyKey!: string
}

@InputType({ description: 'Which order to cancel.' })
export class CancelOrderInput {
  @Field(() => ID, { description: 'The id of the order.' })
  readonly id!: string
}

/** What a mutation that leaves an order answers. */
@ObjectType()
abstract class OrderPayload extends Payload {
  @Field(() => Order, { nullable: true, description: 'The order as it is now; null where there are errors.' })
  readonly order?: Order | null
}

@ObjectType({ description: 'The order that was placed.' })
export class CreateOrderPayload extends OrderPayload {}

@ObjectType({ description: 'The cancelled order.' })
export class CancelOrderPayload extends OrderPayload {}
