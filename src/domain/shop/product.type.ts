import { ArgsType, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql'
import { connectionOf, OrderDirection, PageArgs } from '../../graph/connection.js'
import { Payload } from '../../graph/payload.js'
import { Decimal } from '../../graph/scalars.js'
import { Product } from './product.entity.js'

export const ProductConnection = connectionOf(() => Product, 'Product', 'newest first')

export enum ProductOrderField {
  PRICE = 'PRICE',
  POPULARITY = 'POPULARITY',
  NEWEST = 'NEWEST',
}
registerEnumType(ProductOrderField, {
  name: 'ProductOrderField',
  description: 'By what products can be ordered.',
  valuesConfig: {
    PRICE: { description: 'By the number of the price, whatever its currency.' },
    POPULARITY: { description: 'By how many were sold: DESC begins with the most sold.' },
    NEWEST: { description: 'By since when they are known: DESC begins with the newest.' },
  },
})

@InputType({ description: 'An order of products.' })
export class ProductOrder {
  @Field(() => ProductOrderField, { description: 'By what.' })
  readonly field!: ProductOrderField

  @Field(() => OrderDirection, { description: 'Which end first.' })
  readonly direction!: OrderDirection
}

@InputType({ description: 'Which products; every given part must fit.' })
export class ProductFilter {
  @Field(() => Boolean, {
    nullable: true,
    description: 'Those that are sold, unless false: those that are not, for administrators.',
  })
  readonly active?: boolean | null

  @Field(() => Decimal, { nullable: true, description: 'The lowest price, in whatever currency.' })
  readonly minPrice?: string | null

  @Field(() => Decimal, { nullable: true, description: 'The highest price, in whatever currency.' })
  readonly maxPrice?: string | null

  @Field(() => Boolean, {
    nullable: true,
    description: 'True: those with pieces left to order; false: those without.',
  })
  readonly inStock?: boolean | null

  @Field(() => String, {
    nullable: true,
    description: 'Words in name or description, as one types them into a search engine: at most 200 characters.',
  })
  readonly text?: string | null
}

@ArgsType()
export class ProductsArgs extends PageArgs {
  @Field(() => ProductFilter, { nullable: true, description: 'Which products.' })
  readonly filter?: ProductFilter | null

  @Field(() => ProductOrder, { nullable: true, description: 'The order; newest first when not given.' })
  readonly orderBy?: ProductOrder | null
}

@ArgsType()
export class ProductPageArgs {
  @Field(() => Int, { defaultValue: 1, description: 'Which page, from 1.' })
  readonly page!: number

  @Field(() => Int, { defaultValue: 20, description: 'How many products to a page: 1 to 100.' })
  readonly perPage!: number

  @Field(() => ProductOrder, { nullable: true, description: 'The order; newest first when not given.' })
  readonly orderBy?: ProductOrder | null
}

@ObjectType({ description: 'A numbered page of products. Default order: newest first.' })
export class ProductPage {
  @Field(() => [Product], { description: 'The products of the page.' })
  readonly nodes!: object[]

  @Field(() => Int, { description: 'The number of the page.' })
  readonly page!: number

  @Field(() => Int, { description: 'How many products to a page.' })
  readonly perPage!: number

  @Field({ description: 'Whether a page follows.' })
  readonly hasNextPage!: boolean

  @Field({ description: 'Whether a page precedes.' })
  readonly hasPreviousPage!: boolean
}

@InputType({ description: 'A new product.' })
export class CreateProductInput {
  @Field({ description: 'What it is called: 1 to 200 characters.' })
  readonly name!: string

  @Field({ defaultValue: '', description: 'What it is: up to 10,000 characters.' })
  readonly description!: string

  @Field({ description: 'The number for it: 1 to 64 letters, digits, dots, hyphens and underscores; unique.' })
  readonly sku!: string

  @Field(() => String, { nullable: true, description: 'Who makes it: 1 to 100 characters.' })
  readonly brand?: string | null

  @Field(() => Decimal, { description: 'What one piece costs: not negative, at most two decimals.' })
  readonly price!: string

  @Field({ description: 'The currency of the price: three letters of ISO 4217.' })
  readonly currency!: string

  @Field(() => Int, { defaultValue: 0, description: 'How many pieces are there: 0 to 1,000,000,000.' })
  readonly stock!: number

  @Field(() => Decimal, { nullable: true, description: 'What one piece weighs in kilograms: at most three decimals.' })
  readonly weight?: string | null

  @Field({ defaultValue: true, description: 'Whether it is sold from now on.' })
  readonly active!: boolean
}

@InputType({ description: 'A change of stock.' })
export class AdjustStockInput {
  @Field(() => ID, { description: 'The id of the product.' })
  readonly id!: string

  @Field(() => Int, { description: 'How many pieces come in; negative for those that go.' })
  readonly delta!: number
}

/** What a mutation that leaves a product answers. */
@ObjectType()
abstract class ProductPayload extends Payload {
  @Field(() => Product, { nullable: true, description: 'The product; null where there are errors.' })
  readonly product?: Product | null
}

@ObjectType({ description: 'The new product.' })
export class CreateProductPayload extends ProductPayload {}

@ObjectType({ description: 'The product with its stock as it is now.' })
export class AdjustStockPayload extends ProductPayload {}
