import { Arg, Args, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql'
import { z } from 'zod'
import { Failure } from '../../core/errors.js'
import { text } from '../../core/text.js'
import { readSearch } from '../../db/search.js'
import { TotalCount } from '../../graph/connection.js'
import { Context, requireAdmin } from '../../graph/context.js'
import { countedUpTo } from '../../graph/keyset.js'
import { decodeId, type NodeDefinition } from '../../graph/node.js'
import { loadPage, type Page } from '../../graph/page.js'
import { payload, valid } from '../../graph/payload.js'
import { Needs } from '../../graph/projection.js'
import { largestPageSize, readWindow } from '../../graph/window.js'
import { popularProducts } from './popular-product.data.js'
import {
  activeProductCount,
  adjustStock,
  createProduct,
  mostStock,
  productById,
  products,
  productsAt,
  visibleProduct,
} from './product.data.js'
import { Product, type ProductRow } from './product.entity.js'
import {
  AdjustStockInput,
  AdjustStockPayload,
  CreateProductInput,
  CreateProductPayload,
  ProductConnection,
  ProductPage,
  ProductPageArgs,
  ProductsArgs,
} from './product.type.js'

/** How deep page numbers reach: every row before a page is read to count it off. */
const deepest = 10_000

const line = (field: string, most: number) => {
  const message = `A ${field} has 1 to ${most} characters.`
  return text().trim().min(1, message).max(most, message)
}
const createInput = z.object({
  name: line('name', 200),
  description: text().max(10_000, 'A description has at most 10,000 characters.'),
  sku: z.string().regex(/^[\w.-]{1,64}$/, 'A SKU has 1 to 64 letters, digits, dots, hyphens and underscores.'),
  brand: line('brand', 100).nullish().default(null),
  price: z.string().regex(/^\d{1,10}(\.\d{1,2})?$/, 'A price is below 10,000,000,000 and has at most two decimals.'),
  currency: z.string().regex(/^[A-Z]{3}$/, 'A currency is three capital letters, as in ISO 4217.'),
  stock: z.int().min(0, 'A stock is not negative.').max(mostStock, `A stock has at most ${mostStock} pieces.`),
  weight: z
    .string()
    .regex(/^\d{1,7}(\.\d{1,3})?$/, 'A weight is below 10,000,000 and has at most three decimals.')
    .nullish()
    .default(null),
  active: z.boolean(),
})

@Resolver(() => Product)
export class ProductResolver {
  @Query(() => Product, { nullable: true, description: 'The product of that id.' })
  product(
    @Arg('id', () => ID, { description: 'The id of a Product.' }) id: string,
    @Ctx() ctx: Context,
  ): Promise<ProductRow | null> {
    return visibleProduct(ctx, decodeId('Product', id))
  }

  @Query(() => ProductConnection, { description: 'Products that are sold; with a filter, those that fit it.' })
  async products(@Args(() => ProductsArgs) args: ProductsArgs, @Ctx() ctx: Context): Promise<Page<ProductRow>> {
    const { active, inStock, text: words, ...rest } = args.filter ?? {}
    if (active === false) requireAdmin(ctx)
    const inactive = active === false || undefined
    return loadPage(ctx, products, args, {
      ...rest,
      text: readSearch(words),
      inactive,
      inStock: inStock || undefined,
      soldOut: inStock === false || undefined,
    })
  }

  @Query(() => ProductPage, {
    description: `Products that are sold, by page number; \`page\` times \`perPage\` is at most ${deepest}.`,
  })
  async productPage(@Args(() => ProductPageArgs) { page, perPage, orderBy }: ProductPageArgs, @Ctx() ctx: Context) {
    if (page < 1) throw new Failure('BAD_USER_INPUT', '`page` starts at 1.')
    if (perPage < 1 || perPage > largestPageSize)
      throw new Failure('BAD_USER_INPUT', `\`perPage\` takes 1 to ${largestPageSize}.`)
    if (page * perPage > deepest)
      throw new Failure('BAD_USER_INPUT', `Pages reach ${deepest} products deep; \`products\` reaches all by cursor.`)
    const offset = (page - 1) * perPage
    const order = orderBy ?? { field: 'NEWEST', direction: 'DESC' }
    const rows = await productsAt(ctx, order, { offset, limit: perPage + 1 })
    return {
      nodes: rows.slice(0, perPage),
      page,
      perPage,
      hasNextPage: rows.length > perPage,
      hasPreviousPage: page > 1,
    }
  }

  @Query(() => [Product], { description: 'The most sold products, most sold first.' })
  async popularProducts(
    @Arg('first', () => Int, { defaultValue: 10, description: `How many: 0 to ${largestPageSize}.` }) first: number,
    @Ctx() ctx: Context,
  ): Promise<readonly ProductRow[]> {
    return popularProducts(ctx, readWindow({ first }).size)
  }

  @FieldResolver(() => Int, { description: 'How many pieces can be ordered: the stock that no order has reserved.' })
  @Needs<ProductRow>('stock', 'reserved')
  available(@Root() product: ProductRow): number {
    return product.stock - product.reserved
  }

  @Mutation(() => CreateProductPayload, { description: 'Takes a product into the shop; for administrators.' })
  createProduct(@Arg('input', { description: 'The product.' }) input: CreateProductInput, @Ctx() ctx: Context) {
    requireAdmin(ctx)
    return payload(async () => answer(ctx, await createProduct(ctx, valid(createInput, input))))
  }

  @Mutation(() => AdjustStockPayload, { description: 'Adds pieces to a stock or takes them; for administrators.' })
  adjustStock(@Arg('input', { description: 'The change.' }) input: AdjustStockInput, @Ctx() ctx: Context) {
    requireAdmin(ctx)
    const id = decodeId('Product', input.id)
    return payload(async () => answer(ctx, await adjustStock(ctx, id, input.delta)))
  }
}

@Resolver(() => ProductPage)
export class ProductPageResolver {
  @FieldResolver(() => TotalCount, {
    description: 'How many there are in all pages; counted only when selected.',
  })
  async totalCount(@Ctx() ctx: Context) {
    const count = await activeProductCount(ctx)
    return { count: Math.min(count, countedUpTo), precision: count > countedUpTo ? 'AT_LEAST' : 'EXACT' }
  }
}

async function answer(ctx: Context, id: string) {
  return { product: await ctx.load(productById, id) }
}

export const productNode: NodeDefinition = { type: 'Product', key: ['id'], find: visibleProduct }
