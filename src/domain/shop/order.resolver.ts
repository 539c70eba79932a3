import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql'
import { z } from 'zod'
import { text } from '../../core/text.js'
import { PageArgs } from '../../graph/connection.js'
import { Context, type Loaded, requireSelfOrAdmin, requireViewer } from '../../graph/context.js'
import { decodeId } from '../../graph/node.js'
import { loadPageOf, type Page } from '../../graph/page.js'
import { payload, valid } from '../../graph/payload.js'
import { Needs } from '../../graph/projection.js'
import type { Slice } from '../../graph/slice.js'
import { userById } from '../users/user.data.js'
import { User, type UserRow } from '../users/user.entity.js'
import { carriers } from './carrier.data.js'
import { cancelOrder, createOrder, itemsOfOrder, orderByKey, ordersOfUser, visibleOrder } from './order.data.js'
import { Order, OrderItem, type OrderItemRow, OrderItemTable, type OrderRow, OrderTable } from './order.entity.js'
import { orderJobs } from './order.jobs.js'
import { seedShop } from './order.seed.js'
import {
  CancelOrderInput,
  CancelOrderPayload,
  CreateOrderInput,
  CreateOrderPayload,
  OrderConnection,
  orderItems,
} from './order.type.js'
import { exportOrders } from './order-export.data.js'
import { warmPopularProducts } from './popular-product.data.js'
import { productById } from './product.data.js'
import { Product, type ProductRow, ProductTable } from './product.entity.js'
import { ProductPageResolver, ProductResolver, productNode } from './product.resolver.js'
import { ShippingResolver } from './shipping.resolver.js'

const createInput = z.object({
  items: orderItems,
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
  user(@Root() order: OrderRow, @Ctx() ctx: Context): Loaded<UserRow | null> {
    return ctx.load(userById, order.userId)
  }

  @FieldResolver(() => [OrderItem], { description: 'What was ordered, in the order given.' })
  @Needs<OrderRow>('userId', 'id')
  items(@Root() order: OrderRow, @Ctx() ctx: Context): Loaded<OrderItemRow[]> {
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
  product(@Root() item: OrderItemRow, @Ctx() ctx: Context): Loaded<ProductRow | null> {
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
  orders(@Root() user: UserRow, @Args(() => PageArgs) args: PageArgs, @Ctx() ctx: Context): Loaded<Page<OrderRow>> {
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
  resolvers: [
    ProductResolver,
    ProductPageResolver,
    OrderResolver,
    OrderItemResolver,
    UserOrdersResolver,
    ShippingResolver,
  ],
  nodes: [productNode, { type: 'Order', key: ['userId', 'id'], find: visibleOrder }],
  jobs: orderJobs,
  warm: [warmPopularProducts],
  remotes: carriers,
  exports: [exportOrders],
  seed: seedShop,
}
