import { GraphQLError, type GraphQLObjectType, isObjectType } from 'graphql'
import { inspect } from 'graphql/jsutils/inspect.js'
import type { AbstractShape, FieldPlan, LeafShape, Shape } from './plan.js'
import type { Position } from './position.js'

/** A leaf's value as the answer shows it. Throws, in graphql-js's words, what the field then fails with. */
export function completeLeaf(shape: LeafShape, field: FieldPlan, value: unknown): unknown {
  if (shape.accepts(value)) return value
  if (value === null || value === undefined) return completeNull(shape, field)
  if (value instanceof Error) throw value
  const answer = shape.type.serialize(value)
  if (answer === null || answer === undefined)
    throw new Error(
      `Expected \`${inspect(shape.type)}.serialize(${inspect(value)})\` to return non-nullable value, returned: ${inspect(answer)}`,
    )
  return answer
}

/** Null, where it may stand. */
export function completeNull(shape: Shape, { parent, definition }: FieldPlan): null {
  if (shape.nullable) return null
  throw new Error(`Cannot return null for non-nullable field ${parent.name}.${definition.name}.`)
}

/** The object type that a `resolveType` named, if it may stand there. */
export function checkType(
  position: Position,
  { type }: AbstractShape,
  name: unknown,
  value: unknown,
): GraphQLObjectType {
  const { nodes, parent, definition } = position.field
  const { schema } = position.run.plan
  const at = `"${parent.name}.${definition.name}"`
  if (name === null || name === undefined)
    throw new GraphQLError(
      `Abstract type "${type.name}" must resolve to an Object type at runtime for field ${at}. Either the "${type.name}" type should provide a "resolveType" function or each possible type should provide an "isTypeOf" function.`,
      { nodes },
    )
  if (isObjectType(name))
    throw new GraphQLError(
      'Support for returning GraphQLObjectType from resolveType was removed in graphql-js@16.0.0 please return type name instead.',
    )
  if (typeof name !== 'string')
    throw new GraphQLError(
      `Abstract type "${type.name}" must resolve to an Object type at runtime for field ${at} with value ${inspect(value)}, received "${inspect(name)}".`,
    )
  const found = schema.getType(name)
  if (!found)
    throw new GraphQLError(
      `Abstract type "${type.name}" was resolved to a type "${name}" that does not exist inside the schema.`,
      { nodes },
    )
  if (!isObjectType(found))
    throw new GraphQLError(`Abstract type "${type.name}" was resolved to a non-object type "${name}".`, { nodes })
  if (!schema.isSubType(type, found))
    throw new GraphQLError(`Runtime Object type "${name}" is not a possible type for "${type.name}".`, { nodes })
  return found
}

/** Passes a type whose `isTypeOf` accepted the value. */
export function checkOwn(position: Position, type: GraphQLObjectType, accepted: unknown, value: unknown): void {
  if (accepted) return
  const { nodes } = position.field
  throw new GraphQLError(`Expected value of type "${type.name}" but got: ${inspect(value)}.`, { nodes })
}
