import { type EntitySchemaWithMeta, p } from '@mikro-orm/core'
import type { InferKyselyTable } from '@mikro-orm/postgresql'
import type { Selectable } from 'kysely'

/** A row as reads hand it up: the table's columns by property name, a relation as its key (`authorId`). */
export type Row<Table extends EntitySchemaWithMeta> = {
  [Column in keyof InferKyselyTable<Table> as CamelCase<Column & string>]: Selectable<InferKyselyTable<Table>>[Column]
}

type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name

/** A `timestamptz` column, as the database's own text: exact to the microsecond, no Date is made of it. */
export const timestamp = () => p.string().columnType('timestamptz(6)').runtimeType('string')
