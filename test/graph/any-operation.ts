import fc, { type GeneratorValue } from 'fast-check'
import {
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isUnionType,
} from 'graphql'

export interface AnyOperation {
  readonly document: string
  readonly variables: Record<string, unknown>
}

/** Values of a scalar as GraphQL writes them and as JSON gives them; the last of each is one that it refuses. */
const scalars: Record<string, readonly unknown[]> = {
  Int: [0, 1, 7, -5, 2 ** 40],
  Float: [0.5, 1, 'x'],
  String: ['', 'text', '"quoted" \u2028 line', 5],
  Boolean: [true, false, 'yes'],
  ID: ['id', 5, true],
}

/**
 * Operations of a schema, most of them valid: aliases, fragments of both kinds, directives, arguments, variables.
 * `others` are the values of further scalars, as above; fields called as in `without` are left out.
 */
export function anyOperation(schema: GraphQLSchema, others: typeof scalars, without: readonly string[] = []) {
  return fc.gen().map((draw) => new Writer(schema, { ...scalars, ...others }, without, draw).write())
}

class Writer {
  private readonly definitions: string[] = []
  private readonly variables: Record<string, unknown> = {}
  private readonly fragments: string[] = []
  private count = 0

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly values: Record<string, readonly unknown[]>,
    private readonly without: readonly string[],
    private readonly draw: GeneratorValue,
  ) {}

  write(): AnyOperation {
    const selection = this.selectionOf(this.schema.getQueryType() as GraphQLCompositeType, 4)
    const definitions = this.definitions.length > 0 ? `(${this.definitions.join(', ')})` : ''
    return {
      document: [`query Any${definitions} ${selection}`, ...this.fragments].join('\n'),
      variables: this.variables,
    }
  }

  private selectionOf(type: GraphQLCompositeType, depth: number): string {
    const parts = Array.from({ length: this.number(1, depth > 2 ? 4 : 6) }, () => this.part(type, depth))
    return `{ ${parts.join(' ')} }`
  }

  private part(type: GraphQLCompositeType, depth: number): string {
    const kind = this.number(0, 9)
    if (depth > 1 && kind < 2) return this.fragment(type, depth)
    if (kind === 2 || isUnionType(type)) return `${this.alias('__typename')}${this.directives()}`
    return this.field(type, depth)
  }

  private fragment(type: GraphQLCompositeType, depth: number): string {
    const inside = isAbstractType(type) ? this.pick(this.schema.getPossibleTypes(type)) : type
    const selection = this.selectionOf(inside, depth - 1)
    const condition = isAbstractType(type) || this.number(0, 1) ? ` on ${inside.name}` : ''
    if (this.number(0, 1)) return `...${condition}${this.directives()} ${selection}`
    const name = `F${this.count++}`
    this.fragments.push(`fragment ${name} on ${inside.name} ${selection}`)
    return `...${name}${this.directives()} ${this.number(0, 3) ? '' : `...${name}`}`
  }

  private field(type: GraphQLCompositeType, depth: number): string {
    const all = isUnionType(type) ? [] : Object.values(type.getFields())
    const fields = all.filter(({ name }) => !this.without.includes(name))
    const fitting = fields.filter((field) => depth > 1 || !isCompositeType(getNamedType(field.type)))
    if (fitting.length === 0) return '__typename'
    const field = this.pick(fitting)
    const inner = getNamedType(field.type)
    const args = field.args.flatMap((arg) => this.argument(arg))
    const name = args.length > 0 || this.number(0, 3) === 0 ? this.alias(field.name) : field.name
    const given = args.length > 0 ? `(${args.join(', ')})` : ''
    return `${name}${given}${this.directives()}${isCompositeType(inner) ? ` ${this.selectionOf(inner, depth - 1)}` : ''}`
  }

  private argument(arg: GraphQLArgument): string[] {
    const needed = isNonNullType(arg.type) && arg.defaultValue === undefined
    if (!needed && this.number(0, 1)) return []
    return [`${arg.name}: ${this.number(0, 1) ? this.variable(arg.type) : this.literal(arg.type, 3)}`]
  }

  private variable(type: GraphQLInputType): string {
    const name = `v${this.count++}`
    const fallback = !isNonNullType(type) && this.number(0, 2) === 0 ? ` = ${this.literal(type, 2, true)}` : ''
    this.definitions.push(`$${name}: ${type}${fallback}`)
    if (isNonNullType(type) || this.number(0, 3)) this.variables[name] = this.value(type, 3)
    return `$${name}`
  }

  private literal(type: GraphQLInputType, depth: number, isConstant = false): string {
    if (isNonNullType(type)) return this.literal(type.ofType, depth, isConstant)
    if (!isConstant && depth < 3 && this.number(0, 5) === 0) return this.variable(type)
    if (isListType(type)) {
      const items = Array.from({ length: this.number(0, 2) }, () => this.literal(type.ofType, depth - 1, isConstant))
      return `[${items.join(', ')}]`
    }
    if (isEnumType(type)) return this.pick(type.getValues()).name
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter(
        (field) => isNonNullType(field.type) || (depth > 0 && this.number(0, 1)),
      )
      return `{ ${fields.map((field) => `${field.name}: ${this.literal(field.type, depth - 1, isConstant)}`).join(', ')} }`
    }
    return JSON.stringify(this.pick((this.values[type.name] ?? ['x', 'wrong']).slice(0, -1)))
  }

  private value(type: GraphQLInputType, depth: number): unknown {
    if (isNonNullType(type)) return this.number(0, 60) ? this.value(type.ofType, depth) : null
    if (this.number(0, 9) === 0) return null
    if (isListType(type)) return Array.from({ length: this.number(0, 2) }, () => this.value(type.ofType, depth - 1))
    if (isEnumType(type)) return this.number(0, 60) ? this.pick(type.getValues()).name : 'NO_SUCH'
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter(
        (field) => isNonNullType(field.type) || (depth > 0 && this.number(0, 1)),
      )
      return Object.fromEntries(fields.map((field) => [field.name, this.value(field.type, depth - 1)]))
    }
    const values = this.values[type.name] ?? ['x', 'wrong']
    return this.number(0, 60) ? this.pick(values.slice(0, -1)) : values.at(-1)
  }

  private directives(): string {
    const kind = this.number(0, 11)
    if (kind > 2) return ''
    const name = this.pick(['skip', 'include'])
    if (kind === 0) return ` @${name}(if: ${this.number(0, 1) === 0})`
    const variable = `c${this.count++}`
    this.definitions.push(kind === 1 ? `$${variable}: Boolean!` : `$${variable}: Boolean = true`)
    const value = this.number(0, 60)
    if (kind === 1 || value < 40) this.variables[variable] = value === 0 ? null : value % 2 === 0
    return ` @${name}(if: $${variable})`
  }

  private alias(name: string): string {
    return `${this.number(0, 30) ? `alias${this.count++}` : '__proto__'}: ${name}`
  }

  private number(min: number, max: number): number {
    return this.draw(fc.integer, { min, max })
  }

  private pick<Value>(values: readonly Value[]): Value {
    return values[this.number(0, values.length - 1)] as Value
  }
}
