import type { EntitySchemaWithMeta } from '@mikro-orm/core'
import { type Kysely, type RawBuilder, type SelectQueryBuilder, type StringReference, sql } from 'kysely'
import type { Row } from '../db/row.js'
import { type Build, param, type Values } from '../db/statement.js'
import type { KeyType } from './cursor.js'
import type { Window } from './window.js'

/** A keyset: expressions that are never null, the last one unique; with the type their cursor text has. */
export type Keyset<Query> = readonly (readonly [StringReference<Query, keyof Query> | RawBuilder<unknown>, KeyType])[]

/** What a page's `from` may depend on: which filters are given, and the parent's key where the page has a parent. */
export interface Scope {
  has(filter: string): boolean
  readonly parent: RawBuilder<string>
}

export interface PageDefinition<Table extends EntitySchemaWithMeta, Query> {
  /** A sentence, like a loader's: `posts`, `commentsOfPost`. */
  readonly name: string
  readonly entity: Table
  /** The entity's table or its alias in `from`. */
  readonly alias: string
  /** Columns that are read whether the operation asks for them or not. */
  readonly also?: readonly (keyof Row<Table> & string)[]
  /** Tables, joins and conditions; the filters' values are parameters of their names. */
  // biome-ignore lint/suspicious/noExplicitAny: which tables are joined is the definition's own business
  readonly from: (query: Kysely<Query>, scope: Scope) => SelectQueryBuilder<any, any, object>
  /** Every offered order by name, all keys in the same direction. */
  readonly orders: Readonly<Record<string, Keyset<Query>>>
  readonly defaultOrder: readonly [order: string, direction: 'ASC' | 'DESC']
  /**
   * Has pages under a parent kept beyond the request, until what they rest on changes: tables (`posts`), or rows by the
   * parent's key (`comments.postId`, a primary or foreign key).
   */
  readonly cached?: readonly string[]
  /** Filters whose pages may take long, such as a search: others do not wait behind them. */
  readonly slowFilters?: readonly string[]
}

/** States a page once; it serves a root connection (`loadPage`) or one under each parent (`loadPageOf`). */
export function definePage<Table extends EntitySchemaWithMeta, Query>(
  definition: PageDefinition<Table, Query>,
): PageDefinition<Table, Query> {
  return definition
}

/** Everything that a page's statement depends on, from its arguments and from what the operation asks. */
export interface Shape {
  readonly definition: PageDefinition<EntitySchemaWithMeta, never>
  readonly window: Window
  readonly keyset: Keyset<never>
  readonly ordering: string
  readonly descending: boolean
  /** Whether rows carry their keys, for cursors. */
  readonly cursors: boolean
  readonly has: (filter: string) => boolean
  readonly filters: string
  readonly variant: string
  readonly values: Values
}

/** Counting stops here: above it a count is a lower bound. */
export const countedUpTo = 10_000

/** The statement of a page; `perParent`, of the pages of all parents in `keys`, each row with its `parent`. */
export function buildPage(shape: Shape, perParent: boolean): Build {
  const { definition, window, keyset, descending, cursors } = shape
  return (query, select) => {
    let page = scoped(query, shape, perParent).select(select(definition.alias))
    const columns = keyset.map(([expression]) => reference(expression))
    if (cursors) page = page.select(columns.map((column, index) => column.as(`k${index}`)))
    // Forwards and backwards differ in which side of the cursors the order's direction puts the rows.
    const ascending = descending === window.backward
    if (window.after !== undefined) page = page.where(beyond(keyset, 'after', ascending ? '>' : '<'))
    if (window.before !== undefined) page = page.where(beyond(keyset, 'before', ascending ? '<' : '>'))
    for (const column of columns) page = page.orderBy(column, descending ? 'desc' : 'asc')
    page = page.limit(param<number>('limit'))
    return perParent ? ofParents(query, page) : page
  }
}

/** The statement that counts a page's rows, to one above {@link countedUpTo}. */
export function buildCount(shape: Shape, perParent: boolean): Build {
  return (query) => {
    const counted = scoped(query, shape, perParent)
      .select(sql`1`.as('one'))
      .limit(sql.lit(countedUpTo + 1))
    const count = sql`select count(*)::int as count from (${counted}) as counted`
    return perParent ? ofParents(query, count) : { compile: () => count.compile(query) }
  }
}

function scoped(query: Kysely<never>, { definition, has }: Shape, perParent: boolean) {
  const parent = perParent ? sql<string>`parent.key` : param<string>('parent')
  return definition.from(query, { has, parent })
}

function ofParents(query: Kysely<never>, page: Parameters<typeof sql>[1] | object) {
  const keys = param<string[]>('keys')
  const pages = sql`select parent.key as parent, page.* from unnest(${keys}::uuid[]) as parent(key) cross join lateral (${page}) as page`
  return { compile: () => pages.compile(query) }
}

/** A row comparison, which an index on the keys answers as one range; an OR of comparisons would read all before it. */
function beyond(keyset: Keyset<never>, argument: 'after' | 'before', operator: '<' | '>') {
  const columns = keyset.map(([expression]) => reference(expression))
  const keys = keyset.map(([, type], index) => sql`${param(argument + index)}::${sql.raw(type)}`)
  return sql<boolean>`(${sql.join(columns)}) ${sql.raw(operator)} (${sql.join(keys)})`
}

function reference(expression: string | RawBuilder<unknown>): RawBuilder<unknown> {
  return typeof expression === 'string' ? sql.ref(expression) : expression
}
