import { Arg, Ctx, Query, Resolver } from 'type-graphql'
import { z } from 'zod'
import { Failure } from '../../core/errors.js'
import { Context, requireViewer } from '../../graph/context.js'
import { decodeId } from '../../graph/node.js'
import { OrderItemInput, orderItems } from './order.type.js'
import { quoteShipping, weigh } from './shipping.data.js'
import { ShippingQuotes } from './shipping.type.js'

const quoteInput = z.object({
  items: orderItems,
  country: z.string().regex(/^[A-Z]{2}$/, 'A country is two capital letters, as in ISO 3166.'),
})

@Resolver()
export class ShippingResolver {
  @Query(() => ShippingQuotes, {
    description: 'What carriers take to send these products, as far as they answer in time; for signed-in viewers.',
  })
  async shippingQuotes(
    @Arg('items', () => [OrderItemInput], { description: '1 to 100 different products.' }) items: OrderItemInput[],
    @Arg('country', { description: 'Where to: ISO 3166, two letters.' }) country: string,
    @Ctx() ctx: Context,
  ): Promise<ShippingQuotes> {
    requireViewer(ctx)
    const { success, data, error } = quoteInput.safeParse({ items, country })
    if (!success) throw new Failure('BAD_USER_INPUT', error.issues.map(({ message }) => message).join(' '))
    const products = data.items.map((item) => ({ ...item, productId: decodeId('Product', item.productId) }))
    return quoteShipping(ctx, { grams: await weigh(ctx, products), country })
  }
}
