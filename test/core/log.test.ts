import { randomUUID } from 'node:crypto'
import type { Kysely } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeLog } from '../../src/core/log.js'
import type { Transaction } from '../../src/db/transaction.js'
import { BoxTable } from '../fixture/thing.entity.js'
import { startHouse, type TestApp } from '../support.js'

let house: TestApp
beforeAll(async () => {
  house = await startHouse()
  await house.sql("alter table boxes add constraint boxes_empty check (label = '')")
})
afterAll(() => house[Symbol.asyncDispose]())

const row = { id: randomUUID(), label: 'a label', secret: 'two lines\nof a secret' }
const writes: [string, (tx: Transaction) => Promise<unknown>][] = [
  ['the unit of work', async ({ em }) => em.create(BoxTable, row)],
  ['a statement', (tx) => tx.sql((query: Kysely<{ boxes: typeof row }>) => query.insertInto('boxes').values(row), [])],
]

test.each(writes)('an error of %s is logged without the row that it was about', async (_name, work) => {
  const error = await house.app.db.write(work).catch((error) => error)
  const lines: string[] = []
  const log = writeLog({ LOG_LEVEL: 'error' }, { write: (line) => void lines.push(line) })
  log.error({ err: error }, 'as it is')
  log.error({ err: new Error('outer', { cause: error }) }, 'as a cause')
  expect(lines.length).toBe(2)
  for (const line of lines) {
    expect(line).toContain('boxes_empty')
    expect(JSON.parse(line).err.stack).toContain('\n    at ')
    for (const value of [row.id, 'a label', 'two lines', 'of a secret']) expect(line).not.toContain(value)
  }
})
