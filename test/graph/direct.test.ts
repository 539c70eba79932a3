import { type GraphQLSchema, graphql, isIntrospectionType, isObjectType } from 'graphql'
import { buildSchemaSync } from 'type-graphql'
import { describe, expect, test } from 'vitest'
import { buildDirectSchema, type DirectOptions } from '../../src/graph/direct.js'
import { fixture } from '../fixture/thing.resolver.js'
import { type Asking, checkRoles, LoudResolver, MembersResolver, VaultResolver } from './direct/guards.js'
import { InputResolver } from './direct/inputs.js'
import { BookResolver, MapsResolver, PrintedResolver } from './direct/sources.js'

const options: DirectOptions = {
  resolvers: [InputResolver, VaultResolver, LoudResolver, MembersResolver, BookResolver, MapsResolver, PrintedResolver],
  authChecker: checkRoles,
}

describe('a field called directly answers as its wrapper does:', () => {
  const search = '{ text: "t", range: { most: null }, ranges: [[{ most: 3 }, null]], genres: [ESSAY] }'
  const late = '{ text: "t", since: "2024-01-02T03:04:05Z" }'
  test.each([
    ['no parameters', '{ nothing }'],
    ['text and its default', '{ a: text b: text(text: "t") }'],
    ['absent and null', 'query($v: String) { a: maybe b: maybe(text: null) c: maybe(text: $v) }'],
    ['lists, enums and scalars', '{ plain(ids: [1, "b"], grid: [[1, 2], null], genre: ESSAY, rating: BAD) }'],
    [
      'a single value for a list',
      '{ plain(ids: "a", grid: 3, genre: NOVEL, rating: GOOD, on: "2024-01-02T03:04:05Z") }',
    ],
    ['@Args', '{ a: slice b: slice(first: 3, after: "z") c: slice(first: null) }'],
    ['@Args that extend, compute and nest', `{ a: searchSlice b: searchSlice(size: 2, more: 1, search: ${search}) }`],
    ['an input', `{ a: search b: search(search: null) c: search(search: ${search}) }`],
    ['an input whose defaults are given', '{ search(search: { text: "t", limit: 3, genres: [], range: {} }) }'],
    ['inputs in a list', `{ a: searches(all: [${late}, null]) b: searches(all: ${late}) c: searches }`],
    ['an input that holds itself', '{ tree(tree: { name: "a", children: [{ name: "b" }, { name: "c" }] }) }'],
    [
      'an input with an unset property',
      '{ a: unset(unset: { text: "t" }) b: unset(unset: { text: "t", hint: null }) }',
    ],
    ['renamed @Args', '{ renamed(called: "it") }'],
    ['a list that the resolver changes', '{ a: changed b: changed }'],
    ['@Info, and a parameter without a decorator', '{ other: around(text: "t") }'],
    ['a mutation', `mutation { a: save(input: ${late}) b: save(input: ${late}) }`],
    ['properties', '{ book { title pages promised simple missing } }'],
    ['an interface', '{ titled { title ... on Book { pages described } } }'],
    ['methods and getters of the type', '{ book { shouted(mark: "!") initial } }'],
    ['a source as an instance, and parts of it', '{ book { asInstance awaited } }'],
    ['a source, @Info and the state of the resolver', '{ a: book { b: described } c: book { described } }'],
    ['what is iterable', '{ a: shelf(kind: "set") { title } b: shelf(kind: "generator") { title promised } }'],
    ['other values', '{ book { a: ends(how: "nothing") b: ends(how: "promise") } }'],
    ['inherited resolvers', '{ mapsCount mapsFirst ownMaps }'],
    ['inherited fields', '{ book { weight pages } printed { weight pages } }'],
    ['no guard beside guards', '{ vault { label } free(text: "t") tenant }'],
    ['a parameter decorator of its own', '{ tenant doubled(count: 4) }'],
    ['middleware', '{ loud(text: "t") again: loud(text: "t") replaced everyLoud vault { motto } }'],
    ['validation that passes', '{ short(text: "abc") }'],
    ['roles that are there', '{ keepers members vault { code inside ledger { balance } } }', ['KEEPER']],
  ])('%s', async (_name, document, roles?: string[]) => {
    const { wrapped, direct } = await askBoth(document, roles)
    expect(wrapped.errors).toBeUndefined()
    expect(direct).toEqual(wrapped)
  })

  test.each([
    ['what throws or rejects', '{ book { a: ends(how: "throws") b: ends(how: "rejects") c: ends(how: "error") } }', 3],
    ['properties that throw or are errors', '{ book { throwing error } }', 2],
    ['a value that cannot be serialised', '{ book { ends(how: "object") } }', 1],
    ['null for what is certain', '{ book { title certain } }', 1],
    ['rejections in a list', '{ shelf(kind: "list") { title } }', 1],
    ['an asynchronous generator', '{ shelf(kind: "async generator") { title } }', 1],
    ['arguments that are refused', '{ slice(first: "a") }', 1],
    ['validation', '{ short(text: "abcd") }', 1],
    ['roles that are missing', '{ keepers members vault { label code inside ledger { balance } } }', 5],
  ])('a failure: %s', async (_name, document, failures) => {
    const { wrapped, direct } = await askBoth(document)
    expect(wrapped.errors).toHaveLength(failures)
    expect(direct).toEqual(wrapped)
  })

  test('where everything is validated', async () => {
    const validated = { ...options, validateFn: (value: unknown) => void (value === 'refused' && fail()) }
    const fail = () => {
      throw new Error('Refused.')
    }
    const { wrapped, direct } = await askBoth('{ free(text: "refused") }', [], validated)
    expect(wrapped.errors).toHaveLength(1)
    expect(direct).toEqual(wrapped)
  })
})

