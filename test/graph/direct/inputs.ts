import { inspect } from 'node:util'
import type { GraphQLResolveInfo } from 'graphql'
import {
  Arg,
  Args,
  ArgsType,
  Ctx,
  Field,
  Float,
  ID,
  Info,
  InputType,
  Int,
  Mutation,
  Query,
  Resolver,
  registerEnumType,
} from 'type-graphql'

/** What a resolver was given, with the classes that it could tell apart. */
export function seen(...values: unknown[]): string {
  return inspect(values, { depth: 9, breakLength: Number.POSITIVE_INFINITY })
}

enum Genre {
  NOVEL = 'a novel',
  ESSAY = 'an essay',
}
registerEnumType(Genre, { name: 'Genre' })

enum Rating {
  BAD,
  GOOD,
}
registerEnumType(Rating, { name: 'Rating' })

@InputType()
class Range {
  @Field(() => Int, { defaultValue: 1 })
  least!: number

  @Field(() => Int, { nullable: true })
  most?: number | null
}

@InputType()
class Search {
  @Field()
  text!: string

  @Field(() => Range, { nullable: true })
  range?: Range | null

  @Field(() => [[Range]], { nullable: 'itemsAndList' })
  ranges?: (Range | null)[][] | null

  @Field(() => [Genre], { defaultValue: [Genre.NOVEL] })
  genres!: Genre[]

  @Field(() => Int)
  limit = 10

  get both(): string {
    return `${this.text} ${this.limit}`
  }
}

@InputType()
class LateSearch extends Search {
  @Field(() => Date)
  since!: Date

  late(): boolean {
    return this.since.getTime() > 0
  }
}

@InputType()
class Tree {
  @Field()
  name!: string

  @Field(() => [Tree], { nullable: true })
  children?: Tree[] | null
}

@InputType()
class Unset {
  @Field(() => String, { nullable: true })
  hint?: string | undefined = undefined

  @Field()
  text!: string
}

@ArgsType()
class Slice {
  @Field(() => Int, { nullable: true })
  first?: number | null

  @Field(() => ID, { defaultValue: 'start' })
  after!: string
}

@ArgsType()
class SearchSlice extends Slice {
  @Field(() => Float)
  size = 0.5

  @Field(() => Search, { nullable: true })
  search?: Search | null

  get double(): number {
    return this.size * 2
  }
}

@ArgsType()
class Renamed {
  @Field(() => String, { name: 'called', nullable: true })
  title?: string
}

@Resolver()
export class InputResolver {
  @Query(() => String)
  nothing(): string {
    return seen(this instanceof InputResolver)
  }

  @Query(() => String)
  text(@Arg('text', { defaultValue: 'so' }) text: string): string {
    return seen(text)
  }

  @Query(() => String)
  maybe(@Arg('text', () => String, { nullable: true }) text?: string | null): string {
    return seen(text)
  }

  @Query(() => String)
  plain(
    @Arg('ids', () => [ID]) ids: string[],
    @Arg('grid', () => [[Int]], { nullable: 'items' }) grid: number[][],
    @Arg('genre', () => Genre) genre: Genre,
    @Arg('rating', () => Rating) rating: Rating,
    @Arg('on', () => Date, { nullable: true }) on?: Date,
  ): string {
    return seen(ids, grid, genre, rating, on)
  }

  @Query(() => String)
  slice(@Args(() => Slice) args: Slice): string {
    return seen(args, args instanceof Slice)
  }

  @Query(() => String)
  searchSlice(@Args(() => SearchSlice) args: SearchSlice, @Arg('more', () => Int, { nullable: true }) more?: number) {
    return seen(args, args.double, args.search?.both, more)
  }

  @Query(() => String)
  search(@Arg('search', () => Search, { nullable: true }) search?: Search | null): string {
    return seen(search, search?.both, search?.range instanceof Range)
  }

  @Query(() => String)
  searches(@Arg('all', () => [LateSearch], { nullable: 'itemsAndList' }) all?: (LateSearch | null)[] | null): string {
    return seen(all, all?.[0]?.late())
  }

  @Query(() => String)
  changed(@Arg('names', () => [String], { defaultValue: ['one'] }) names: string[]): string {
    names.push('more')
    return seen(names)
  }

  @Query(() => String)
  tree(@Arg('tree') tree: Tree): string {
    return seen(tree)
  }

  @Query(() => String)
  unset(@Arg('unset') unset: Unset): string {
    return seen(unset, 'hint' in unset)
  }

  @Query(() => String)
  renamed(@Args(() => Renamed) args: Renamed): string {
    return seen(args)
  }

  @Query(() => String)
  around(@Info() info: GraphQLResolveInfo, undecorated: unknown, @Ctx() ctx: unknown, @Arg('text') text: string) {
    return seen(info.fieldName, info.path, (undecorated as { tenant: string }).tenant, ctx, text)
  }

  @Mutation(() => String)
  save(@Arg('input') input: LateSearch, @Ctx() ctx: object): string {
    return seen(input, input.late(), 'log' in ctx)
  }
}
