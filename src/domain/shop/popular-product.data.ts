import type { InferKyselyDB } from '@mikro-orm/postgresql'
import { type Kysely, sql } from 'kysely'
import { defineComputed } from '../../graph/computed.js'
import type { Context } from '../../graph/context.js'
import { defineQuery } from '../../graph/query.js'
import { defineWarmer } from '../../graph/warmer.js'
import { largestPageSize } from '../../graph/window.js'
import { productById } from './product.data.js'
import type { ProductRow, ProductTable } from './product.entity.js'

type Tables = InferKyselyDB<typeof ProductTable>

const mostSold = defineQuery('popularProducts', (query: Kysely<Tables>) =>
  query
    .selectFrom('products')
    .select('products.id')
    .where(sql<boolean>`products.active`)
    .orderBy('products.sold_count', 'desc')
    .orderBy('products.id', 'desc')
    .limit(sql.lit(largestPageSize)),
)

/** The ids of the most sold active products, most sold first: as they were two minutes ago at most. */
export const popularIds = defineComputed({ name: 'popularProducts', seconds: 60, staleSeconds: 60 }, async (ctx) =>
  (await mostSold(ctx)).map(({ id }) => id),
)

/** The `first` of them as they are now; one that is not sold any more is passed over. */
export async function popularProducts(ctx: Context, first: number): Promise<ProductRow[]> {
  const ids = await popularIds(ctx)
  const found: ProductRow[] = []
  for (let next = 0; found.length < first && next < ids.length; ) {
    const some = ids.slice(next, next + first - found.length)
    next += some.length
    const rows = await Promise.all(some.map((id) => ctx.load(productById, id)))
    for (const row of rows) if (row?.active) found.push(row)
  }
  return found
}

/** What is said of all of them. */
export const warmPopularProducts = defineWarmer({
  name: 'popular products',
  async run(ctx, progress) {
    const ids = await popularIds(ctx)
    await Promise.all(ids.map((id) => ctx.load(productById, id)))
    progress(ids.length, ids.length)
  },
})
