import { createHash } from 'node:crypto'
import { type AliasedRawBuilder, type Compilable, type CompiledQuery, type Kysely, type RawBuilder, sql } from 'kysely'

import { tablesIn } from './tables.js'

/** Values of a statement's parameters, by name. */
export type Values = Readonly<Record<string, unknown>>

/** A compiled statement: its text is made once, a call only binds. */
export interface Statement {
  /** What facts, logs and spans call it. */
  readonly name: string
  readonly text: string
  /** What it selects of its entity. */
  readonly selection: Selection
  /** The name it is prepared under on a connection; absent where it must not take room there. */
  readonly prepared: string | undefined
  /** The tables that it reads; undefined where it reads others than the house knows, or what changes by itself. */
  readonly tables: readonly string[] | undefined
  bind(values: Values): unknown[]
  /** Known once an answer was described. */
  rows?: RowReader
}

/** Makes rows of an answer's texts. */
export interface RowReader {
  /** Tells whether a description is still the one that it was made for. */
  readonly types: string
  readonly read: (texts: readonly (string | null)[]) => Record<string, unknown>
}

/** Which columns of an entity a statement selects: `key` tells two selections apart. */
export interface Selection {
  readonly key: string
  readonly columns: readonly Column[]
}

export interface Column {
  readonly property: string
  readonly name: string
}

/** The columns of a selection under that table alias, each answering by its property's name. */
export type Select = (alias: string) => AliasedRawBuilder<unknown, never>[]

/** What a statement's text is built with: the typed query builder and the columns asked for. */
export type Build = (query: Kysely<never>, select: Select) => Compilable

/** One variant of a named statement. */
export interface Stated {
  readonly name: string
  /** What states it, the same at every call: nothing else may have its name. */
  readonly definition: object
  /** Tells texts of the same name apart; the selection is told apart by itself. */
  readonly variant: string
  readonly build: Build
}

/**
 * A named statement stays on a connection for good and costs it about 15 kB; without a name it costs the process a
 * text. How many there may be; beyond that, a statement is planned at each execution, and the longest unused text is
 * compiled again.
 */
export const bounds = { projections: 8, namesPerFamily: 48, names: 480, unnamedPerFamily: 128 }

/** The use at which a statement gets its name: what was asked once or twice would keep it from what is asked often. */
const namedAtUse = 3

/** A parameter by name, bound at each call. */
export function param<Type>(name: string): RawBuilder<Type> {
  return sql<Type>`${new Param(name)}`
}

/** `any($n)`: the batch form that one prepared text serves for any number of keys. */
export function anyOf<Type>(name: string): RawBuilder<Type> {
  return sql<Type>`any(${new Param(name)})`
}

/** A statement that is written out, for what the query builder has no words for. */
export function written<Row>(text: RawBuilder<Row>): (query: Kysely<never>) => Compilable<Row> {
  return (query) => ({ compile: () => text.compile(query) as CompiledQuery<Row> })
}

/** A statement as text, for what is sent so often that building it would show; its parameters are `$1`, `$2` and so on. */
export function plain<Row>(text: string, parameters: readonly unknown[]): () => Compilable<Row> {
  return () => ({ compile: () => ({ sql: text, parameters }) as unknown as CompiledQuery<Row> })
}

class Param {
  constructor(readonly name: string) {}
}

interface Family {
  readonly definition: object
  readonly named: Map<string, Statement>
  /** The longest unused comes first. */
  readonly unnamed: Map<string, { readonly statement: Statement; readonly uses: number }>
  readonly projections: Set<string>
}

/** The compiled statements of one database, by family (a loader, a page) and variant. */
export class Statements {
  private readonly families = new Map<string, Family>()
  private names = 0

  constructor(
    private readonly query: Kysely<never>,
    private readonly naming: boolean,
    private readonly tables: readonly string[],
  ) {}

  /**
   * The statement in that variant, compiled at its first use and named at its third. A family keeps at most
   * {@link bounds}.projections selections; a further one is served by `whole`, the selection of every column.
   * @throws Error where another definition has its name.
   */
  get({ name, definition, variant, build }: Stated, selection: Selection, whole: Selection): Statement {
    const family = this.family(name, definition)
    const chosen = bounded(family, selection, whole)
    const id = `${variant}|${chosen.key}`
    const named = family.named.get(id)
    if (named) return named
    const { statement, uses } = family.unnamed.get(id) ?? {
      statement: this.compile(name, build, chosen),
      uses: 0,
    }
    family.unnamed.delete(id)
    if (uses + 1 >= namedAtUse && this.mayName(family)) return this.name(family, id, statement)
    family.unnamed.set(id, { statement, uses: uses + 1 })
    dropOldest(family)
    return statement
  }

  private family(name: string, definition: object): Family {
    let family = this.families.get(name)
    if (!family) {
      family = { definition, named: new Map(), unnamed: new Map(), projections: new Set() }
      this.families.set(name, family)
    }
    // One would be answered with the rows of the other.
    if (family.definition !== definition)
      throw new Error(`Two statements have the name "${name}": give one of these queries, loaders or pages another.`)
    return family
  }

  private compile(name: string, build: Build, selection: Selection): Statement {
    const { sql: text, parameters } = build(this.query, (alias) => select(alias, selection)).compile()
    const tables = tablesIn(text, this.tables)
    return { name, text, selection, tables, prepared: undefined, bind: binder(parameters) }
  }

  private mayName({ named }: Family): boolean {
    return this.naming && named.size < bounds.namesPerFamily && this.names < bounds.names
  }

  private name({ named }: Family, id: string, statement: Statement): Statement {
    // The text's hash keeps two processes behind one pooler from giving one name to two texts.
    const hash = createHash('sha256').update(statement.text).digest('hex').slice(0, 16)
    const prepared = { ...statement, prepared: `${statement.name.slice(0, 40)}_${hash}` }
    named.set(id, prepared)
    this.names++
    return prepared
  }
}

function bounded(family: Family, selection: Selection, whole: Selection): Selection {
  if (family.projections.has(selection.key)) return selection
  if (family.projections.size >= bounds.projections) return whole
  family.projections.add(selection.key)
  return selection
}

function dropOldest({ unnamed }: Family): void {
  const [oldest] = unnamed.keys()
  if (unnamed.size > bounds.unnamedPerFamily && oldest !== undefined) unnamed.delete(oldest)
}

function select(alias: string, selection: Selection): AliasedRawBuilder<unknown, never>[] {
  return selection.columns.map(
    ({ property, name }) => sql.ref(`${alias}.${name}`).as(property) as AliasedRawBuilder<unknown, never>,
  )
}

function binder(parameters: readonly unknown[]): (values: Values) => unknown[] {
  return (values) => parameters.map((parameter) => (parameter instanceof Param ? values[parameter.name] : parameter))
}
