import {
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  getOperationAST,
  isAbstractType,
  isCompositeType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql'
import { Extensions } from 'type-graphql'
import type { Column, Selection } from '../db/statement.js'

/** Names the columns that a computed field reads from its row. */
export function Needs<Row extends object>(...properties: (keyof Row & string)[]): MethodDecorator & PropertyDecorator {
  return Extensions({ needs: properties }) as MethodDecorator & PropertyDecorator
}

/** What one operation asks for, taken once per document. */
export interface Projection {
  /** True where the operation selects that field of that type anywhere. */
  asks(type: string, field: string): boolean
  /** The columns of a type that the operation reads, and `also` beside them. */
  selection(type: string, also: readonly string[]): Selection
}

/** Where a type's columns are found: an entity's, by the name it shares with its GraphQL type. */
export type Columns = (type: string) => Selection

/** Answers the projection of an operation, remembered as long as the document is. */
export type Projector = (document: DocumentNode, operationName: string | undefined) => Projection

/** Makes the projector of a schema. */
export function createProjector(schema: GraphQLSchema, columns: Columns): Projector {
  const documents = new WeakMap<DocumentNode, Map<string | undefined, Projection>>()
  return (document, operationName) => {
    const operations = documents.get(document) ?? new Map<string | undefined, Projection>()
    documents.set(document, operations)
    const known = operations.get(operationName)
    if (known) return known
    const projection = createProjection(schema, columns, collect(schema, document, operationName))
    operations.set(operationName, projection)
    return projection
  }
}

/** The columns behind a field: those it names by {@link Needs}, else the one it is called after. */
export function columnsOfField(type: GraphQLObjectType, field: string): readonly string[] {
  const needs = type.getFields()[field]?.extensions.needs
  return Array.isArray(needs) ? needs : [field]
}

type Asked = Map<string, Set<string>>

function createProjection(schema: GraphQLSchema, columns: Columns, asked: Asked): Projection {
  const selections = new Map<string, Selection>()
  return {
    asks: (type, field) => asked.get(type)?.has(field) ?? false,
    selection(type, also) {
      const key = also.length === 0 ? type : `${type}+${also.join()}`
      const known = selections.get(key)
      if (known) return known
      const object = schema.getType(type) as GraphQLObjectType
      const names = new Set([...(asked.get(type) ?? [])].flatMap((field) => columnsOfField(object, field)).concat(also))
      const selection = pick(columns(type).columns, names)
      selections.set(key, selection)
      return selection
    },
  }
}

function pick(all: readonly Column[], names: ReadonlySet<string>): Selection {
  const columns = all.filter(({ property }) => names.has(property))
  return { key: columns.map(({ property }) => property).join(), columns }
}

function collect(schema: GraphQLSchema, document: DocumentNode, operationName: string | undefined): Asked {
  const asked: Asked = new Map()
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
  const seen = new Set<string>()

  function visit({ selections }: SelectionSetNode, parent: GraphQLNamedType | undefined): void {
    if (!parent || !isCompositeType(parent)) return
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        visitField(selection.name.value, selection.selectionSet, parent)
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        const condition = selection.typeCondition
        visit(selection.selectionSet, condition ? schema.getType(condition.name.value) : parent)
      } else if (!seen.has(selection.name.value)) {
        seen.add(selection.name.value)
        const fragment = fragments.get(selection.name.value)
        if (fragment) visit(fragment.selectionSet, schema.getType(fragment.typeCondition.name.value))
      }
    }
  }

  function visitField(name: string, selectionSet: SelectionSetNode | undefined, parent: GraphQLCompositeType): void {
    const field = 'getFields' in parent ? parent.getFields()[name] : undefined
    if (!field) return
    for (const type of isAbstractType(parent) ? schema.getPossibleTypes(parent) : [parent]) {
      if (!isObjectType(type)) continue
      const fields = asked.get(type.name) ?? new Set()
      asked.set(type.name, fields.add(name))
    }
    if (selectionSet) visit(selectionSet, getNamedType(field.type))
  }

  const operation = getOperationAST(document, operationName)
  if (operation) visit(operation.selectionSet, schema.getRootType(operation.operation) ?? undefined)
  return asked
}
