import { hash } from 'node:crypto'
import type { EntitySchemaWithMeta } from '@mikro-orm/core'
import type { Row } from '../db/row.js'
import type { Values } from '../db/statement.js'
import type { Context, Loaded } from './context.js'
import { decodeCursor, encodeCursor } from './cursor.js'
import { buildCount, buildPage, countedUpTo, type Keyset, type PageDefinition, type Shape } from './keyset.js'
import { groupBy } from './loader.js'
import { type PageArguments, readWindow, type Window } from './window.js'

/** One page, and what a connection is answered from. */
export interface Page<Value extends object> {
  readonly rows: readonly Value[]
  readonly hasNextPage: boolean
  readonly hasPreviousPage: boolean
  /** The cursor of one of the rows. */
  cursor(row: Value): string
  /** Rows in all pages, counted up to {@link countedUpTo}. */
  count(): Promise<{ count: number; precision: 'EXACT' | 'AT_LEAST' }>
}

/** A page of a root connection. @throws Failure BAD_USER_INPUT for arguments or cursors that make no page. */
export async function loadPage<Table extends EntitySchemaWithMeta, Query>(
  ctx: Context,
  definition: PageDefinition<Table, Query>,
  args: PageArguments,
  filter: Values = {},
): Promise<Page<Row<Table>>> {
  const shape = createShape(ctx, definition, args, filter)
  const rows = await ctx.read<Row<Table>>({ ...read(shape), values: shape.values })
  return toPage(shape, rows, async () => {
    const [counted] = await ctx.read<{ count: number }>({ ...readCount(shape), values: shape.values })
    return counted?.count ?? 0
  })
}

/** A page of that parent; the pages of all parents asked in one tick are one statement. */
export function loadPageOf<Table extends EntitySchemaWithMeta, Query>(
  ctx: Context,
  definition: PageDefinition<Table, Query>,
  parent: string,
  args: PageArguments,
  filter: Values = {},
): Loaded<Page<Row<Table>>> {
  const { shape, identity } = findForm(ctx, definition, args, filter)
  const count = () =>
    ctx.batched(`${identity}#count`, `${definition.name}Count`, parent, async (keys) => {
      const found = await ctx.read<{ parent: string; count: number }>({
        ...readCount(shape, true),
        values: { ...shape.values, keys },
      })
      const counts = new Map(found.map((row) => [row.parent, row.count]))
      return keys.map((key) => counts.get(key) ?? 0)
    })
  const fetch = async (keys: readonly string[]) => {
    const found = await ctx.read<Row<Table>>({ ...read(shape, true), values: { ...shape.values, keys } })
    const byParent = groupBy(found, 'parent')
    return keys.map((key) => byParent.get(key) ?? [])
  }
  const { caching } = ctx
  const { cached } = definition
  if (!caching || !cached)
    return ctx.batched(identity, definition.name, parent, fetch).then((rows) => toPage(shape, rows, count))
  const source = { name: definition.name, rests: cached, definition }
  const keyOf = (key: string) => `${key}${identity}`
  const known = caching.peek<Row<Table>[]>(source, keyOf(parent))
  if (known) return toPage(shape, known.value, count)
  const load = (keys: readonly string[]) =>
    caching.load(
      source,
      keys.map((key) => ({ key: keyOf(key), by: key })),
      (missing) => fetch(missing.map((key) => key.slice(0, -identity.length))),
    )
  return ctx.batched(identity, definition.name, parent, load).then((rows) => toPage(shape, rows, count))
}

/** What is the same for the pages of all parents that are asked with the same arguments. */
interface Form {
  readonly args: PageArguments
  readonly filter: Values
  readonly shape: Shape
  /** Tells it apart from all others, in every process. */
  readonly identity: string
}

/** How many forms of a page are remembered: fields of one operation may ask for it with other arguments. */
const mostForms = 4

function findForm<Table extends EntitySchemaWithMeta, Query>(
  ctx: Context,
  definition: PageDefinition<Table, Query>,
  args: PageArguments,
  filter: Values,
): Form {
  const forms = (ctx.memory.get(definition) ?? []) as Form[]
  for (const form of forms) if (isSamePage(form.args, args) && isSame(form.filter, filter)) return form
  const shape = createShape(ctx, definition, args, filter)
  const identity = hash('sha256', JSON.stringify([definition.name, shape.variant, shape.values]), 'base64url')
  const { first, after, last, before, orderBy } = args
  const copied = { first, after, last, before, orderBy: orderBy && { ...orderBy } } as PageArguments
  const form = { args: copied, filter: { ...filter }, shape, identity }
  ctx.memory.set(definition, [form, ...forms].slice(0, mostForms))
  return form
}

