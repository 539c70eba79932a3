import {
  buildSchema,
  GraphQLEnumType,
  GraphQLError,
  GraphQLObjectType,
  GraphQLScalarType,
  type GraphQLSchema,
  GraphQLUnionType,
} from 'graphql'

/** Types of a field's answer; each field's name begins with its key here. */
export const types = {
  int: 'Int',
  intX: 'Int!',
  str: 'String',
  id: 'ID!',
  float: 'Float',
  bool: 'Boolean!',
  ints: '[Int]',
  intsX: '[Int!]!',
  table: '[[Int!]]',
  color: 'Color',
  colorsX: '[Color!]',
  odd: 'Odd',
  oddX: 'Odd!',
  node: 'Nasty',
  nodeX: 'Nasty!',
  nodes: '[Nasty]',
  nodesX: '[Nasty!]!',
  grid: '[[Nasty!]!]',
  face: 'Face',
  faceX: 'Face!',
  facesX: '[Face!]',
  faces: '[Face]!',
  either: 'Either',
  eithers: '[Either!]!',
  own: 'Owned',
  owns: '[Owned!]',
} as const
type TypeName = keyof typeof types

const one: { readonly [Name in TypeName]: () => unknown } = {
  int: () => 1,
  intX: () => 2,
  str: () => 'text',
  id: () => 7,
  float: () => 1.5,
  bool: () => true,
  ints: () => [1, null, 3],
  intsX: () => [1, 2],
  table: () => [[1, 2], null, []],
  color: () => redness,
  colorsX: () => [redness, 0],
  odd: () => 'odd',
  oddX: () => 'odd',
  node: () => nasty(),
  nodeX: () => nasty(),
  nodes: () => [nasty(), null, nasty()],
  nodesX: () => [nasty(), nasty()],
  grid: () => [[nasty(), nasty()], null, []],
  face: () => nasty({ __typename: 'Nasty' }),
  faceX: () => ({ __typename: 'Mild' }),
  facesX: () => [nasty({ __typename: 'Nasty' }), { __typename: 'Mild' }],
  faces: () => [{ __typename: 'Mild' }, null],
  either: () => ({ kind: 'Mild' }),
  eithers: () => [nasty({ kind: 'Nasty' }), { kind: 'Mild', isLate: true }],
  own: () => ({ owner: 'me' }),
  owns: () => [{ owner: 'me' }, { owner: 'me', isLate: true }],
}

class Coded extends Error {
  readonly extensions = { code: 'CODED' }
}

const located = () => new GraphQLError('placed elsewhere', { path: ['else', 1] })
const later = <Value>(value: Value) => new Promise<Value>((resolve) => setImmediate(resolve, value))
async function soon<Value>(value: Value, ticks: number): Promise<Value> {
  for (let tick = 0; tick < ticks; tick++) await undefined
  return value
}

/** How a field comes by its value; each field's name ends with its key here. */
export const ways: { readonly [way: string]: (type: TypeName) => unknown } = {
  is: (type) => one[type](),
  isNull: () => null,
  isMissing: () => undefined,
  isError: () => new Coded('an error for a value'),
  isNan: () => Number.NaN,
  isText: () => 'wrong',
  isObject: () => ({ toString: () => 'an object' }),
  isFunction: () => () => 'a function',
  isSymbol: () => Symbol('symbol'),
  isTrue: () => true,
  throws: () => {
    throw new Coded('thrown')
  },
  throwsText: () => {
    throw 'a text'
  },
  throwsNothing: () => {
    throw undefined
  },
  throwsLocated: () => {
    throw located()
  },
  comes: async (type) => one[type](),
  comesSoon: (type) => soon(one[type](), 3),
  comesLate: (type) => later(one[type]()),
  comesError: async () => new Coded('an error that came'),
  rejects: async () => {
    throw new Coded('rejected')
  },
  rejectsSoon: async () => {
    await soon(0, 2)
    throw new Error('rejected soon')
  },
  rejectsLate: async () => {
    await later(0)
    throw new Error('rejected late')
  },
  rejectsText: () => Promise.reject('a text'),
  rejectsLocated: () => Promise.reject(located()),
  isSet: (type) => new Set([one[type](), 5]),
  yields: function* (type) {
    yield* [one[type](), 6]
  },
  yieldsBadly: function* (type) {
    yield one[type]()
    throw new Error('while iterating')
  },
  holdsErrors: () => [new Coded('first'), 1, new Coded('third')],
  holdsPromises: (type) => {
    const item = [one[type]()].flat()[0]
    return [later(item), Promise.resolve(item), item, Promise.resolve(null)]
  },
  holdsRejections: (type) => {
    const item = [one[type]()].flat()[0]
    return [later(item), Promise.reject(new Coded('an item rejected')), item, Promise.reject(new Error('another'))]
  },
  isUntyped: () => ({}),
  isStrangelyTyped: () => ({ __typename: 'Strange' }),
  isTypedByNumber: () => ({ __typename: 5 }),
  typedByThrowing: () => ({
    get __typename() {
      throw new Error('while resolving the type')
    },
  }),
  comesTypedByThrowing: async () => ({
    get __typename() {
      throw new Error('while resolving the type, later')
    },
  }),
  isOfThrowingKind: () => ({ kind: 'throw', owner: 'throw' }),
  isOfRejectingKind: () => ({ kind: 'reject', owner: 'reject' }),
  isOfLateKind: () => nasty({ kind: 'Nasty', owner: 'me', isLate: true }),
  isOfNoKind: () => ({ kind: undefined, owner: 'somebody' }),
}

