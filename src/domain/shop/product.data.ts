import { LockMode } from '@mikro-orm/core'
import type { InferKyselyDB } from '@mikro-orm/postgresql'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { v7 } from 'uuid'
import { violatedConstraint } from '../../db/failure.js'
import { anyOf, param, type Select } from '../../db/statement.js'
import type { Transaction } from '../../db/transaction.js'
import { defineComputed } from '../../graph/computed.js'
import type { Context } from '../../graph/context.js'
import { countedUpTo, definePage, type Keyset } from '../../graph/keyset.js'
import { defineLoader } from '../../graph/loader.js'
import { Refused } from '../../graph/payload.js'
import { defineSlowQuery } from '../../graph/query.js'
import { type ProductRow, ProductTable } from './product.entity.js'

type Tables = InferKyselyDB<typeof ProductTable>

export const productById = defineLoader({
  name: 'productById',
  entity: ProductTable,
  key: 'id',
  // What decides visibility, and what a parcel of it weighs.
  also: ['active', 'weight'],
  cached: ['products.id'],
  statement: (query: Kysely<Tables>, select) =>
    query.selectFrom('products').select(select('products')).where('products.id', '=', anyOf<string>('keys')),
})

/** The product of that id, or null where the viewer may not see it. */
export async function visibleProduct(ctx: Context, id: string): Promise<ProductRow | null> {
  const product = await ctx.load(productById, id)
  return product?.active || ctx.viewer?.role === 'ADMIN' ? product : null
}

const id = ['products.id', 'uuid'] as const
const orders = {
  PRICE: [['products.price', 'numeric'], id],
  POPULARITY: [['products.sold_count', 'int'], id],
  NEWEST: [['products.created_at', 'timestamptz'], id],
} satisfies Record<string, Keyset<Tables>>

/** Active products, or with `inactive` the others; `inStock` or `soldOut`; from `minPrice` to `maxPrice`; with `text`. */
export const products = definePage({
  name: 'products',
  entity: ProductTable,
  alias: 'products',
  from: (query: Kysely<Tables>, { has }) => {
    let rows = query.selectFrom('products').where(has('inactive') ? isInactive : isActive)
    if (has('inStock')) rows = rows.where(isInStock)
    if (has('soldOut')) rows = rows.where(isSoldOut)
    if (has('minPrice')) rows = rows.where('products.price', '>=', param<string>('minPrice'))
    if (has('maxPrice')) rows = rows.where('products.price', '<=', param<string>('maxPrice'))
    return has('text') ? rows.where(matchesText) : rows
  },
  orders,
  defaultOrder: ['NEWEST', 'DESC'],
  slowFilters: ['text'],
})

// Constants in the text, never parameters: the partial indexes need them.
const isActive = sql<boolean>`products.active`
const isInactive = sql<boolean>`not products.active`
const isInStock = sql<boolean>`products.stock > products.reserved`
const isSoldOut = sql<boolean>`products.stock = products.reserved`
const matchesText = sql<boolean>`to_tsvector('simple', products.name || ' ' || products.description) @@ websearch_to_tsquery('simple', ${param<string>('text')})`

/** By what active products are turned over, page number by page number. */
export interface ProductOrdering {
  readonly field: keyof typeof orders
  readonly direction: 'ASC' | 'DESC'
}

/**
 * `limit` active products after the first `offset`: these are counted off in an index alone, and only the page's rows
 * are fetched. Costs what the offset costs, so callers bound it.
 */
export function productsAt(
  ctx: Context,
  { field, direction }: ProductOrdering,
  values: { readonly offset: number; readonly limit: number },
): Promise<ProductRow[]> {
  const order = sql.join(orders[field].map(([column]) => sql`${sql.ref(column)} ${sql.raw(direction)}`))
  return ctx.read<ProductRow>({
    name: 'productsAt',
    definition: productsAt,
    variant: `${field}:${direction}`,
    columns: { entity: ProductTable.name, also: [] },
    build: ((query: Kysely<Tables>, select: Select) => {
      const active = query.selectFrom('products').select('products.id').where(isActive)
      const page = active.orderBy(order).offset(param<number>('offset')).limit(param<number>('limit'))
      return query
        .selectFrom('products')
        .select(select('products'))
        .where('products.id', '=', sql<string>`any(array(${page}))`)
        .orderBy(order)
    }) as never,
    values,
  })
}

