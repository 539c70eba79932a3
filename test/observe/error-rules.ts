import { expect } from 'vitest'
import { errorCodes } from '../../src/core/errors.js'
import { execution, server, spanIn, type Told, traceOf } from './conversation.js'
import { rulesOf } from './rules.js'

const errorsOf = (told: Told, name: string) =>
  spanIn(told, name, server).events.filter((event) => event.name === 'graphql.error')
const withoutData = ['empty', 'late', 'unparsable', 'invalid', 'uncoerced', 'lost']

/** How answers with errors are told. */
export const errorRules = rulesOf('error', [
  [
    'SHOULD',
    'each error of an answer is a graphql.error event of the request’s span, and of no other',
    (told) => {
      for (const name of ['partial', 'invalid', 'uncoerced', 'lost', 'forbidden']) {
        const errors = told.sent[name]?.answer.errors
        expect(errorsOf(told, name)).toHaveLength(Math.min(10, errors.length))
        expect(traceOf(told, name).filter((span) => span.events.length > 0)).toHaveLength(1)
      }
    },
  ],
  [
    'SHOULD',
    'at most 10 are events; their number stays true',
    (told) => {
      expect(errorsOf(told, 'partial')).toHaveLength(10)
      expect(spanIn(told, 'partial', server).attributes['graphql.error.count']).toBe(12)
      expect(spanIn(told, 'lost', server).attributes['graphql.error.count']).toBe(1)
    },
  ],
  [
    'MUST',
    'an event tells message and path',
    (told) => {
      expect(errorsOf(told, 'lost').map(({ attributes }) => attributes)).toMatchObject([
        { 'graphql.error.message': 'Something that this refers to is gone.', 'graphql.error.path': 'addThing' },
      ])
      const [first] = errorsOf(told, 'invalid')
      expect(first?.attributes['graphql.error.message']).toMatch(/^Int cannot represent non-integer value: /)
      expect(first?.attributes).not.toHaveProperty(['graphql.error.path'])
    },
  ],
  [
    'SHOULD',
    'errors of a partial answer are WARN, of one without data ERROR',
    (told) => {
      const severities = (name: string) =>
        new Set(errorsOf(told, name).map(({ attributes }) => attributes['log.severity']))
      for (const name of ['partial', 'forbidden']) expect(severities(name)).toEqual(new Set(['WARN']))
      for (const name of withoutData) expect(severities(name)).toEqual(new Set(['ERROR']))
    },
  ],
  [
    'MUST',
    'without data the request’s span and the execution’s have status ERROR, else none',
    (told) => {
      const statuses = (name: string) => [server, execution].map((span) => spanIn(told, name, span).status)
      for (const name of ['empty', 'late', 'uncoerced', 'lost']) expect(statuses(name)).toEqual(['ERROR', 'ERROR'])
      for (const name of ['partial', 'forbidden', 'tree', 'taken']) expect(statuses(name)).toEqual(['UNSET', 'UNSET'])
      for (const name of ['unparsable', 'invalid']) expect(spanIn(told, name, server).status).toBe('ERROR')
    },
  ],
  [
    'MUST',
    'error.type is a code of the closed list, the first error’s',
    (told) => {
      for (const [name, { answer }] of Object.entries(told.sent)) {
        if (name === 'unsampled') continue
        const codes = errorsOf(told, name).map(({ attributes }) => attributes['error.type'])
        expect(codes.filter((code) => !(errorCodes as readonly unknown[]).includes(code))).toEqual([])
        expect(spanIn(told, name, server).attributes['error.type']).toBe(answer.errors?.[0].extensions.code)
      }
    },
  ],
  [
    'MUST',
    'a step that fails has status ERROR and its error.type',
    (told) => {
      for (const [name, span, code] of [
        ['unparsable', 'GraphQL Document Parsing', 'GRAPHQL_PARSE_FAILED'],
        ['invalid', 'GraphQL Document Validation', 'GRAPHQL_VALIDATION_FAILED'],
        ['lost', execution, 'CONFLICT'],
      ] as const) {
        const { status, attributes } = spanIn(told, name, span)
        expect([status, attributes['error.type']]).toEqual(['ERROR', code])
      }
      expect(spanIn(told, 'invalid', 'GraphQL Document Parsing').status).toBe('UNSET')
    },
  ],
  [
    'SHOULD',
    'where nothing failed no span has an error, an event or a status',
    (told) => {
      for (const name of ['tree', 'planned', 'fields', 'fan', 'put', 'called', 'slow', 'last'])
        for (const { status, events, attributes } of traceOf(told, name)) {
          expect([status, events]).toEqual(['UNSET', []])
          expect(attributes).not.toHaveProperty(['error.type'])
          expect(attributes).not.toHaveProperty(['graphql.error.count'])
        }
    },
  ],
])
