import type { ClientBase, Connection, FieldDef, Submittable } from 'pg'
import type { RowReader, Statement } from './statement.js'

export type Rows = Record<string, unknown>[]

/** A statement and the values of its parameters, as the driver writes them. */
export interface Bound {
  readonly statement: Statement
  readonly values: readonly unknown[]
}

type Done = (error: Error | undefined, rows: Rows) => void

/**
 * One run of a statement on a connection, in place of the driver's own query: a statement that the connection has
 * prepared is not described again, and its rows are made by a function compiled for it (a row of 10 columns takes
 * 20 ns, against 150). The methods are those that the driver calls.
 */
export class StatementQuery implements Submittable {
  readonly name: string
  readonly text: string
  readonly values: readonly unknown[]
  private readonly rows: Rows = []
  private reader: RowReader | undefined

  constructor(
    private readonly client: ClientBase,
    private readonly bound: Bound,
    private readonly done: Done,
  ) {
    this.name = bound.statement.prepared ?? ''
    this.text = bound.statement.text
    this.values = bound.values
  }

  submit(connection: Connection): void {
    const { name, text, values } = this
    const wire = connection as unknown as Wire
    const isPrepared = name !== '' && (wire.parsedStatements[name] ?? wire.submittedNamedStatements[name])
    wire.stream.cork()
    if (!isPrepared) {
      wire.parse({ name, text, types: [] })
      if (name !== '') wire.submittedNamedStatements[name] = text
    }
    wire.bind({ portal: '', statement: name, values })
    if (!isPrepared || !this.bound.statement.rows) wire.describe({ type: 'P', name: '' })
    wire.execute({ portal: '', rows: 0 })
    wire.sync()
    wire.stream.uncork()
  }

  handleRowDescription({ fields }: { fields: FieldDef[] }): void {
    const types = fields.map(({ name, dataTypeID }) => `${name} ${dataTypeID}`).join()
    const { statement } = this.bound
    if (statement.rows?.types !== types) statement.rows = { types, read: compileReader(fields, this.client) }
  }

  handleDataRow({ fields }: { fields: (string | null)[] }): void {
    this.reader ??= this.bound.statement.rows as RowReader
    this.rows.push(this.reader.read(fields))
  }

  handleCommandComplete(): void {}

  handleError(error: Error): void {
    this.done(error, this.rows)
  }

  handleReadyForQuery(): void {
    this.done(undefined, this.rows)
  }
}

/** The driver's connection, with what it does not declare. */
interface Wire {
  readonly stream: { cork(): void; uncork(): void }
  readonly parsedStatements: Record<string, string>
  readonly submittedNamedStatements: Record<string, string>
  parse(message: { name: string; text: string; types: number[] }): void
  bind(message: { portal: string; statement: string; values: readonly unknown[] }): void
  describe(message: { type: 'P'; name: string }): void
  execute(message: { portal: string; rows: number }): void
  sync(): void
}

/** One expression that makes the whole object: it has its shape from the start. */
function compileReader(fields: readonly FieldDef[], client: ClientBase): RowReader['read'] {
  const parsers = fields.map(({ dataTypeID }) => client.getTypeParser(dataTypeID, 'text'))
  const properties = fields.map(
    ({ name }, index) => `${JSON.stringify(name)}: t[${index}] === null ? null : p[${index}](t[${index}])`,
  )
  return new Function('p', `return (t) => ({ ${properties.join(', ')} })`)(parsers) as RowReader['read']
}
