import type { EntitySchemaWithMeta } from '@mikro-orm/core'
import type { Compilable, Kysely } from 'kysely'
import type { Row } from '../db/row.js'
import type { Select, Values } from '../db/statement.js'
import type { Context, Loader } from './context.js'

export interface LoaderDefinition<Table extends EntitySchemaWithMeta, Query> {
  /** A sentence: `userById`, `tagsOfPost`. */
  readonly name: string
  /** The entity whose columns the rows carry: those that the operation asks for. */
  readonly entity: Table
  /**
   * The property by which a row finds its key: a column of the entity, or one that the statement adds. Several, where
   * the key is their values joined by `:`.
   */
  readonly key: string | readonly string[]
  /** Columns that are read whether the operation asks for them or not, such as those that decide visibility. */
  readonly also?: readonly (keyof Row<Table> & string)[]
  /** The statement's parameters for these keys; `{ keys }` when not given. */
  readonly values?: (keys: readonly string[]) => Values
  /**
   * Has its values kept beyond the request, whole rows, until what they rest on changes: tables (`tags`), or rows by the
   * loader's key (`comments.postId`, a primary or foreign key). Another key of its own table is refused.
   */
  readonly cached?: readonly string[]
  readonly statement: (query: Kysely<Query>, select: Select) => Compilable
}

/** A loader of one row per key; null where there is none. */
export function defineLoader<Table extends EntitySchemaWithMeta, Query>(
  definition: LoaderDefinition<Table, Query>,
): Loader<Row<Table> | null> {
  return createLoader(definition, async (ctx, keys) => {
    const rows = await fetch(definition, ctx, keys)
    const byKey = new Map<unknown, Record<string, unknown>>()
    for (const row of rows) byKey.set(keyOf(row, definition.key), row)
    return keys.map((key) => (byKey.get(key) as Row<Table> | undefined) ?? null)
  })
}

/** A loader of all rows of a key, in the statement's order; empty where there are none. */
export function defineListLoader<Table extends EntitySchemaWithMeta, Query>(
  definition: LoaderDefinition<Table, Query>,
): Loader<Row<Table>[]> {
  return createLoader(definition, async (ctx, keys) => {
    const byKey = groupBy((await fetch(definition, ctx, keys)) as Row<Table>[], definition.key)
    return keys.map((key) => byKey.get(key) ?? [])
  })
}

/** Rows by the value of one property (of several, joined by `:`), each group in the rows' order. */
export function groupBy<Value extends object>(
  rows: readonly Value[],
  property: string | readonly string[],
): Map<unknown, Value[]> {
  const groups = new Map<unknown, Value[]>()
  for (const row of rows) {
    const key = keyOf(row, property)
    const group = groups.get(key)
    if (group) group.push(row)
    else groups.set(key, [row])
  }
  return groups
}

function createLoader<Table extends EntitySchemaWithMeta, Query, Value>(
  definition: LoaderDefinition<Table, Query>,
  batch: Loader<Value>['batch'],
): Loader<Value> {
  const { name, cached } = definition
  if (!cached) return { name, batch }
  checkRests(definition)
  const source = { name, rests: cached, definition }
  return {
    name,
    source,
    batch(ctx, keys) {
      if (!ctx.caching) return batch(ctx, keys)
      const wanted = keys.map((key) => ({ key, by: key }))
      return ctx.caching.load(source, wanted, (missing) => batch(ctx, missing))
    },
  }
}

/** Rows change by the values of their own keys: what is asked by others is never told. */
function checkRests<Table extends EntitySchemaWithMeta, Query>(definition: LoaderDefinition<Table, Query>): void {
  const { name, entity, key, cached = [] } = definition
  for (const rest of cached) {
    const [table, property] = rest.split('.')
    if (!property || property === key || (typeof key === 'string' && table !== entity.meta.tableName)) continue
    throw new Error(`${name} rests on "${rest}", but is asked by ${[key].flat().join(' and ')}: name the table.`)
  }
}

function keyOf(row: object, property: string | readonly string[]): unknown {
  const values = row as Record<string, unknown>
  return typeof property === 'string' ? values[property] : property.map((name) => values[name]).join(':')
}

function fetch<Table extends EntitySchemaWithMeta, Query>(
  definition: LoaderDefinition<Table, Query>,
  ctx: Context,
  keys: readonly string[],
): Promise<Record<string, unknown>[]> {
  const { name, entity, key, also = [], values, cached } = definition
  return ctx.read({
    name,
    definition,
    variant: '',
    columns: { entity: entity.name, also: [key, ...also].flat() },
    build: definition.statement as never,
    values: values ? values(keys) : { keys },
    rests: cached,
  })
}
