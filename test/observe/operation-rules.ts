import { expect } from 'vitest'
import { execution, server, spanIn, type Told, traceOf } from './conversation.js'
import { rulesOf } from './rules.js'

const parsing = 'GraphQL Document Parsing'
const validation = 'GraphQL Document Validation'
const namesOf = (told: Told, name: string) => traceOf(told, name).map((span) => span.name)
const isField = (name: string) => /^[A-Z]\w*\.\w+$/.test(name)

/** What spans tell of a GraphQL operation. */
export const operationRules = rulesOf('operation', [
  [
    'SHOULD',
    'a document that is not known is parsed and validated, each an INTERNAL span of its processing type',
    (told) => {
      for (const [name, type] of [
        [parsing, 'parse'],
        [validation, 'validate'],
      ] as const) {
        const { kind, parentSpanId, attributes } = spanIn(told, 'tree', name)
        expect([kind, attributes['graphql.processing.type']]).toEqual(['INTERNAL', type])
        expect(parentSpanId).toBe(spanIn(told, 'tree', server).spanId)
      }
    },
  ],
  [
    'SHOULD',
    'a known document is neither parsed nor validated',
    (told) => {
      for (const name of ['again', 'planned', 'fields', 'taken'])
        expect(namesOf(told, name).filter((each) => each === parsing || each === validation)).toEqual([])
    },
  ],
  [
    'SHOULD',
    'a document’s hash is its SHA-256, on every span about it',
    (told) => {
      for (const name of ['tree', 'fan', 'put', 'last'])
        for (const span of [server, parsing, validation, execution])
          expect(spanIn(told, name, span).attributes['graphql.document.hash']).toBe(told.sent[name]?.hash)
    },
  ],
  [
    'MUST',
    'an operation’s execution is one INTERNAL span with its type and name',
    (told) => {
      for (const [name, type, operation] of [
        ['tree', 'query', 'Tree'],
        ['planned', 'query', 'Tree'],
        ['put', 'mutation', 'Put'],
        ['slow', 'query', undefined],
      ] as const) {
        const { kind, parentSpanId, attributes } = spanIn(told, name, execution)
        expect(kind).toBe('INTERNAL')
        expect(parentSpanId).toBe(spanIn(told, name, server).spanId)
        expect(attributes['graphql.processing.type']).toBe('execute')
        expect(attributes['graphql.operation.type']).toBe(type)
        expect(attributes['graphql.operation.name']).toBe(operation)
      }
    },
  ],
  [
    'MUST',
    'the request’s span is of processing type request, with the operation’s type and name',
    (told) => {
      expect(spanIn(told, 'put', server).attributes).toMatchObject({
        'graphql.processing.type': 'request',
        'graphql.operation.type': 'mutation',
        'graphql.operation.name': 'Put',
      })
      expect(spanIn(told, 'unparsable', server).attributes).toHaveProperty(['graphql.processing.type'], 'request')
    },
  ],
  [
    'MUST',
    'no span’s name holds what a client called its operation',
    ({ spans }) => {
      const names = new Set(spans.map(({ name }) => name))
      const chosen = new Set(spans.map(({ attributes }) => attributes['graphql.operation.name']).filter(Boolean))
      expect(chosen.size).toBeGreaterThan(50)
      expect([...names].filter((name) => [...chosen].some((each) => name.includes(String(each))))).toEqual([])
    },
  ],
  [
    'MUST',
    'resolvers have no spans, unless they are asked for by the token',
    (told) => {
      for (const name of ['tree', 'again', 'planned', 'wrongToken', 'fan'])
        expect(namesOf(told, name).filter(isField)).toEqual([])
    },
  ],
  [
    'MUST',
    'with the token each call of a resolver has one, named by its coordinate',
    (told) => {
      const fields = traceOf(told, 'fields').filter(({ name }) => isField(name))
      const calls = Object.groupBy(fields, ({ name }) => name)
      expect(Object.fromEntries(Object.entries(calls).map(([name, { length } = []]) => [name, length]))).toEqual({
        'Query.things': 3,
        'Thing.box': 5,
        'Box.allThings': 5,
      })
      expect(calls['Thing.box']?.[0]).toMatchObject({
        kind: 'INTERNAL',
        attributes: {
          'graphql.processing.type': 'resolve',
          'graphql.selection.field.coordinate': 'Thing.box',
          'graphql.selection.field.name': 'box',
          'graphql.selection.field.parent_type': 'Thing',
        },
      })
    },
  ],
  [
    'SHOULD',
    'a query that runs by a plan has the same spans as before',
    (told) => {
      expect(namesOf(told, 'planned').sort()).toEqual(namesOf(told, 'again').sort())
    },
  ],
])