test('only what takes info declares it, for which the executor makes one', () => {
  const schema = buildDirectSchema(options)
  const query = schema.getQueryType()?.getFields()
  expect(query?.around?.resolve).toHaveLength(4)
  for (const name of ['nothing', 'text', 'search']) expect(query?.[name]?.resolve, name).toHaveLength(3)
})

test('only what needs no wrapper is called directly', () => {
  const { direct, wrapped } = sort(buildDirectSchema(options))
  expect(wrapped).toEqual([
    'Book.asInstance',
    'Book.awaited',
    'Book.initial',
    'Book.shouted',
    'Book.simple',
    'Ledger.balance',
    'Query.doubled',
    'Query.everyLoud',
    'Query.keepers',
    'Query.loud',
    'Query.mapsCount',
    'Query.mapsFirst',
    'Query.members',
    'Query.renamed',
    'Query.replaced',
    'Query.short',
    'Query.tenant',
    'Query.tree',
    'Query.unset',
    'Vault.code',
    'Vault.inside',
    'Vault.motto',
  ])
  expect(direct).toEqual([
    'Book.certain',
    'Book.described',
    'Book.ends',
    'Book.error',
    'Book.missing',
    'Book.pages',
    'Book.promised',
    'Book.throwing',
    'Book.title',
    'Book.weight',
    'Mutation.save',
    'Printed.pages',
    'Printed.weight',
    'Query.around',
    'Query.book',
    'Query.changed',
    'Query.free',
    'Query.maybe',
    'Query.nothing',
    'Query.ownMaps',
    'Query.plain',
    'Query.printed',
    'Query.search',
    'Query.searchSlice',
    'Query.searches',
    'Query.shelf',
    'Query.slice',
    'Query.text',
    'Query.titled',
    'Query.vault',
    'Vault.label',
    'Vault.ledger',
  ])
})

test('fields with arguments keep their wrappers where everything is validated', () => {
  const { direct } = sort(buildDirectSchema({ ...options, validateFn: () => {} }))
  expect(direct).toContain('Query.nothing')
  expect(direct).not.toContain('Query.text')
  expect(direct).not.toContain('Query.slice')
})

test('a schema with a global middleware is refused', () => {
  const through = { ...options, globalMiddlewares: [(_data: unknown, next: () => Promise<unknown>) => next()] }
  expect(() => buildDirectSchema(through)).toThrow('A global middleware would run for every field of every row')
})

test('the context knows who was called, through a wrapper too', async () => {
  const schema = buildDirectSchema(options)
  for (const [document, at] of [
    ['{ nothing }', 'Query.nothing'],
    ['{ book { title weight } }', 'Book.weight'],
    ['{ doubled(count: 1) }', 'Query.doubled'],
  ] as const) {
    const { contextValue } = await ask(schema, document)
    expect(contextValue.at).toBe(at)
  }
})

test('the fixture keeps no wrapper', () => {
  const { direct, wrapped } = sort(buildDirectSchema({ ...options, resolvers: fixture.resolvers as never }))
  expect(wrapped).toEqual([])
  expect(direct).toContain('Box.things')
})

async function askBoth(document: string, roles: readonly string[] = [], given = options) {
  const { contextValue: wrappedContext, ...wrapped } = await ask(buildSchemaSync(given), document, roles)
  const { contextValue: directContext, ...direct } = await ask(buildDirectSchema(given), document, roles)
  return {
    wrapped: { ...wrapped, log: wrappedContext.log },
    direct: { ...direct, log: directContext.log },
  }
}

async function ask(schema: GraphQLSchema, source: string, roles: readonly string[] = []) {
  const contextValue: Asking = { at: '', tenant: 'acme', roles, log: [] }
  const answer = await graphql({ schema, source, contextValue })
  return { ...JSON.parse(JSON.stringify(answer)), contextValue }
}

/** The coordinates of a schema's fields, those called directly apart. */
function sort(schema: GraphQLSchema) {
  const fields = Object.values(schema.getTypeMap()).flatMap((type) =>
    isObjectType(type) && !isIntrospectionType(type)
      ? Object.values(type.getFields()).map(({ name, extensions }) => ({
          at: `${type.name}.${name}`,
          direct: extensions.direct === true,
        }))
      : [],
  )
  const names = (direct: boolean) => fields.filter((field) => field.direct === direct).map(({ at }) => at)
  return { direct: names(true).sort(), wrapped: names(false).sort() }
}
