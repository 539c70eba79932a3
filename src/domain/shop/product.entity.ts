import { defineEntity, p } from '@mikro-orm/core'
import { Field, Int, ObjectType } from 'type-graphql'
import { type Row, timestamp } from '../../db/row.js'
import { Node } from '../../graph/node.js'
import { DateTime, Decimal } from '../../graph/scalars.js'

const text = "to_tsvector('simple', name || ' ' || description)"
const inStock = 'where active and stock > reserved'

export const ProductTable = defineEntity({
  name: 'Product',
  tableName: 'products',
  properties: {
    id: p.uuid().primary(),
    name: p.text(),
    description: p.text(),
    sku: p.text(),
    brand: p.text().nullable(),
    price: p.decimal('string').precision(12).scale(2),
    currency: p.text(),
    stock: p.integer(),
    /** How many of `stock` are promised to orders that are not settled yet. */
    reserved: p.integer(),
    soldCount: p.integer(),
    weight: p.decimal('string').precision(10).scale(3).nullable(),
    active: p.boolean(),
    createdAt: timestamp(),
  },
  uniques: [{ name: 'products_sku_unique', properties: ['sku'] }], // createProduct's check
  checks: [
    { name: 'products_price_positive', expression: 'price >= 0' },
    { name: 'products_currency_code', expression: "currency ~ '^[A-Z]{3}$'" },
    { name: 'products_stock_positive', expression: 'stock >= 0' },
    { name: 'products_reserved_in_stock', expression: 'reserved between 0 and stock' },
  ],
  indexes: [
    // products and productsAt by NEWEST
    {
      name: 'products_created',
      expression: 'create index products_created on products (created_at desc, id desc) where active',
    },
    // products and productsAt by POPULARITY; popularProducts
    {
      name: 'products_sold',
      expression: 'create index products_sold on products (sold_count desc, id desc) where active',
    },
    // products and productsAt by PRICE; products in a range of prices
    { name: 'products_price', expression: 'create index products_price on products (price, id) where active' },
    // products in stock by NEWEST
    {
      name: 'products_in_stock_created',
      expression: `create index products_in_stock_created on products (created_at desc, id desc) ${inStock}`,
    },
    // products in stock by POPULARITY
    {
      name: 'products_in_stock_sold',
      expression: `create index products_in_stock_sold on products (sold_count desc, id desc) ${inStock}`,
    },
    // products in stock by PRICE, and in a range of prices
    {
      name: 'products_in_stock_price',
      expression: `create index products_in_stock_price on products (price, id) ${inStock}`,
    },
    // products that are not active, for administrators, by NEWEST
    {
      name: 'products_inactive_created',
      expression: 'create index products_inactive_created on products (created_at desc, id desc) where not active',
    },
    // products with a text
    { name: 'products_text', expression: `create index products_text on products using gin (${text})` },
  ],
})
export type ProductRow = Row<typeof ProductTable>

type Shown = 'name' | 'description' | 'sku' | 'brand' | 'price' | 'currency' | 'stock' | 'soldCount' | 'weight'

@ObjectType({ implements: Node, description: 'Something that is sold.' })
export class Product extends Node implements Pick<ProductRow, Shown | 'active' | 'createdAt'> {
  @Field({ description: 'What it is called.' })
  readonly name!: string

  @Field({ description: 'What it is.' })
  readonly description!: string

  @Field({ description: "The shop's own number for it: unique." })
  readonly sku!: string

  @Field(() => String, { nullable: true, description: 'Who makes it; null where that is not known.' })
  readonly brand!: string | null

  @Field(() => Decimal, { description: 'What one piece costs now, in `currency`.' })
  readonly price!: string

  @Field({ description: 'The currency of the price: ISO 4217.' })
  readonly currency!: string

  @Field(() => Int, { description: 'How many pieces are there, those that are promised to orders included.' })
  readonly stock!: number

  @Field(() => Int, { description: 'How many pieces were sold, by orders that are settled.' })
  readonly soldCount!: number

  @Field(() => Decimal, { nullable: true, description: 'What one piece weighs, in kilograms; null where not known.' })
  readonly weight!: string | null

  @Field({ description: 'Whether it is sold: others than administrators see only what is.' })
  readonly active!: boolean

  @Field(() => DateTime, { description: 'Since when it is known.' })
  readonly createdAt!: string
}
