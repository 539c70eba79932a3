import { createHash } from 'node:crypto'
import { type AliasedRawBuilder, type Compilable, type Kysely, type RawBuilder, sql } from 'kysely'

/** Values of a statement's parameters, by name. */
export type Values = Readonly<Record<string, unknown>>

/** A compiled statement: its text is made once, a call only binds. */
export interface Statement {
  /** What facts, logs and spans call it. */
  readonly name: string
  readonly text: string
  /** The name it is prepared under on a connection; absent where it must not take room there. */
  readonly prepared: string | undefined
  bind(values: Values): unknown[]
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

/** Named statements stay on a connection for good and cost it memory (2,000 of them 43 MB): these bound them. */
export const bounds = { projections: 8, namesPerFamily: 48, names: 480 }

/** A parameter by name, bound at each call. */
export function param<Type>(name: string): RawBuilder<Type> {
  return sql<Type>`${new Param(name)}`
}

/** `any($n)`: the batch form that one prepared text serves for any number of keys. */
export function anyOf<Type>(name: string): RawBuilder<Type> {
  return sql<Type>`any(${new Param(name)})`
}

class Param {
  constructor(readonly name: string) {}
}

interface Family {
  readonly statements: Map<string, Statement>
  readonly projections: Set<string>
  names: number
}

/** The compiled statements of one database, by family (a loader, a page) and variant. */
export class Statements {
  private readonly families = new Map<string, Family>()
  private names = 0

  constructor(
    private readonly query: Kysely<never>,
    private readonly naming: boolean,
  ) {}

  /**
   * The statement of that family in that variant, compiled at its first use. A family keeps at most
   * {@link bounds}.projections selections; a further one is served by `whole`, the selection of every column.
   */
  get(familyName: string, variant: string, selection: Selection, whole: Selection, build: Build): Statement {
    const family = this.family(familyName)
    const chosen = this.bounded(family, selection, whole)
    const id = `${variant}|${chosen.key}`
    let statement = family.statements.get(id)
    if (!statement) {
      statement = this.compile(familyName, family, build, chosen)
      family.statements.set(id, statement)
    }
    return statement
  }

  private family(name: string): Family {
    let family = this.families.get(name)
    if (!family) {
      family = { statements: new Map(), projections: new Set(), names: 0 }
      this.families.set(name, family)
    }
    return family
  }

  private bounded(family: Family, selection: Selection, whole: Selection): Selection {
    if (family.projections.has(selection.key)) return selection
    if (family.projections.size >= bounds.projections) return whole
    family.projections.add(selection.key)
    return selection
  }

  private compile(name: string, family: Family, build: Build, selection: Selection): Statement {
    const { sql: text, parameters } = build(this.query, (alias) => select(alias, selection)).compile()
    return { name, text, prepared: this.prepared(name, family, text), bind: binder(parameters) }
  }

  private prepared(name: string, family: Family, text: string): string | undefined {
    if (!this.naming || family.names >= bounds.namesPerFamily || this.names >= bounds.names) return undefined
    family.names++
    this.names++
    // The text's hash keeps two processes behind one pooler from giving one name to two texts.
    return `${name.slice(0, 40)}_${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
  }
}

function select(alias: string, selection: Selection): AliasedRawBuilder<unknown, never>[] {
  return selection.columns.map(
    ({ property, name }) => sql.ref(`${alias}.${name}`).as(property) as AliasedRawBuilder<unknown, never>,
  )
}

function binder(parameters: readonly unknown[]): (values: Values) => unknown[] {
  return (values) => parameters.map((parameter) => (parameter instanceof Param ? values[parameter.name] : parameter))
}
