import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTokens } from '../../src/db/consistency.js'
import { encodeId } from '../../src/graph/node.js'
import { jwtSecret } from '../settings.js'
import { startHouse, type TestApp } from '../support.js'

let house: TestApp
const box = randomUUID()
beforeAll(async () => {
  house = await startHouse()
  await house.sql("insert into boxes (id, label, secret) values ($1, 'a box', 'hidden')", [box])
})
afterAll(() => house[Symbol.asyncDispose]())

const document = 'mutation ($input: AddThingInput!) { addThing(input: $input) { thing { name } errors { code } } }'
const add = (name: string) => house.query(document, { input: { boxId: encodeId('Box', box), name } })

test('a write answers a signed token, in a header and in the payload', async () => {
  const { headers, extensions, data } = await add('a thing')
  expect(data.addThing).toEqual({ thing: { name: 'a thing' }, errors: [] })
  expect(headers['x-consistency-token']).toBe(extensions.consistencyToken)
  const point = createTokens([jwtSecret]).verify(extensions.consistencyToken)
  expect(point?.lsn).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/)
  expect(Math.abs((point?.at ?? 0) - Date.now())).toBeLessThan(10_000)
  const [reached] = await house.sql('select pg_current_wal_insert_lsn() >= $1::pg_lsn as reached', [point?.lsn])
  expect(reached).toEqual({ reached: true })
})

test('a later write answers a later token', async () => {
  const tokens = createTokens([jwtSecret])
  const points = [await add('one'), await add('two')].map(({ extensions }) =>
    tokens.verify(extensions.consistencyToken),
  )
  const [later] = await house.sql('select $1::pg_lsn < $2::pg_lsn as later', [points[0]?.lsn, points[1]?.lsn])
  expect(later).toEqual({ later: true })
})

test('neither a read nor a refused write answers one', async () => {
  for (const answer of [await house.query('{ __typename }'), await add('a thing'), await add('')]) {
    expect(answer.headers['x-consistency-token']).toBeUndefined()
    expect(answer.extensions).toBeUndefined()
  }
})

test('a token of ours is taken back, a damaged one is refused', async () => {
  const token = (await add('three')).extensions.consistencyToken as string
  const ask = (value: string) =>
    house.query('{ things(first: 1) { nodes { name } } }', {}, { headers: { 'x-consistency-token': value } })
  expect((await ask(token)).status).toBe(200)
  for (const damaged of ['x', `${token}x`, `x${token}`, token.replace('.', ''), `${token}.${token}`]) {
    const { status, errors } = await ask(damaged)
    expect([status, errors?.[0].extensions.code]).toEqual([400, 'BAD_USER_INPUT'])
  }
})
