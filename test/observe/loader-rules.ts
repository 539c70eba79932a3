import { expect } from 'vitest'
import { execution, spanIn, type Told, traceOf } from './conversation.js'
import { rulesOf } from './rules.js'
import { secret } from './session.js'

const coordinate = 'graphql.selection.field.coordinate'
const batch = (loader: string) => `GraphQL DataLoader Batch ${loader}`
const isBatch = ({ name }: { name: string }) => name.startsWith(batch(''))

/** Where the links of a batch lead: the names of spans, each with the field that asked. */
function linksOf(told: Told, request: string, loader: string) {
  return spanIn(told, request, batch(loader)).links.map(({ traceId, spanId, attributes }) => {
    const to = told.spans.find((span) => span.traceId === traceId && span.spanId === spanId)
    return [to?.name, attributes[coordinate]]
  })
}

/** What spans tell of loaders and of the statements they run. */
export const loaderRules = rulesOf('loader', [
  [
    'MUST',
    'a batch is an INTERNAL span named by its loader, with the number of its keys, below the execution',
    (told) => {
      const { kind, parentSpanId, attributes } = spanIn(told, 'tree', batch('boxById'))
      expect(kind).toBe('INTERNAL')
      expect(parentSpanId).toBe(spanIn(told, 'tree', execution).spanId)
      expect(attributes).toMatchObject({
        'graphql.processing.type': 'dataloader_batch',
        'graphql.dataloader.name': 'boxById',
      })
      const boxes = told.sent.tree?.answer.data.things.nodes.map(({ box }: { box: object }) => JSON.stringify(box))
      expect(attributes['graphql.dataloader.batch.size']).toBe(new Set(boxes).size)
    },
  ],
  [
    'SHOULD',
    'its links lead to the execution, or to the batch whose rows asked, and name the field',
    (told) => {
      for (const request of ['tree', 'planned', 'fields']) {
        expect(linksOf(told, request, 'boxById')).toEqual([[execution, 'Thing.box']])
        expect(linksOf(told, request, 'allThingsOfBox')).toEqual([[batch('boxById'), 'Box.allThings']])
      }
    },
  ],
  [
    'SHOULD',
    'every link leads to a span of the same trace that was exported, by a coordinate',
    ({ spans }) => {
      const linked = spans.flatMap(({ traceId, links }) => links.map((link) => ({ ...link, from: traceId })))
      expect(linked.length).toBeGreaterThan(20)
      for (const { from, traceId, spanId, attributes } of linked) {
        expect(spans.some((span) => span.traceId === from && span.spanId === spanId)).toBe(true)
        expect(traceId).toBe(from)
        expect(attributes[coordinate]).toMatch(/^[A-Z]\w*\.\w+$/)
      }
    },
  ],
  [
    'MAY',
    'links are capped at 16, and the size stays true',
    (told) => {
      expect(spanIn(told, 'fan', batch('labelOfProbe')).attributes['graphql.dataloader.batch.size']).toBe(20)
      expect(linksOf(told, 'fan', 'labelOfProbe')).toEqual(Array(16).fill([batch('probeByNumber'), 'Probe.label']))
    },
  ],
  [
    'SHOULD',
    'keys are told nowhere',
    ({ spans, points, logs, rows }) => {
      const all = JSON.stringify({ spans, points, logs })
      expect(spans.filter(isBatch).flatMap(({ attributes }) => Object.keys(attributes))).not.toContain(
        'graphql.dataloader.batch.keys',
      )
      expect(rows.ids.filter((id) => all.includes(id))).toEqual([])
    },
  ],
  [
    'MUST',
    'a statement is a CLIENT span below its batch, or else below the execution',
    (told) => {
      const statements = told.spans.filter(({ attributes }) => 'db.system.name' in attributes)
      expect(statements.filter(({ kind }) => kind !== 'CLIENT')).toEqual([])
      expect(spanIn(told, 'tree', 'boxById').parentSpanId).toBe(spanIn(told, 'tree', batch('boxById')).spanId)
      expect(spanIn(told, 'last', 'things').parentSpanId).toBe(spanIn(told, 'last', execution).spanId)
    },
  ],
  [
    'MUST',
    'it tells its name and text as db.query.*, and which field asked',
    (told) => {
      const { attributes } = spanIn(told, 'tree', 'boxById')
      expect(attributes).toMatchObject({
        'db.system.name': 'postgresql',
        'db.query.summary': 'boxById',
        [coordinate]: 'Thing.box',
      })
      expect(attributes['db.query.text']).toMatch(/^select .* from "boxes" where "boxes"."id" = any\(\$1/)
    },
  ],
  [
    'MUST',
    'what a mutation does is told from begin to commit',
    (told) => {
      expect(statementsOf(told, 'put')).toEqual([
        ['begin', 'UNSET', undefined],
        ['insert things', 'UNSET', undefined],
        ['commit', 'UNSET', undefined],
        ['thingById', 'UNSET', undefined],
      ])
    },
  ],
  [
    'MUST',
    'a statement that fails has status ERROR and its SQLSTATE, and a rollback follows',
    (told) => {
      for (const [request, state] of [
        ['taken', '23505'],
        ['lost', '23503'],
      ] as const)
        expect(statementsOf(told, request)).toEqual([
          ['begin', 'UNSET', undefined],
          ['insert things', 'ERROR', state],
          ['rollback', 'UNSET', undefined],
        ])
      expect(spanIn(told, 'taken', 'insert things').attributes['error.type']).toBe('23505')
    },
  ],
  [
    'MUST',
    'the text of a statement that MikroORM made holds its shape and no value',
    (told) => {
      const text = spanIn(told, 'put', 'insert things').attributes['db.query.text']
      expect(text).toBe('insert into "things" ("id", "box_id", "name", "size", "weight") values (?, ?, ?, ?, ?)')
    },
  ],
  [
    'MUST',
    'no value of a variable, a literal, an input or a row is told, be it right or wrong',
    (told) => {
      const { spans, points, logs } = told
      expect(JSON.stringify(told.sent)).toContain(`${secret}-invalid`)
      expect(logs.map(({ body }) => body)).toContain('slow statement')
      expect(JSON.stringify({ spans, points, logs }).match(new RegExp(`.{80}${secret}.{0,40}`, 'g'))).toBeNull()
    },
  ],
])

function statementsOf(told: Told, request: string) {
  const statements = traceOf(told, request).filter(({ attributes }) => 'db.system.name' in attributes)
  return statements
    .sort((a, b) => a.start - b.start)
    .map(({ name, status, attributes }) => [name, status, attributes['db.response.status_code']])
}
