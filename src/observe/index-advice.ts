import { type SortKey, sortKeyOf, type Term, termsOf } from './condition.js'
import type { PlanNode } from './plan-steps.js'

/** In what order the rows are wanted. */
export interface Order {
  /** The plan's sort keys. */
  readonly keys?: readonly string[]
  /** Whether an index without that order is of no use. */
  readonly isNeeded?: boolean
  /** The index whose order it is, where there are no keys: a plan does not tell the columns of an index. */
  readonly index?: string | undefined
}

/**
 * The `CREATE INDEX` that serves a plan's conditions on a table, in words where its columns are not all known: columns
 * that equal a value first, then the order, or one column that is above or below a value; `active` and
 * `deleted_at IS NULL` make it partial. Undefined where none follows safely.
 */
export function adviseIndex(
  table: PlanNode,
  conditions: readonly (string | undefined)[],
  { keys = [], isNeeded = false, index }: Order = {},
): string | undefined {
  const { 'Relation Name': name, Schema: schema, Alias: alias = '' } = table
  const terms = conditions.map((condition) => (condition === undefined ? [] : termsOf(condition, alias)))
  const sort = keys.map((key) => sortKeyOf(key, alias))
  if (!name || !terms.every((term) => term !== undefined) || !sort.every((key) => key !== undefined)) return undefined
  const all = terms.flat()
  const predicates = new Set(keysOf(all, 'where').flat())
  const where = predicates.size > 0 ? ` WHERE ${[...predicates].join(' AND ')}` : ''
  if (index) {
    const columns = keysOf(all, 'equal').flat()
    const order = [...columns, `the columns of ${index}`].join(', then ')
    return columns.length > 0 || where ? `Create an index on ${order}${where}.` : undefined
  }
  const columns = columnsOf(all, sort, isNeeded)
  const target = [schema, name].flatMap((part) => (part ? [`"${part.replaceAll('"', '""')}"`] : [])).join('.')
  return columns.length > 0 ? `CREATE INDEX CONCURRENTLY ON ${target} (${columns.join(', ')})${where}` : undefined
}

function columnsOf(terms: readonly Term[], order: readonly SortKey[], isNeeded: boolean): string[] {
  const [equal, any, ranges] = [keysOf(terms, 'equal').flat(), keysOf(terms, 'any').flat(), keysOf(terms, 'range')]
  const sort = order.filter(({ key }) => !equal.includes(key))
  const range = ranges.find(([key]) => key === sort[0]?.key) ?? ranges[0]
  // The rows of several values, or of a range of another column, lie in the index in an order of their own.
  const isOrdered = sort.length > 0 && any.length === 0 && (!range || range[0] === sort[0]?.key)
  if (isNeeded && !isOrdered) return []
  return [...new Set([...equal, ...any, ...(isOrdered ? sort.map(({ text }) => text) : (range ?? []))])]
}

function keysOf(terms: readonly Term[], kind: Term['kind']): (readonly string[])[] {
  return terms.filter((term) => term.kind === kind).map(({ keys }) => keys)
}
