import 'reflect-metadata'
import { Collection, type Rel } from '@mikro-orm/core'
import { Entity, Formula, ManyToMany, ManyToOne, OneToMany, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'
import { GraphQLScalarType } from 'graphql'
import { Field, ID, Int, ObjectType } from 'type-graphql'

/** Times are text, or a Date would lose their microseconds and the answer differ. */
const DateTime = new GraphQLScalarType({
  name: 'DateTime',
  serialize: (text) => `${String(text).slice(0, 10)}T${String(text).slice(11, -3)}Z`,
})
const timestamp = () => ({ type: 'string', columnType: 'timestamptz(6)', runtimeType: 'string' }) as const

@ObjectType()
@Entity({ tableName: 'users' })
export class User {
  @Field(() => ID)
  @PrimaryKey({ type: 'uuid' })
  id!: string

  @Field()
  @Property({ type: 'text' })
  name!: string

  @Property({ type: 'text' })
  email!: string

  @Property({ type: 'text' })
  role!: string

  @Property(timestamp())
  joinedAt!: string
}

@ObjectType()
@Entity({ tableName: 'tags' })
export class Tag {
  @Field(() => ID)
  @PrimaryKey({ type: 'uuid' })
  id!: string

  @Field()
  @Property({ type: 'text' })
  name!: string

  @Property({ type: 'text' })
  slug!: string
}

@ObjectType()
@Entity({ tableName: 'comments' })
export class Comment {
  @Field(() => ID)
  @PrimaryKey({ type: 'uuid' })
  id!: string

  @ManyToOne(() => Post)
  post!: Rel<Post>

  @Field(() => User)
  @ManyToOne(() => User)
  author!: User

  @Field()
  @Property({ type: 'text' })
  body!: string

  @Field(() => DateTime)
  @Property(timestamp())
  createdAt!: string
}

@ObjectType()
@Entity({ tableName: 'posts' })
export class Post {
  @Field(() => ID)
  @PrimaryKey({ type: 'uuid' })
  id!: string

  @Field(() => User)
  @ManyToOne(() => User)
  author!: User

  @Field()
  @Property({ type: 'text' })
  status!: string

  @Field()
  @Property({ type: 'text' })
  title!: string

  @Field()
  @Property({ type: 'text' })
  body!: string

  @Field(() => DateTime, { nullable: true })
  @Property({ ...timestamp(), nullable: true })
  publishedAt!: string | null

  @Field(() => DateTime)
  @Property(timestamp())
  createdAt!: string

  /** The expression that the index is over. */
  @Formula((columns) => `coalesce(${columns.publishedAt}, 'infinity'::timestamptz)`, { type: 'string' })
  publication!: string

  @Field(() => [Tag])
  @ManyToMany({ entity: () => Tag, pivotTable: 'post_tags', joinColumn: 'post_id', inverseJoinColumn: 'tag_id' })
  tags = new Collection<Tag>(this)

  @OneToMany({ entity: () => Comment, mappedBy: 'post', orderBy: { createdAt: 'desc', id: 'desc' } })
  comments = new Collection<Comment>(this)
}

@ObjectType()
@Entity({ tableName: 'products' })
export class Product {
  @Field(() => ID)
  @PrimaryKey({ type: 'uuid' })
  id!: string

  @Field()
  @Property({ type: 'text' })
  name!: string

  @Property({ type: 'text' })
  description!: string

  @Field()
  @Property({ type: 'text' })
  sku!: string

  @Field(() => String)
  @Property({ type: 'decimal' })
  price!: string

  @Field()
  @Property({ type: 'text' })
  currency!: string

  @Field(() => Int)
  @Property({ type: 'integer' })
  stock!: number

  @Field(() => Int)
  @Property({ type: 'integer' })
  soldCount!: number

  @Field(() => String, { nullable: true })
  @Property({ type: 'decimal', nullable: true })
  weight!: string | null

  @Field()
  @Property({ type: 'boolean' })
  active!: boolean

  @Field(() => DateTime)
  @Property(timestamp())
  createdAt!: string
}

@ObjectType()
@Entity({ tableName: 'order_items' })
export class OrderItem {
  @ManyToOne({ entity: () => Order, primary: true, joinColumns: ['user_id', 'order_id'] })
  order!: Rel<Order>

  @PrimaryKey({ type: 'integer' })
  position!: number

  @Field(() => Product)
  @ManyToOne(() => Product)
  product!: Product

  @Field(() => Int)
  @Property({ type: 'integer' })
  quantity!: number

  @Field(() => String)
  @Property({ type: 'decimal' })
  unitPrice!: string
}

@ObjectType()
@Entity({ tableName: 'orders' })
export class Order {
  @ManyToOne({ entity: () => User, primary: true })
  user!: User

  @Field(() => ID)
  @PrimaryKey({ type: 'uuid' })
  id!: string

  @Field()
  @Property({ type: 'text' })
  status!: string

  @Field(() => String)
  @Property({ type: 'decimal' })
  total!: string

  @Field(() => DateTime)
  @Property(timestamp())
  createdAt!: string

  @Field(() => [OrderItem])
  @OneToMany({ entity: () => OrderItem, mappedBy: 'order', orderBy: { position: 'asc' } })
  items = new Collection<OrderItem>(this)
}
