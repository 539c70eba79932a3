import { createHmac, randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTokens, type Point } from '../../src/db/consistency.js'
import { BoxTable } from '../fixture/thing.entity.js'
import { startHouse } from '../support.js'

const [old, current] = ['the secret of yesterday, long enough', 'the secret of today, which is long enough']
const tokens = createTokens([current])
const point: Point = { lsn: '16/B374D848', at: 1_753_000_000_000 }

const anyPoint = fc.record({
  lsn: fc
    .tuple(fc.nat(0xffffffff), fc.nat(0xffffffff))
    .map((parts) => parts.map((part) => part.toString(16).toUpperCase()).join('/')),
  at: fc.nat(),
})

test('a token carries its point', () => {
  const carries = fc.property(anyPoint, (any) => {
    expect(tokens.verify(tokens.sign(any))).toEqual(any)
  })
  fc.assert(carries)
})

test('a token of the previous secret is known while it is rotated, and no longer', () => {
  const token = createTokens([old]).sign(point)
  expect(createTokens([current, old]).verify(token)).toEqual(point)
  expect(tokens.verify(token)).toBeUndefined()
  expect(tokens.verify(createTokens([current, old]).sign(point))).toEqual(point)
})

test('what is no token is no point, and no error', () => {
  const token = tokens.sign(point)
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (text) => tokens.verify(text) === undefined))
  const damaged = fc.property(fc.nat(token.length), fc.string({ maxLength: 2 }), fc.nat(2), (at, text, cut) => {
    const other = token.slice(0, at) + text + token.slice(at + cut)
    fc.pre(other !== token)
    expect(tokens.verify(other)).toBeUndefined()
  })
  fc.assert(damaged, { numRuns: 2_000 })
  for (const other of [`${token}!`, `${token}.`, `${token}${'='.repeat(500)}`, ` ${token}`, token.toUpperCase()])
    expect(tokens.verify(other)).toBeUndefined()
})

test('what was signed in another form is no point, and no error', () => {
  const key = createHmac('sha256', current).update('consistency token').digest()
  const signed = (text: string) => {
    const body = Buffer.from(text).toString('base64url')
    return `${body}.${createHmac('sha256', key).update(body).digest('base64url')}`
  }
  expect(tokens.verify(signed('[1,"0/1",5]'))).toEqual({ lsn: '0/1', at: 5 })
  for (const text of ['[2,"0/1",5]', '[1,"0/1"]', '[1,"0/1",-5]', '[1,"x",5]', '{}', 'null', 'no JSON'])
    expect(tokens.verify(signed(text)), text).toBeUndefined()
})

test('the point of a write is not before its commit', async () => {
  await using house = await startHouse()
  await house.app.db.write(async (tx) => {
    tx.em.create(BoxTable, { id: randomUUID(), label: 'new', secret: '' })
  })
  const written = await house.app.db.point()
  // The write-ahead log's end, as of a session that sees the committed row.
  const [{ reached, ahead } = { reached: false, ahead: true }] = await house.sql<{ reached: boolean; ahead: boolean }>(
    `select exists (select from boxes where label = 'new') and $1::pg_lsn > '0/0' as reached,
            $1::pg_lsn > pg_current_wal_insert_lsn() as ahead`,
    [written?.lsn],
  )
  expect({ reached, ahead }).toEqual({ reached: true, ahead: false })
  const before = await house.sql<{ lsn: string }>('select pg_current_wal_insert_lsn()::text as lsn')
  await house.app.db.write(async (tx) => {
    tx.em.create(BoxTable, { id: randomUUID(), label: 'newer', secret: '' })
  })
  const next = await house.app.db.point()
  const [{ moved } = { moved: false }] = await house.sql<{ moved: boolean }>(
    'select $1::pg_lsn > $2::pg_lsn as moved',
    [next?.lsn, before[0]?.lsn],
  )
  expect(moved).toBe(true)
})
