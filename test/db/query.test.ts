import { Socket } from 'node:net'
import { Connection } from 'pg'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import type { Statement } from '../../src/db/statement.js'
import { startHouse, type TestApp } from '../support.js'

let house: TestApp
beforeAll(async () => {
  house = await startHouse()
})
afterEach(() => void vi.restoreAllMocks())
afterAll(() => house[Symbol.asyncDispose]())

const statement = (name: string): Statement => ({
  name,
  text: `select '${name}' as name`,
  selection: { key: '', columns: [] },
  tables: undefined,
  prepared: name,
  bind: () => [],
})

/** At most 16 at once share a connection. */
async function read(statement: Statement, times = 1): Promise<void> {
  const answers = await Promise.all(Array.from({ length: times }, () => house.app.db.read(statement, {})))
  for (const rows of answers) expect(rows).toEqual([{ name: statement.name }])
}

test('what is asked in one turn goes out in one write', async () => {
  const known = statement('write')
  await read(known)
  const writes = [vi.spyOn(Socket.prototype, '_write'), vi.spyOn(Socket.prototype, '_writev' as '_write')]
  for (let turn = 1; turn <= 3; turn++) {
    await read(known, 10)
    expect(writes.flatMap(({ mock }) => mock.calls)).toHaveLength(turn)
  }
})

test('a statement is described where its connection has not prepared it, or its rows are not known yet', async () => {
  const describe = vi.spyOn(Connection.prototype, 'describe')
  const parse = vi.spyOn(Connection.prototype, 'parse')
  const counts = () => [parse, describe].map(({ mock }) => mock.calls.splice(0).length)
  const known = statement('known')
  // The second is sent before the first is answered.
  await read(known, 2)
  expect(counts()).toEqual([1, 2])
  await read(known)
  expect(counts()).toEqual([0, 0])
  await read(statement('known'))
  expect(counts()).toEqual([0, 1])
  // So many need a second connection.
  await read(known, 100)
  expect(counts()).toEqual([1, 1])
})
