import { Field, ID, InputType, Int, ObjectType } from 'type-graphql'
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
