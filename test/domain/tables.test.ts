import { expect, test } from 'vitest'
import { fact } from '../../src/core/events.js'
import { tablesIn } from '../../src/db/tables.js'
import { startBusiness } from '../support.js'
import { operations, readOperation, seedCalls } from './operations.js'

interface Node {
  readonly 'Relation Name'?: string
  readonly Schema?: string
  readonly Plans?: readonly Node[]
}

const relationsOf = (node: Node): string[] => [
  ...(node['Relation Name'] === undefined ? [] : [node['Relation Name']]),
  ...(node.Plans ?? []).flatMap(relationsOf),
]

test('every statement of the business is known to read the tables that its plan reads', async () => {
  await using api = await startBusiness({ DETECTORS_RATIO: '0' })
  const calls = await seedCalls(api)
  const known = [...api.app.db.orm.getMetadata()].map(({ tableName }) => tableName)
  const texts = new Map<string, string>()
  const stop = fact('statement.finished').listen(({ statement, text, inTransaction }) => {
    if (!inTransaction && /^(select|with)\b/i.test(text)) texts.set(text, statement)
  })
  for (const name of operations) {
    const { variables, as } = calls[name] ?? {}
    const { errors } = await api.query(readOperation(name), variables, as && { as })
    expect(errors, name).toBeUndefined()
  }
  stop()
  const unknown = new Set<string>()
  for (const [text, statement] of texts) {
    const plan = await api.app.db.explain<Node>({ text, timeout: 5_000 })
    const relations = [...new Set(relationsOf(plan))].sort()
    const tables = tablesIn(text, known)
    if (!tables) {
      unknown.add(statement)
      continue
    }
    // One too many is no mistake: a name may stand for a column, or a plan do without a table.
    expect(tables, `${statement}: ${text}`).toEqual(expect.arrayContaining(relations))
    expect(tables.length - relations.length, `${statement}: ${text}`).toBeLessThanOrEqual(1)
  }
  // It asks for the time: what it counts becomes another by itself.
  expect([...unknown]).toEqual(['postCountToday'])
  expect(texts.size).toBeGreaterThan(30)
})
