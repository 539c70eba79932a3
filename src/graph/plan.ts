import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLAbstractType,
  GraphQLBoolean,
  type GraphQLField,
  GraphQLFloat,
  GraphQLID,
  GraphQLInt,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  GraphQLString,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
} from 'graphql'
import { collectFields, collectSubfields } from 'graphql/execution/collectFields.js'

export type Variables = Readonly<Record<string, unknown>>

/** One operation of one document, under one outcome of its conditions. */
export interface Plan {
  readonly schema: GraphQLSchema
  readonly operation: OperationDefinitionNode
  readonly fragments: Record<string, FragmentDefinitionNode>
  readonly roots: readonly FieldPlan[]
}

/** A field of a selection, everything that is the same at each of its executions looked up. */
export interface FieldPlan {
  /** The name in the answer. */
  readonly name: string
  readonly nodes: readonly FieldNode[]
  readonly parent: GraphQLObjectType
  readonly definition: GraphQLField<unknown, unknown>
  readonly shape: Shape
  /** What the field answers whatever its object is: `__typename`. */
  readonly constant: string | undefined
  /** Whether the resolver declares that it takes `info`, its fourth argument; one of no arguments may still do so. */
  readonly informed: boolean
}

/** What a value becomes, per level of its type. */
export type Shape = LeafShape | ListShape | ObjectShape | AbstractShape

export interface LeafShape {
  readonly kind: 'leaf'
  readonly nullable: boolean
  readonly type: GraphQLLeafType
  /** Whether a value is one already that serialising would hand back as it is. */
  readonly accepts: (value: unknown) => boolean
}

export interface ListShape {
  readonly kind: 'list'
  readonly nullable: boolean
  readonly item: Shape
}

export interface ObjectShape {
  readonly kind: 'object'
  readonly nullable: boolean
  readonly type: GraphQLObjectType
  readonly select: Select
}

export interface AbstractShape {
  readonly kind: 'abstract'
  readonly nullable: boolean
  readonly type: GraphQLAbstractType
  readonly select: Select
}

/** The fields selected of an object of that type; worked out when the first such object is met. */
export type Select = (type: GraphQLObjectType, variables: Variables) => readonly FieldPlan[]

/** Plans an operation; `variables` may be any that leave its `@skip` and `@include` the same outcome. */
export function createPlan(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: Record<string, FragmentDefinitionNode>,
  variables: Variables,
): Plan {
  const planFields = (type: GraphQLObjectType, groups: ReadonlyMap<string, readonly FieldNode[]>): FieldPlan[] =>
    [...groups].flatMap(([name, nodes]) => {
      const definition = findField(schema, type, (nodes[0] as FieldNode).name.value)
      if (!definition) return []
      const constant = definition === TypeNameMetaFieldDef ? type.name : undefined
      const shape = shapeOf(definition.type, selectOf(nodes))
      const arity = definition.resolve?.length ?? 0
      return [{ name, nodes, parent: type, definition, constant, shape, informed: arity === 0 || arity > 3 }]
    })
  const selectOf = (nodes: readonly FieldNode[]): Select => {
    const selections = new Map<GraphQLObjectType, readonly FieldPlan[]>()
    return (type, variables) => {
      const known = selections.get(type)
      if (known) return known
      const selection = planFields(type, collectSubfields(schema, fragments, variables, type, nodes))
      selections.set(type, selection)
      return selection
    }
  }
  const root = schema.getRootType(operation.operation) as GraphQLObjectType
  const roots = planFields(root, collectFields(schema, fragments, variables, root, operation.selectionSet))
  return { schema, operation, fragments, roots }
}

function findField(schema: GraphQLSchema, type: GraphQLObjectType, name: string) {
  if (name === TypeNameMetaFieldDef.name) return TypeNameMetaFieldDef
  if (type === schema.getQueryType()) {
    if (name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef
    if (name === TypeMetaFieldDef.name) return TypeMetaFieldDef
  }
  return type.getFields()[name]
}

function shapeOf(type: GraphQLOutputType, select: Select): Shape {
  const nullable = !isNonNullType(type)
  const inner = isNonNullType(type) ? type.ofType : type
  if (isListType(inner)) return { kind: 'list', nullable, item: shapeOf(inner.ofType, select) }
  if (isLeafType(inner)) return { kind: 'leaf', nullable, type: inner, accepts: acceptanceOf(inner) }
  if (isAbstractType(inner)) return { kind: 'abstract', nullable, type: inner, select }
  if (isObjectType(inner)) return { kind: 'object', nullable, type: inner, select }
  throw new Error(`${type} is no type of an answer.`)
}

function acceptanceOf(type: GraphQLLeafType): (value: unknown) => boolean {
  if (type === GraphQLString || type === GraphQLID) return isString
  if (type === GraphQLBoolean) return isBoolean
  if (type === GraphQLInt) return isInt
  if (type === GraphQLFloat) return Number.isFinite
  return () => false
}

const isString = (value: unknown) => typeof value === 'string'
const isBoolean = (value: unknown) => typeof value === 'boolean'
// `| 0` is the number itself for what fits 32 bits, and only for that.
const isInt = (value: unknown) => typeof value === 'number' && (value | 0) === value