const redness = { wavelength: 700 }

const fields = (Object.keys(types) as TypeName[]).flatMap((type) =>
  Object.entries(ways).map(([way, give]) => ({ name: `${type}_${way}`, type: types[type], give: () => give(type) })),
)

/** Has a property for each way: a getter, or where the name's length is odd a method that is given what resolvers are. */
const members = Object.create(
  null,
  Object.fromEntries(
    fields.map(({ name, give }) => [
      name,
      name.length % 2 ? { value: (_: object, __: unknown, info: object) => info && give() } : { get: give },
    ]),
  ),
)

function nasty(own: object = {}): object {
  return Object.assign(Object.create(members), own)
}

/**
 * A schema whose fields come by their values in every way there is, good and bad: from a property, a getter or a method
 * of their object, or from a resolver (those whose names end in `_r`).
 */
export function createNastySchema(): GraphQLSchema {
  const resolved = fields.map(({ name, type }) => `${name}_r: ${type}`).join('\n')
  const read = fields.map(({ name, type }) => `${name}: ${type}`).join('\n')
  const schema = buildSchema(`
    type Query implements Face { a: Int b(n: Int): Int ${echo} ${resolved} }
    type Nasty implements Face { a: Int b(n: Int): Int x: Int ${read} ${resolved} }
    type Mild implements Face { a: Int b(n: Int): Int y: String! calm: Nasty }
    type Owned { a: Int owner: String! nasty: Nasty! }
    interface Face { a: Int b(n: Int): Int }
    union Either = Nasty | Mild
    enum Color { RED NONE }
    scalar Odd
    input Point { x: Int! = 3, y: Float, tags: [String!], color: Color = NONE, next: Point, odd: Odd }
  `)
  resolve(schema, 'Query', 'echo', (_, args) => JSON.stringify(args))
  resolve(schema, 'Mild', 'calm', async () => nasty())
  resolve(schema, 'Owned', 'nasty', () => nasty())
  for (const type of ['Query', 'Nasty', 'Mild']) resolve(schema, type, 'b', (_, { n }) => n)
  for (const type of ['Query', 'Nasty'])
    fields.forEach(({ name, give }, index) => {
      resolve(schema, type, `${name}_r`, index % 2 ? give : (_source, _args, _context, info) => info.path && give())
    })
  for (const type of Object.values(schema.getTypeMap())) setManners(type)
  return schema
}

const echo = `echo(int: Int = 5, intX: Int! = 6, id: ID, text: String, float: Float, bool: Boolean, color: Color = RED,
  colors: [Color!], odd: Odd, ints: [Int!], table: [[Int]!], point: Point, points: [Point!] = [{ x: 1 }]): String`

// biome-ignore lint/suspicious/noExplicitAny: whatever the field is given
type Resolve = (source: any, args: any, context: unknown, info: any) => unknown

function resolve(schema: GraphQLSchema, type: string, field: string, resolver: Resolve): void {
  const found = (schema.getType(type) as GraphQLObjectType).getFields()[field]
  if (!found) throw new Error(`${type}.${field} is not there.`)
  found.resolve = resolver
}

function setManners(type: unknown): void {
  if (type instanceof GraphQLUnionType)
    type.resolveType = ({ kind, isLate }) => {
      if (kind === 'throw') throw new Coded('no type')
      if (kind === 'reject') return Promise.reject(new Coded('no type in the end'))
      return isLate ? later(kind) : kind
    }
  if (type instanceof GraphQLObjectType && type.name === 'Owned')
    type.isTypeOf = ({ owner, isLate }) => {
      if (owner === 'throw') throw new Coded('no owner')
      if (owner === 'reject') return Promise.reject(new Coded('no owner in the end'))
      return isLate ? later(true) : owner === 'me'
    }
  if (type instanceof GraphQLScalarType && type.name === 'Odd') {
    type.serialize = (value) => {
      if (value === 'wrong') throw new Coded('not serialisable')
      return value === true ? undefined : { value: typeof value }
    }
    type.parseValue = (value) => {
      if (value === 'wrong') throw new Coded('not parsable')
      return { parsed: value }
    }
  }
  if (type instanceof GraphQLEnumType && type.name === 'Color') {
    Object.assign(type.getValue('RED') ?? {}, { value: redness })
    Object.assign(type.getValue('NONE') ?? {}, { value: 0 })
  }
}
