import {
  buildClientSchema,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getIntrospectionQuery,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isScalarType,
  isSpecifiedDirective,
  isSpecifiedScalarType,
} from 'graphql'
import type { TestApp } from './support.js'

/** The schema as a client sees it. */
export async function introspect(app: TestApp): Promise<GraphQLSchema> {
  const { data, errors } = await app.query(getIntrospectionQuery({ specifiedByUrl: true, inputValueDeprecation: true }))
  if (errors) throw new Error(errors[0].message)
  return buildClientSchema(data)
}

/** The house's own types, without those that every schema has. */
function typesOf(schema: GraphQLSchema) {
  return Object.values(schema.getTypeMap()).filter(
    (type) => !type.name.startsWith('__') && !(isScalarType(type) && isSpecifiedScalarType(type)),
  )
}

function objectsOf(schema: GraphQLSchema): (GraphQLObjectType | GraphQLInterfaceType)[] {
  return typesOf(schema).filter((type) => isObjectType(type) || isInterfaceType(type))
}

/** Everything without a description, and every scalar that does not say where it is specified. */
export function findUndescribed(schema: GraphQLSchema): string[] {
  const found: string[] = []
  const check = (name: string, { description }: { description?: string | null | undefined }) => {
    if (!description?.trim()) found.push(name)
  }
  for (const type of typesOf(schema)) {
    check(type.name, type)
    if (isScalarType(type) && !type.specifiedByURL) found.push(`${type.name} @specifiedBy`)
    if (isEnumType(type)) for (const value of type.getValues()) check(`${type.name}.${value.name}`, value)
    if (isInputObjectType(type))
      for (const field of Object.values(type.getFields())) check(`${type.name}.${field.name}`, field)
  }
  for (const type of objectsOf(schema)) {
    for (const field of Object.values(type.getFields())) {
      check(`${type.name}.${field.name}`, field)
      for (const argument of field.args) check(`${type.name}.${field.name}(${argument.name}:)`, argument)
    }
  }
  for (const directive of schema.getDirectives())
    if (!isSpecifiedDirective(directive)) check(`@${directive.name}`, directive)
  return found
}

/** What differs from the Relay connection specification, or from what every connection here has beyond it. */
export function findConnectionFaults(schema: GraphQLSchema): string[] {
  const found = expectFields(schema, 'PageInfo', {
    hasNextPage: 'Boolean!',
    hasPreviousPage: 'Boolean!',
    startCursor: 'String',
    endCursor: 'String',
  })
  for (const { name } of typesOf(schema).filter((type) => type.name.endsWith('Connection'))) {
    const node = name.slice(0, -'Connection'.length)
    found.push(
      ...expectFields(schema, name, {
        edges: `[${node}Edge!]!`,
        nodes: `[${node}!]!`,
        pageInfo: 'PageInfo!',
        totalCount: 'TotalCount!',
      }),
      ...expectFields(schema, `${node}Edge`, { cursor: 'String!', node: `${node}!` }),
    )
    if (!schema.getType(name)?.description?.includes('Default order: ')) found.push(`${name} states no default order`)
  }
  for (const type of objectsOf(schema)) {
    for (const field of Object.values(type.getFields())) {
      if (!/Connection!?$/.test(String(field.type))) continue
      const args = Object.fromEntries(field.args.map((argument) => [argument.name, String(argument.type)]))
      for (const [argument, wanted] of Object.entries({ first: 'Int', after: 'String', last: 'Int', before: 'String' }))
        if (args[argument] !== wanted) found.push(`${type.name}.${field.name}(${argument}:) is ${args[argument]}`)
      const { orderBy } = args
      if (orderBy)
        found.push(...expectFields(schema, orderBy, { direction: 'OrderDirection!', field: `${orderBy}Field!` }))
    }
  }
  return found
}

/** What differs from the Relay node specification; `nodes` are the types that say how they are found again. */
export function findNodeFaults(schema: GraphQLSchema, nodes: readonly string[]): string[] {
  const node = schema.getType('Node')
  if (!isInterfaceType(node)) return ['Node is no interface']
  const found = expectFields(schema, 'Node', { id: 'ID!' })
  const query = schema.getQueryType()?.getFields() ?? {}
  for (const [name, wanted] of Object.entries({ node: '(id: ID!): Node', nodes: '(ids: [ID!]!): [Node]!' })) {
    const args = query[name]?.args.map((argument) => `${argument.name}: ${argument.type}`).join(', ')
    const actual = `(${args}): ${query[name]?.type}`
    if (actual !== wanted) found.push(`Query.${name} is ${actual}`)
  }
  const types = schema.getPossibleTypes(node).map((type) => type.name)
  for (const type of types) {
    found.push(...expectFields(schema, type, { id: 'ID!' }))
    if (!nodes.includes(type)) found.push(`${type} is a Node and cannot be fetched by its id`)
  }
  for (const type of nodes) if (!types.includes(type)) found.push(`${type} can be fetched by its id and is no Node`)
  return found
}

/** Mutations that take more than one `input`, or answer no payload of their own with `errors` beside nullable results. */
export function findMutationFaults(schema: GraphQLSchema): string[] {
  return Object.values(schema.getMutationType()?.getFields() ?? {}).flatMap(({ name, args, type }) => {
    const title = `${name.charAt(0).toUpperCase()}${name.slice(1)}`
    const found: string[] = []
    if (args.length > 0 && (args.length > 1 || `${args[0]?.name}: ${args[0]?.type}` !== `input: ${title}Input!`))
      found.push(`${name} takes other than one input: ${title}Input!`)
    if (String(type) !== `${title}Payload!`) return [...found, `${name} answers ${type}`]
    found.push(...expectFields(schema, `${title}Payload`, { errors: '[UserError!]!' }))
    const payload = schema.getType(`${title}Payload`) as GraphQLObjectType
    for (const field of Object.values(payload.getFields()))
      if (field.name !== 'errors' && String(field.type).endsWith('!'))
        found.push(`${payload}.${field.name} is not nullable`)
    return found
  })
}

function expectFields(schema: GraphQLSchema, name: string, wanted: Record<string, string>): string[] {
  const type = schema.getType(name)
  if (!isObjectType(type) && !isInterfaceType(type) && !isInputObjectType(type)) return [`${name} has no fields`]
  const fields = type.getFields()
  return Object.entries(wanted).flatMap(([field, expected]) => {
    const actual = fields[field] && String(fields[field].type)
    return actual === expected ? [] : [`${name}.${field} is ${actual}, not ${expected}`]
  })
}
