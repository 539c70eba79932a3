import 'reflect-metadata'
import { defineEntity, type InferKyselyDB, p } from '@mikro-orm/postgresql'
import { type Kysely, sql } from 'kysely'
import {
  Arg,
  Args,
  Ctx,
  Field,
  FieldResolver,
  ID,
  Int,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  Root,
} from 'type-graphql'
import type { Change } from '../../../src/core/events.js'
import type { Row } from '../../../src/db/row.js'
import { anyOf, param } from '../../../src/db/statement.js'
import { defineComputed } from '../../../src/graph/computed.js'
import { connectionOf, PageArgs } from '../../../src/graph/connection.js'
import { Context } from '../../../src/graph/context.js'
import { definePage } from '../../../src/graph/keyset.js'
import { defineListLoader, defineLoader } from '../../../src/graph/loader.js'
import { decodeId, Node } from '../../../src/graph/node.js'
import { loadPageOf, type Page } from '../../../src/graph/page.js'
import { Needs } from '../../../src/graph/projection.js'
import { defineQuery } from '../../../src/graph/query.js'
import type { Slice } from '../../../src/graph/slice.js'

const ShelfTable = defineEntity({ name: 'Shelf', tableName: 'shelves', properties: { id: p.uuid().primary() } })
const BookTable = defineEntity({
  name: 'Book',
  tableName: 'books',
  properties: { id: p.uuid().primary(), shelf: () => p.manyToOne(ShelfTable), value: p.integer() },
})
type ShelfRow = Row<typeof ShelfTable>
type BookRow = Row<typeof BookTable>
type Tables = InferKyselyDB<typeof ShelfTable | typeof BookTable>

const shelfById = defineLoader({
  name: 'shelfById',
  entity: ShelfTable,
  key: 'id',
  cached: ['shelves.id'],
  statement: (query: Kysely<Tables>, select) =>
    query.selectFrom('shelves').select(select('shelves')).where('shelves.id', '=', anyOf<string>('keys')),
})

const bookById = defineLoader({
  name: 'bookById',
  entity: BookTable,
  key: 'id',
  cached: ['books.id'],
  statement: (query: Kysely<Tables>, select) =>
    query.selectFrom('books').select(select('books')).where('books.id', '=', anyOf<string>('keys')),
})

const booksOfShelf = defineListLoader({
  name: 'booksOfShelf',
  entity: BookTable,
  key: 'shelfId',
  cached: ['books.shelfId'],
  statement: (query: Kysely<Tables>, select) =>
    query.selectFrom('books').select(select('books')).where('books.shelf_id', '=', anyOf<string>('keys')),
})

const pageOfShelf = definePage({
  name: 'pageOfShelf',
  entity: BookTable,
  alias: 'books',
  cached: ['books.shelfId'],
  from: (query: Kysely<Tables>, { parent }) => query.selectFrom('books').where('books.shelf_id', '=', parent),
  orders: { ID: [['books.id', 'uuid']] },
  defaultOrder: ['ID', 'ASC'],
})

/** Kept by nobody. */
const scan = defineQuery('scanOfShelf', (query: Kysely<Tables>) =>
  query
    .selectFrom('books')
    .select(sql<string>`coalesce(string_agg(books.id || '=' || books.value, ','), '')`.as('rows'))
    .where('books.shelf_id', '=', param<string>('shelf')),
)

@ObjectType({ implements: Node, description: 'A book on a shelf.' })
class Book extends Node {
  @Field(() => Int, { description: 'Never the same twice.' })
  readonly value!: number
}

@ObjectType({ implements: Node, description: 'A shelf of books.' })
class Shelf extends Node {}

const BookConnection = connectionOf(() => Book, 'Book', 'by id')

const computedBooks = defineComputed({ name: 'computed', seconds: 60, tables: ['books'] }, (ctx, shelf) =>
  read(ctx, shelf),
)

@Resolver(() => Book)
class BookResolver {
  @Query(() => Book, { nullable: true, description: 'The book of that id.' })
  book(@Arg('id', () => ID, { description: 'Of a Book.' }) id: string, @Ctx() ctx: Context) {
    return ctx.load(bookById, decodeId('Book', id))
  }

  @Query(() => Shelf, { nullable: true, description: 'The shelf of that id.' })
  shelf(@Arg('id', () => ID, { description: 'Of a Shelf.' }) id: string, @Ctx() ctx: Context) {
    return ctx.load(shelfById, decodeId('Shelf', id))
  }

