import type { Change } from '../core/events.js'
import { everything, rowsTag } from './tag.js'

/** What a table's rows are known by: its keys, primary and foreign, each by every name it has in a change. */
export type Keys = (table: string) => ReadonlyMap<string, string> | undefined

/** With more than so many tags a change is one of everything: their names would cost more than what they save. */
const mostTags = 500

/** The tags that these changes touch: their tables, and the rows by each of their keys, old and new. */
export function tagsOf(changes: readonly Change[], keysOf: Keys): string[] {
  const tags = new Set<string>()
  for (const { table, rows, keys } of changes) {
    if (rows === 0) continue
    const known = keysOf(table)
    if (!keys?.length || !known) return [everything]
    tags.add(table)
    const properties = new Set(known.values())
    for (const row of keys) {
      const told = new Set(Object.keys(row).map((name) => known.get(name)))
      // By what is not told some list may have its rows.
      if (![...properties].every((property) => told.has(property))) return [everything]
      for (const [name, value] of Object.entries(row)) {
        const property = known.get(name)
        if (property && isKey(value)) tags.add(rowsTag(table, property, String(value)))
      }
      if (tags.size > mostTags) return [everything]
    }
  }
  return [...tags]
}

function isKey(value: unknown): value is string | number | bigint {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
}
