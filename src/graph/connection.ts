import 'reflect-metadata'
import { type GraphQLFieldResolver, type GraphQLSchema, getNamedType, isObjectType } from 'graphql'
import { ArgsType, type ClassType, Extensions, Field, Int, ObjectType, registerEnumType } from 'type-graphql'
import type { Context } from './context.js'
import type { Page } from './page.js'
import type { PageArguments } from './window.js'

export enum OrderDirection {
  ASC = 'ASC',
  DESC = 'DESC',
}
registerEnumType(OrderDirection, {
  name: 'OrderDirection',
  description: 'Which end of an order comes first.',
  valuesConfig: {
    ASC: { description: 'Smallest or oldest first.' },
    DESC: { description: 'Largest or newest first.' },
  },
})

enum Precision {
  EXACT = 'EXACT',
  AT_LEAST = 'AT_LEAST',
}
registerEnumType(Precision, {
  name: 'Precision',
  description: 'What a count promises.',
  valuesConfig: {
    EXACT: { description: 'That many.' },
    AT_LEAST: { description: 'That many or more: counting stopped there.' },
  },
})

@ArgsType()
export class PageArgs implements PageArguments {
  @Field(() => Int, {
    nullable: true,
    description: 'How many from the start (or after `after`): 0 to 100, 20 when neither is given.',
  })
  first?: number | null

  @Field(() => String, { nullable: true, description: 'Only what comes after this cursor.' })
  after?: string | null

  @Field(() => Int, {
    nullable: true,
    description: 'How many from the end (or before `before`): 0 to 100; not together with `first`.',
  })
  last?: number | null

  @Field(() => String, { nullable: true, description: 'Only what comes before this cursor.' })
  before?: string | null
}

@ObjectType({ description: 'Where a page stands in its connection.' })
export class PageInfo {
  @Field({ description: 'Whether more follows this page.' })
  readonly hasNextPage!: boolean

  @Field({ description: 'Whether something precedes this page.' })
  readonly hasPreviousPage!: boolean

  @Field(() => String, { nullable: true, description: 'The cursor of the first edge; null on an empty page.' })
  readonly startCursor!: string | null

  @Field(() => String, { nullable: true, description: 'The cursor of the last edge; null on an empty page.' })
  readonly endCursor!: string | null
}

@ObjectType({ description: 'A count that stays cheap: exact up to 10,000.' })
export class TotalCount {
  @Field(() => Int, { description: 'The rows counted.' })
  readonly count!: number

  @Field(() => Precision, { description: 'Whether that is all of them.' })
  readonly precision!: Precision
}

/** The Relay connection type of a node type, `<Name>Connection`; `order` says what comes first when nothing is asked. */
export function connectionOf(type: () => ClassType<object>, name: string, order: string) {
  @ObjectType(`${name}Edge`, { description: `A ${name} and its place in a connection.` })
  class Edge {
    @Field({ description: 'The place, for `after` and `before`.' })
    readonly cursor!: string

    @Field(type, { description: `The ${name}.` })
    readonly node!: object
  }

  @Extensions({ connection: true })
  @ObjectType(`${name}Connection`, { description: `A page of ${name} objects. Default order: ${order}.` })
  class Connection {
    @Field(() => [Edge], { description: 'The page, each object with its cursor.' })
    readonly edges!: Edge[]

    @Field(() => [type()], { description: 'The page, without cursors.' })
    readonly nodes!: object[]

    @Field(() => PageInfo, { description: 'Where the page stands.' })
    readonly pageInfo!: PageInfo

    @Field(() => TotalCount, { description: 'How many there are in all pages; counted only when selected.' })
    readonly totalCount!: TotalCount
  }
  return Connection
}

type AnyPage = Page<object>

/**
 * Makes every connection type of a schema answer from a {@link Page}. Throws where one is not named after its nodes:
 * whether cursors are asked for is known by that name.
 */
export function resolveConnections(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || !type.extensions.connection) continue
    const node = getNamedType(type.getFields().nodes?.type)?.name
    if (type.name !== `${node}Connection`)
      throw new Error(`${type.name} is a connection of ${node}: name it after that.`)
    setResolvers(schema, type.name, {
      edges: (page: AnyPage) => page.rows.map((row) => ({ page, node: row })),
      nodes: (page: AnyPage) => page.rows,
      pageInfo: (page: AnyPage) => page,
      totalCount: (page: AnyPage, _args: unknown, ctx: Context) => {
        ctx.at = `${type.name}.totalCount`
        return page.count()
      },
    })
    setResolvers(schema, type.name.replace(/Connection$/, 'Edge'), {
      cursor: ({ page, node }: { page: AnyPage; node: object }) => page.cursor(node),
    })
  }
  setResolvers(schema, 'PageInfo', {
    startCursor: (page: AnyPage) => cursorAt(page, 0),
    endCursor: (page: AnyPage) => cursorAt(page, page.rows.length - 1),
  })
}

function cursorAt(page: AnyPage, index: number): string | null {
  const row = page.rows[index]
  return row ? page.cursor(row) : null
}

/** Replaces resolvers of a built schema by plain functions of the source. */
function setResolvers(
  schema: GraphQLSchema,
  type: string,
  resolvers: Record<string, GraphQLFieldResolver<never, Context>>,
) {
  const object = schema.getType(type)
  if (!isObjectType(object)) return
  for (const [name, resolve] of Object.entries(resolvers)) {
    const field = object.getFields()[name]
    if (field) field.resolve = resolve as GraphQLFieldResolver<unknown, Context>
  }
}
