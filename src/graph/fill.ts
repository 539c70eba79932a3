import type { EntitySchemaWithMeta } from '@mikro-orm/core'
import type { InferKyselyTable } from '@mikro-orm/postgresql'
import type { Selectable } from 'kysely'
import { type Kysely, sql } from 'kysely'
import type { Seeding } from './slice.js'

/** A table's row by column name, every column given. */
export type Filled<Table extends EntitySchemaWithMeta> = Selectable<InferKyselyTable<Table>>

/** What a table is filled with. */
export interface Filling<Table extends EntitySchemaWithMeta> {
  readonly table: Table
  /** Every column's type in the database. */
  readonly columns: Record<keyof Filled<Table>, string>
  /** How many rows there will be. */
  readonly of: number
  readonly rows: Iterable<Filled<Table>>
}

/** So many rows a statement: more are no faster, and each takes its memory. */
const chunk = 2_000

/** Making rows takes little, inserting them a core: two connections use two. */
const writers = 2

/** Inserts the rows as they are made, in chunks, each in a transaction of its own. */
export async function fill<Table extends EntitySchemaWithMeta>(
  { write, progress }: Seeding,
  { table, columns, of, rows }: Filling<Table>,
): Promise<void> {
  const name = table.meta.tableName
  const source = rows[Symbol.iterator]()
  let done = 0
  const writeChunks = async () => {
    for (let values = take(source); values.length > 0; values = take(source)) {
      await write((tx) =>
        tx.sql(
          (query: Kysely<never>) => insert(query, name, columns, values),
          [{ table: name, kind: 'insert', rows: values.length }],
        ),
      )
      done += values.length
      progress(name, done, of)
    }
  }
  await Promise.all(Array.from({ length: writers }, writeChunks))
}

/** An array a column: the text is short and the same for any number of rows, which several VALUES would not be. */
function insert<Row>(query: Kysely<never>, table: string, columns: Record<string, string>, rows: readonly Row[]) {
  const names = Object.keys(columns)
  const arrays = names.map((name) => {
    const values = rows.map((row) => row[name as keyof Row])
    return sql`${sql.val(values)}::${sql.raw(columns[name] as string)}[]`
  })
  return query
    .insertInto(table as never)
    .columns(names as never)
    .expression(sql`select * from unnest(${sql.join(arrays)})`)
}

function take<Row>(source: Iterator<Row>): Row[] {
  const rows: Row[] = []
  while (rows.length < chunk) {
    const { value, done } = source.next()
    if (done) break
    rows.push(value)
  }
  return rows
}
