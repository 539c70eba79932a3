import { Failure } from '../../core/errors.js'
import type { Context } from '../../graph/context.js'
import { type Remote, RemoteFailure } from '../../remote/remote.js'
import { askCarrier, carriers, type Parcel } from './carrier.data.js'
import type { ItemInput } from './order-item.data.js'
import { productById } from './product.data.js'
import type { ShippingFailure, ShippingQuote, ShippingQuotes } from './shipping.type.js'

/** In grams: what a piece counts for whose weight is not known. */
const unknownWeight = 1_000

/** What the items weigh together, in grams. @throws Failure NOT_FOUND where one of them is not sold. */
export async function weigh(ctx: Context, items: readonly ItemInput[]): Promise<number> {
  const products = await Promise.all(items.map(({ productId }) => ctx.load(productById, productId)))
  return items.reduce((sum, { quantity }, index) => {
    const product = products[index]
    if (!product?.active) throw new Failure('NOT_FOUND', 'There is no such product.')
    // Exact: the column has three decimals.
    const grams = product.weight === null ? unknownWeight : Number(product.weight.replace('.', ''))
    return sum + grams * quantity
  }, 0)
}

/** What every carrier answers, all asked at once: it takes as long as the slowest of them may take, not their sum. */
export async function quoteShipping(ctx: Context, parcel: Parcel): Promise<ShippingQuotes> {
  const answers = await Promise.all(carriers.map((carrier) => settle(ctx, carrier, parcel)))
  return {
    quotes: answers.filter((answer) => 'price' in answer),
    failures: answers.filter((answer) => 'reason' in answer),
  }
}

async function settle(ctx: Context, carrier: Remote, parcel: Parcel): Promise<ShippingQuote | ShippingFailure> {
  try {
    return { carrier: carrier.name, ...(await askCarrier(ctx, carrier, parcel)) }
  } catch (error) {
    if (!(error instanceof RemoteFailure)) throw error
    return { carrier: carrier.name, reason: error.reason }
  }
}
