import type { AutoPath } from '@mikro-orm/core'
import type { EntityManager } from '@mikro-orm/postgresql'
import type { GraphQLResolveInfo, SelectionSetNode } from 'graphql'
import { Arg, Ctx, Field, FieldResolver, ID, Info, Int, ObjectType, Query, Resolver, Root } from 'type-graphql'
import { Comment, Order, Post, Product, User } from './tutorial.entities.js'

/** What a request's resolvers work with. */
export interface Context {
  em: EntityManager
  viewer: string | undefined
}

@ObjectType()
class PostPage {
  @Field(() => [Post])
  items!: Post[]

  @Field()
  hasNextPage!: boolean

  @Field(() => String, { nullable: true })
  endCursor!: string | null
}

@Resolver(() => Post)
export class PostResolver {
  @Query(() => Post, { nullable: true })
  post(@Arg('id', () => ID) id: string, @Ctx() { em }: Context): Promise<Post | null> {
    return em.findOne(Post, { id, status: 'PUBLISHED' })
  }

  @Query(() => PostPage)
  async posts(
    @Arg('first', () => Int) first: number,
    @Arg('after', () => String, { nullable: true }) after: string | undefined,
    @Info() info: GraphQLResolveInfo,
    @Ctx() { em }: Context,
  ): Promise<PostPage> {
    return em.findByCursor(Post, {
      where: { status: 'PUBLISHED' },
      first,
      after,
      orderBy: { publication: 'desc', id: 'desc' },
      populate: relationsIn(info) as AutoPath<Post, 'author'>[],
      includeCount: false,
    })
  }

  @FieldResolver(() => [Comment])
  comments(@Root() post: Post, @Arg('first', () => Int) first: number): Comment[] {
    return post.comments.getItems().slice(0, first)
  }
}

@Resolver(() => Product)
export class ProductResolver {
  @Query(() => [Product])
  products(@Arg('first', () => Int) first: number, @Ctx() { em }: Context): Promise<Product[]> {
    return em.find(Product, { active: true }, { orderBy: { createdAt: 'desc', id: 'desc' }, limit: first })
  }
}

@Resolver(() => User)
export class UserResolver {
  @Query(() => User, { nullable: true })
  user(@Arg('id', () => ID) id: string, @Ctx() { em }: Context): Promise<User | null> {
    return em.findOne(User, id)
  }

  @FieldResolver(() => [Order])
  orders(@Root() user: User, @Arg('first', () => Int) first: number, @Ctx() { em, viewer }: Context): Promise<Order[]> {
    if (viewer !== user.id) throw new Error('Not your orders.')
    return em.find(
      Order,
      { user },
      { orderBy: { createdAt: 'desc', id: 'desc' }, limit: first, populate: ['items.product'] },
    )
  }
}

/** The populate hints of what is asked for under `items`. */
function relationsIn({ fieldNodes }: GraphQLResolveInfo): string[] {
  const items = fieldNodes[0]?.selectionSet && fieldsOf(fieldNodes[0].selectionSet).find(({ name }) => name === 'items')
  return items?.selections ? paths(items.selections) : []
}

function paths(selections: SelectionSetNode): string[] {
  return fieldsOf(selections).flatMap(({ name, selections: inner }) =>
    inner ? [name, ...paths(inner).map((path) => `${name}.${path}`)] : [],
  )
}

function fieldsOf({ selections }: SelectionSetNode) {
  return selections.flatMap((node) =>
    node.kind === 'Field' ? [{ name: node.name.value, selections: node.selectionSet }] : [],
  )
}