const countActive = defineSlowQuery('activeProductCount', (query: Kysely<Tables>) =>
  query
    .selectFrom(
      query
        .selectFrom('products')
        .select(sql.lit(1).as('one'))
        .where(isActive)
        .limit(sql.lit(countedUpTo + 1))
        .as('counted'),
    )
    .select(sql<number>`count(*)::int`.as('count')),
)

/** How many products are active, counted to one above {@link countedUpTo}; as of a minute ago at most. */
export const activeProductCount = defineComputed(
  { name: 'activeProductCount', seconds: 60 },
  async (ctx) => (await countActive(ctx))[0]?.count ?? 0,
)

/** What a product is made of. */
export interface ProductInput {
  readonly name: string
  readonly description: string
  readonly sku: string
  readonly brand: string | null
  readonly price: string
  readonly currency: string
  readonly stock: number
  readonly weight: string | null
  readonly active: boolean
}

/** The new product's id. @throws Refused TAKEN where the SKU belongs to another. */
export async function createProduct(ctx: Context, input: ProductInput): Promise<string> {
  const id = v7()
  try {
    await ctx.write(async (tx) => {
      const createdAt = new Date().toISOString()
      tx.em.create(ProductTable, { ...input, id, reserved: 0, soldCount: 0, createdAt })
    })
  } catch (error) {
    if (violatedConstraint(error) !== 'products_sku_unique') throw error
    throw new Refused('TAKEN', 'Another product has this SKU.', ['sku'])
  }
  return id
}

/** More pieces than this are a mistake; and `stock` must fit its column. */
export const mostStock = 1_000_000_000

/** Adds `delta` pieces to the stock, or takes them. @throws Refused NOT_FOUND, OUT_OF_STOCK or INVALID. */
export function adjustStock(ctx: Context, id: string, delta: number): Promise<string> {
  return ctx.write(async (tx) => {
    const product = await tx.em.findOne(ProductTable, id, { lockMode: LockMode.PESSIMISTIC_WRITE })
    if (!product) throw new Refused('NOT_FOUND', 'There is no such product.', ['id'])
    const stock = product.stock + delta
    if (stock < product.reserved)
      throw new Refused('OUT_OF_STOCK', `At most ${product.stock - product.reserved} pieces are free.`, ['delta'])
    if (stock > mostStock) throw new Refused('INVALID', `A stock has at most ${mostStock} pieces.`, ['delta'])
    product.stock = stock
    return id
  })
}

/** What must be known of a product to order it. */
export type LockedProduct = Awaited<ReturnType<typeof lockProducts>>[number]

/** The products of those ids, locked until the transaction ends; in the order of ids, so that no two wait for each other. */
export function lockProducts(tx: Transaction, ids: readonly string[]) {
  return tx.sql(
    (query: Kysely<Tables>) =>
      query
        .selectFrom('products')
        .select(['id', 'price', 'currency', 'stock', 'reserved', 'active'])
        .where('id', '=', sql<string>`any(${ids}::uuid[])`)
        .orderBy('id')
        .forNoKeyUpdate(),
    [],
  )
}

/** Takes those pieces, which were reserved, out of the stock as sold; the products are locked already. */
export function sell(tx: Transaction, items: readonly Pieces[]): Promise<void> {
  return change(tx, items, {
    stock: sql`products.stock - item.quantity`,
    reserved: sql`products.reserved - item.quantity`,
    sold_count: sql`products.sold_count + item.quantity`,
  })
}

/** Reserves those pieces, or with negative quantities frees them; the products are locked already. */
export function reserve(tx: Transaction, items: readonly Pieces[]): Promise<void> {
  return change(tx, items, { reserved: sql`products.reserved + item.quantity` })
}

/** So many of a product. */
interface Pieces {
  readonly productId: string
  readonly quantity: number
}

async function change(
  tx: Transaction,
  items: readonly Pieces[],
  columns: Partial<Record<'stock' | 'reserved' | 'sold_count', RawBuilder<number>>>,
): Promise<void> {
  const ids = items.map(({ productId }) => productId)
  const quantities = items.map(({ quantity }) => quantity)
  const rows = sql<{ id: string; quantity: number }>`unnest(${ids}::uuid[], ${quantities}::int[])`
  await tx.sql(
    (query: Kysely<Tables>) =>
      query
        .updateTable('products')
        .from(rows.as<'item'>(sql`item(id, quantity)`))
        .set(columns)
        .whereRef('products.id', '=', 'item.id'),
    [{ table: 'products', kind: 'update', rows: ids.length, keys: ids.map((id) => ({ id })) }],
  )
}
