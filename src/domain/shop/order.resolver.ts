import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql'
import { z } from 'zod'
import { text } from '../../core/text.js'
import { PageArgs } from '../../graph/connection.js'
import { Context, requireSelfOrAdmin, requireViewer } from '../../graph/context.js'
import { decodeId } from '../../graph/node.js'
import { loadPageOf, type Page } from '../../graph/page.js'
import { payload, valid } from '../../graph/payload.js'
import { Needs } from '../../graph/projection.js'
import type { Slice } from '../../graph/slice.js'
import { userById } from '../users/user.data.js'
import { User, type UserRow } from '../users/user.entity.js'
import { cancelOrder, createOrder, itemsOfOrder, orderByKey, ordersOfUser, visibleOrder } from './order.data.js'
import { Order, OrderItem, type OrderItemRow, OrderItemTable, type OrderRow, OrderTable } from './order.entity.js'
import { seedShop } from './order.seed.js'
import {
  CancelOrderInput,
  CancelOrderPayload,
  CreateOrderInput,
  CreateOrderPayload,
  OrderConnection,
} from './order.type.js'
import { productById } from './product.data.js'
import { Product, type ProductRow, ProductTable } from './product.entity.js'
import { ProductPageResolver, ProductResolver, productNode } from './product.resolver.js'

const quantity = z.int().min(1, 'A quantity is 1 to 1,000.').max(1_000, 'A quantity is 1 to 1,000.')
const createInput = z.object({
  items: z
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
    }),
  idempotencyKey: text().min(1, 'A key has 1 to 100 characters.').max(100, 'A key has 1 to 100 characters.'),
})

@Resolver(() => Order)
class OrderResolver {
  @Query(() => Order, { nullable: true, description: 'The order of that id: yours, or for administrators any.' })
  order(
    @Arg('id', () => ID, { description: 'The id of an Order.' }) id: string,
    @Ctx() ctx: Context,
  ): Promise<OrderRow | null> {
    return visibleOrder(ctx, decodeId('Order', id, 2))
  }

  @FieldResolver(() => User, { description: 'Whose it is.' })
  @Needs<OrderRow>('userId')
  user(@Root() order: OrderRow, @Ctx() ctx: Context): Promise<UserRow | null> {
    return ctx.load(userById, order.userId)
  }

  @FieldResolver(() => [OrderItem], { description: 'What was ordered, in the order given.' })
  @Needs<OrderRow>('userId', 'id')
  items(@Root() order: OrderRow, @Ctx() ctx: Context): Promise<OrderItemRow[]> {
    return ctx.load(itemsOfOrder, `${order.userId}:${order.id}`)
  }

  @Mutation(() => CreateOrderPayload, { description: 'Orders products, all or none, and reserves their pieces.' })
  createOrder(@Arg('input', { description: 'The order.' }) input: CreateOrderInput, @Ctx() ctx: Context) {
    const viewer = requireViewer(ctx)
    return payload(async () => {
      const { items, idempotencyKey } = valid(createInput, input)
      const products = items.map((item) => ({ ...item, productId: decodeId('Product', item.productId) }))
      return answer(ctx, await createOrder(ctx, viewer, { items: products, idempotencyKey }))
    })
  }

  @Mutation(() => CancelOrderPayload, {
    description: 'Calls an order of yours off, administrators any; one that is cancelled already stays so.',
  })
  cancelOrder(@Arg('input', { description: 'Which order.' }) input: CancelOrderInput, @Ctx() ctx: Context) {
    requireViewer(ctx)
    const key = decodeId('Order', input.id, 2)
    return payload(async () => answer(ctx, await cancelOrder(ctx, key)))
  }
}

@Resolver(() => OrderItem)
class OrderItemResolver {
  @FieldResolver(() => Product, { description: 'What was bought, whether it is still sold or not.' })
  @Needs<OrderItemRow>('productId')
  product(@Root() item: OrderItemRow, @Ctx() ctx: Context): Promise<ProductRow | null> {
    return ctx.load(productById, item.productId)
  }
}

@Resolver(() => User)
class UserOrdersResolver {
  @FieldResolver(() => OrderConnection, {
    nullable: true,
    description: 'Their orders; for the user and administrators only.',
  })
  @Needs<UserRow>('id')
  orders(@Root() user: UserRow, @Args(() => PageArgs) args: PageArgs, @Ctx() ctx: Context): Promise<Page<OrderRow>> {
    requireSelfOrAdmin(ctx, user.id)
    return loadPageOf(ctx, ordersOfUser, user.id, args)
  }
}

async function answer(ctx: Context, key: string) {
  return { order: await ctx.load(orderByKey, key) }
}

export const shop: Slice = {
  name: 'shop',
  entities: [ProductTable, OrderTable, OrderItemTable],
  resolvers: [ProductResolver, ProductPageResolver, OrderResolver, OrderItemResolver, UserOrdersResolver],
  nodes: [productNode, { type: 'Order', key: ['userId', 'id'], find: visibleOrder }],
  seed: seedShop,
}