function isSamePage(one: PageArguments, other: PageArguments): boolean {
  return (
    one.first === other.first &&
    one.after === other.after &&
    one.last === other.last &&
    one.before === other.before &&
    one.orderBy?.field === other.orderBy?.field &&
    one.orderBy?.direction === other.orderBy?.direction
  )
}

/** Whether they have the same names with the same plain values; lists, which may change, count as different ones. */
function isSame(one: Values, other: Values): boolean {
  const names = Object.keys(one)
  if (names.length !== Object.keys(other).length) return false
  return names.every((name) => {
    const value = one[name]
    return Object.hasOwn(other, name) && value === other[name] && (typeof value !== 'object' || value === null)
  })
}

function createShape<Table extends EntitySchemaWithMeta, Query>(
  ctx: Context,
  definition: PageDefinition<Table, Query>,
  args: PageArguments,
  filter: Values,
): Shape {
  const [field, direction] = args.orderBy
    ? ([args.orderBy.field, args.orderBy.direction] as const)
    : definition.defaultOrder
  const keyset = definition.orders[field] as unknown as Keyset<never>
  const window = readWindow(args)
  const ordering = `${definition.name}:${field}:${direction}`
  const { asked } = ctx
  const cursors =
    asked.asks(`${definition.entity.name}Edge`, 'cursor') ||
    asked.asks('PageInfo', 'startCursor') ||
    asked.asks('PageInfo', 'endCursor')
  const more = asked.asks('PageInfo', window.backward ? 'hasPreviousPage' : 'hasNextPage')
  const given = Object.entries(filter).filter(([, value]) => value !== undefined && value !== null)
  const filters = given
    .map(([name]) => name)
    .sort()
    .join()
  const bounds = cursorValues(window, ordering, keyset)
  return {
    definition: definition as never,
    window,
    keyset,
    ordering,
    descending: (direction === 'DESC') !== window.backward,
    cursors,
    has: (name) => given.some(([key]) => key === name),
    filters,
    variant: [ordering, window.backward ? 'backward' : 'forward', Object.keys(bounds).join(), filters, cursors].join(
      ';',
    ),
    values: { ...Object.fromEntries(given), ...bounds, limit: window.size + (more ? 1 : 0) },
  }
}

function cursorValues({ after, before }: Window, ordering: string, keyset: Keyset<never>): Values {
  const types = keyset.map(([, type]) => type)
  const values: Record<string, string> = {}
  for (const [argument, cursor] of [
    ['after', after],
    ['before', before],
  ] as const) {
    if (cursor === undefined) continue
    for (const [index, key] of decodeCursor(cursor, argument, ordering, types).entries()) values[argument + index] = key
  }
  return values
}

function read(shape: Shape, perParent = false) {
  const { definition, variant } = shape
  const columns = { entity: definition.entity.name, also: definition.also ?? [] }
  const isSlow = definition.slowFilters?.some(shape.has) ?? false
  const rests = perParent ? definition.cached : undefined
  return { name: definition.name, definition, variant, columns, build: buildPage(shape, perParent), isSlow, rests }
}

function readCount(shape: Shape, perParent = false) {
  const { definition, filters } = shape
  const name = `${definition.name}Count`
  return { name, definition, variant: filters, build: buildCount(shape, perParent), isSlow: true }
}

function toPage<Value extends object>(
  { window, ordering, keyset }: Shape,
  found: readonly Value[],
  count: () => Promise<number>,
): Page<Value> {
  const rows = found.slice(0, window.size)
  if (window.backward) rows.reverse()
  const more = found.length > window.size
  return {
    rows,
    hasNextPage: window.backward ? window.before !== undefined : more,
    hasPreviousPage: window.backward ? more : window.after !== undefined,
    cursor: (row) =>
      encodeCursor(
        ordering,
        keyset.map((_, index) => (row as Record<string, unknown>)[`k${index}`]),
      ),
    async count() {
      const counted = await count()
      return counted > countedUpTo
        ? { count: countedUpTo, precision: 'AT_LEAST' }
        : { count: counted, precision: 'EXACT' }
    },
  }
}