  @FieldResolver(() => ID, { description: 'Where it stands.' })
  @Needs<BookRow>('shelfId')
  shelfId(@Root() book: BookRow): string {
    return book.shelfId
  }

  @FieldResolver(() => String, { description: 'Who asks.' })
  @Needs<BookRow>('id')
  reader(@Root() _book: BookRow, @Ctx() ctx: Context): string {
    return ctx.viewer?.id ?? 'nobody'
  }

  @Mutation(() => Boolean, { description: 'Changes a book, as one JSON says.' })
  async change(@Arg('order', { description: 'An Order.' }) order: string, @Ctx() ctx: Context): Promise<boolean> {
    await change(ctx, JSON.parse(order))
    return true
  }
}

@Resolver(() => Shelf)
class ShelfResolver {
  @FieldResolver(() => [Book], { description: 'Its books.' })
  @Needs<ShelfRow>('id')
  books(@Root() shelf: ShelfRow, @Ctx() ctx: Context): Promise<BookRow[]> {
    return ctx.load(booksOfShelf, shelf.id) as Promise<BookRow[]>
  }

  @FieldResolver(() => BookConnection, { description: 'Its books, page by page.' })
  @Needs<ShelfRow>('id')
  page(@Root() shelf: ShelfRow, @Args(() => PageArgs) args: PageArgs, @Ctx() ctx: Context): Promise<Page<BookRow>> {
    return loadPageOf(ctx, pageOfShelf, shelf.id, args) as Promise<Page<BookRow>>
  }

  @FieldResolver(() => String, { description: 'Its books as text, read each time.' })
  @Needs<ShelfRow>('id')
  scanned(@Root() shelf: ShelfRow, @Ctx() ctx: Context): Promise<string> {
    return read(ctx, shelf.id)
  }

  @FieldResolver(() => String, { description: 'Its books as text, computed.' })
  @Needs<ShelfRow>('id')
  computed(@Root() shelf: ShelfRow, @Ctx() ctx: Context): Promise<string> {
    return computedBooks(ctx, shelf.id)
  }

  @FieldResolver(() => String, { description: 'Who asks.' })
  @Needs<ShelfRow>('id')
  reader(@Root() _shelf: ShelfRow, @Ctx() ctx: Context): string {
    return ctx.viewer?.id ?? 'nobody'
  }
}

async function read(ctx: Context, shelf: string): Promise<string> {
  const [row] = await scan(ctx, { shelf })
  return row?.rows ?? ''
}

/** A write: by the unit of work, by a statement that says which rows it changed, or by one that does not. */
export interface Order {
  readonly how: 'unit' | 'keys' | 'blind'
  readonly id: string
  readonly from: string | null
  readonly to: string | null
  readonly value: number
  /** Changes it, and then fails. */
  readonly isRefused: boolean
}

function change(ctx: Context, { how, id, from, to, value, isRefused }: Order): Promise<void> {
  return ctx.write(async (tx) => {
    if (how === 'unit') {
      if (from === null) tx.em.create(BookTable, { id, shelf: to as string, value })
      else {
        const book = await tx.em.findOne(BookTable, { id })
        if (!book) throw new Error('There is no such book.')
        if (to === null) tx.em.remove(book)
        else tx.em.assign(book, { shelf: to, value })
      }
      await tx.em.flush()
    } else {
      const kind = from === null ? 'insert' : to === null ? 'delete' : 'update'
      const shelves = new Set([from, to].filter((shelf) => shelf !== null))
      const keys = [...shelves].map((shelfId) => ({ id, shelfId }))
      const said: Change = { table: 'books', kind, rows: 1, ...(how === 'keys' && { keys }) }
      await tx.sql(
        (query: Kysely<Tables>) => {
          if (from === null) return query.insertInto('books').values({ id, shelf_id: to as string, value } as never)
          if (to === null) return query.deleteFrom('books').where('id', '=', id)
          return query
            .updateTable('books')
            .set({ shelf_id: to, value } as never)
            .where('id', '=', id)
        },
        [said],
      )
    }
    if (isRefused) throw new Error('It is rolled back.')
  })
}

/** A noun whose every way to be read and written is taken. */
export const books: Slice = {
  name: 'books',
  entities: [ShelfTable, BookTable],
  resolvers: [BookResolver, ShelfResolver],
  nodes: [
    { type: 'Book', key: ['id'], find: (ctx, key) => ctx.load(bookById, key) },
    { type: 'Shelf', key: ['id'], find: (ctx, key) => ctx.load(shelfById, key) },
  ],
}
