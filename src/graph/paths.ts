import {
  type DocumentNode,
  type FieldNode,
  type GraphQLSchema,
  isAbstractType,
  isObjectType,
  Kind,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql'

/** Where a document selects a field (`Post.author`), as paths of an answer; those in fragments begin with `...Name`. */
export function findPaths(schema: GraphQLSchema, document: DocumentNode, coordinate: string): readonly string[] {
  const [typeName = '', fieldName] = coordinate.split('.')
  const type = schema.getType(typeName)
  const info = new TypeInfo(schema)
  const way: string[] = []
  const paths: string[] = []
  const selects = (field: FieldNode) => {
    const parent = info.getParentType()
    const isParent = parent === type || (isAbstractType(parent) && isObjectType(type) && schema.isSubType(parent, type))
    return field.name.value === fieldName && isParent
  }
  const leave = () => void way.pop()
  visit(
    document,
    visitWithTypeInfo(info, {
      [Kind.FRAGMENT_DEFINITION]: { enter: ({ name }) => void way.push(`...${name.value}`), leave },
      [Kind.FIELD]: {
        enter(field) {
          way.push((field.alias ?? field.name).value)
          if (selects(field)) paths.push(way.join('.'))
        },
        leave,
      },
    }),
  )
  return paths
}
