import { fact } from '../core/events.js'
import type { Statement } from '../db/statement.js'

/** The entity whose asked columns are selected, and those selected in any case. */
export interface Columns {
  readonly entity: string
  readonly also: readonly string[]
}

const unasked = fact('columns.unasked')

/**
 * Tells of columns that rows carry and that were not selected by `select`, but for keys, which loaders and pages add to
 * their rows.
 */
export async function checkColumns<Row>(
  reading: Promise<Row[]>,
  { name: statement, selection }: Statement,
  { entity, also }: Columns,
): Promise<Row[]> {
  const rows = await reading
  const selected = selection.columns.map(({ property }) => property)
  const columns = Object.keys(rows[0] ?? {}).filter(
    (name) => !selected.includes(name) && !also.includes(name) && !/^(parent|k\d+)$/.test(name),
  )
  if (columns.length > 0) unasked.publish({ statement, entity, columns })
  return rows
}
