import type { GraphQLResolveInfo } from 'graphql'
import {
  Arg,
  type ClassType,
  Field,
  FieldResolver,
  Info,
  Int,
  InterfaceType,
  ObjectType,
  Query,
  Resolver,
  Root,
} from 'type-graphql'
import { seen } from './inputs.js'

@InterfaceType({ resolveType: () => 'Book' })
abstract class Titled {
  @Field()
  title!: string
}

@ObjectType()
class Printed {
  @Field(() => Int, { name: 'pages' })
  pageCount!: number
}

@ObjectType({ implements: Titled })
class Book extends Printed implements Titled {
  title!: string

  @Field(() => String, { nullable: true })
  promised!: Promise<string>

  @Field(() => String, { nullable: true })
  throwing!: string

  @Field(() => String, { nullable: true })
  error!: string

  @Field(() => String, { nullable: true })
  missing!: string

  @Field(() => String, { simple: true, nullable: true })
  simple!: string

  @Field()
  shouted(@Arg('mark') mark: string): string {
    return this.title.toUpperCase() + mark
  }

  @Field()
  get initial(): string {
    return this.title.slice(0, 1)
  }
}

class BookRow {
  readonly title = 'Plumb lines'
  readonly pageCount = 90
  readonly promised = Promise.resolve('kept')
  readonly simple = 'read'
  readonly error = new Error('An error for a value.')

  get throwing(): string {
    throw new Error('A getter that throws.')
  }
}

/** A type, not the class: what a resolver says of its source when it is given plain rows. */
type Row = Omit<BookRow, 'throwing'>

@Resolver(() => Book)
export class BookResolver {
  private asked = 0

  @Query(() => Book)
  book(): Row {
    return new BookRow()
  }

  @Query(() => Titled)
  async titled(): Promise<Row> {
    return new BookRow()
  }

  @Query(() => [Book], { nullable: true })
  shelf(@Arg('kind') kind: string): unknown {
    if (kind === 'set') return new Set([new BookRow(), new BookRow()])
    if (kind === 'generator')
      return (function* () {
        yield new BookRow()
        yield Promise.resolve(new BookRow())
      })()
    if (kind === 'async generator')
      return (async function* () {
        yield new BookRow()
      })()
    return [new BookRow(), Promise.resolve(null), Promise.reject(new Error('One of them.'))]
  }

  @FieldResolver(() => String, { nullable: true })
  ends(@Root() { title }: Row, @Arg('how') how: string): unknown {
    if (how === 'throws') throw new Error(`${title} throws.`)
    if (how === 'rejects') return Promise.reject(new Error(`${title} rejects.`))
    if (how === 'error') return new Error(`${title} is an error.`)
    if (how === 'object') return { title }
    return how === 'nothing' ? undefined : Promise.resolve(title)
  }

  @FieldResolver(() => String)
  certain(@Root() _book: Row): unknown {
    return null
  }

  @FieldResolver(() => String)
  asInstance(@Root() root: Book): string {
    return seen(root instanceof Book, root.initial)
  }

  @FieldResolver(() => String)
  awaited(@Root('promised') promised: string, @Root('title') title: string): string {
    return seen(promised, title)
  }

  @FieldResolver(() => String)
  described(@Root() row: Row, @Info() info: GraphQLResolveInfo): string {
    return seen(Object.keys(row), info.parentType.name, info.path.key, this.asked++)
  }
}

function createListing(name: string): ClassType {
  @Resolver()
  abstract class Listing {
    protected readonly kept = [name]

    @Query(() => String, { name: `${name}Count` })
    count(): string {
      return seen(this.kept, this.constructor.name)
    }

    @Query(() => String, { name: `${name}First` })
    first(): string {
      return `first ${name}`
    }
  }
  return Listing as unknown as ClassType
}

@Resolver()
export class MapsResolver extends createListing('maps') {
  first(): string {
    return 'the map on top'
  }

  @Query(() => String)
  ownMaps(): string {
    return seen(this)
  }
}

@Resolver(() => Printed)
export class PrintedResolver {
  @Query(() => Printed)
  printed(): Row {
    return new BookRow()
  }

  @FieldResolver(() => String)
  weight(@Root() printed: Row): string {
    return `${printed.pageCount} g`
  }
}
