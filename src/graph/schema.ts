import { type GraphQLSchema, isInterfaceType, isObjectType } from 'graphql'
import { buildSchema, type NonEmptyArray } from 'type-graphql'
import { resolveConnections } from './connection.js'
import { buildDirectSchema } from './direct.js'
import { JobResolver } from './jobs.js'
import { createNodeResolver, encodeId, type NodeDefinition } from './node.js'
import { type Columns, columnsOfField } from './projection.js'
import type { Slice } from './slice.js'

/**
 * The executable schema of these slices; with `direct: false`, for comparison, its resolvers stay in TypeGraphQL's
 * wrappers. Throws where a type and its table do not fit together.
 */
export async function createSchema(slices: readonly Slice[], { direct = true } = {}): Promise<GraphQLSchema> {
  const nodes = new Map(slices.flatMap((slice) => slice.nodes).map((node) => [node.type, node]))
  const resolvers = [createNodeResolver(nodes), JobResolver, ...slices.flatMap((slice) => slice.resolvers)]
  const options = { resolvers: resolvers as NonEmptyArray<never>, validate: false }
  const schema = direct ? buildDirectSchema(options) : await buildSchema(options)
  describeRoots(schema)
  resolveConnections(schema)
  resolveTypes(schema)
  for (const node of nodes.values()) resolveId(schema, node)
  return schema
}

/** Throws where a field of an entity's type is neither a column nor names the columns it needs. */
export function checkColumns(schema: GraphQLSchema, columns: Columns, entities: readonly string[]): void {
  for (const entity of entities) {
    const type = schema.getType(entity)
    if (!isObjectType(type)) continue
    const known = new Set(columns(entity).columns.map(({ property }) => property))
    for (const field of Object.keys(type.getFields())) {
      const missing = columnsOfField(type, field).filter((property) => !known.has(property))
      if (missing.length > 0)
        throw new Error(
          `${entity}.${field} needs the unknown column ${missing.join(', ')}: name its columns with @Needs.`,
        )
    }
  }
}

/** No class stands for the root types that could carry their descriptions. */
function describeRoots(schema: GraphQLSchema): void {
  const roots = [
    [schema.getQueryType(), 'What can be asked.'],
    [schema.getMutationType(), 'What can be changed.'],
  ] as const
  for (const [type, description] of roots) if (type) type.description = description
}

/** Rows answered as an interface carry their type's name; nothing else decides it, and nothing asynchronous. */
function resolveTypes(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (isInterfaceType(type)) type.resolveType = (row: { __typename?: string }) => row.__typename
    if (isObjectType(type)) type.isTypeOf = undefined
  }
}

function resolveId(schema: GraphQLSchema, { type, key }: NodeDefinition): void {
  const object = schema.getType(type)
  if (!isObjectType(object)) throw new Error(`The node type ${type} is not in the schema.`)
  const field = object.getFields().id
  if (!field) throw new Error(`The node type ${type} does not implement Node.`)
  field.extensions = { ...field.extensions, needs: key }
  const [first = 'id'] = key
  field.resolve =
    key.length === 1
      ? (row: Record<string, string>) => encodeId(type, row[first] as string)
      : (row: Record<string, string>) => encodeId(type, key.map((part) => row[part]).join(':'))
}
