import fc from 'fast-check'
import { Field, Int, ObjectType, Query, Resolver } from 'type-graphql'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectionOf } from '../../src/graph/connection.js'
import { DateTime, Decimal } from '../../src/graph/scalars.js'
import { createSchema } from '../../src/graph/schema.js'
import { startHouse, type TestApp } from '../support.js'
import { fillThings } from './things.js'

let house: TestApp
beforeAll(async () => {
  house = await startHouse()
})
afterAll(() => house[Symbol.asyncDispose]())

const seen = async (seenAt: string) => {
  await fillThings(house, [{ box: 0, size: 1, weight: '1', seenAt }])
  const { data, errors } = await house.query('{ things { nodes { seenAt } } }')
  return errors ? errors[0].extensions.code : data.things.nodes[0].seenAt
}

test.each([
  ['2024-01-02T03:04:05Z', '2024-01-02T03:04:05.000000Z'],
  ['2024-01-02T03:04:05.6Z', '2024-01-02T03:04:05.600000Z'],
  ['2024-02-29T23:59:59.999999Z', '2024-02-29T23:59:59.999999Z'],
  ['2024-01-01T01:00:00.000001+02:00', '2023-12-31T23:00:00.000001Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000000Z'],
])('the time %s is %s', async (stored, shown) => expect(await seen(stored)).toBe(shown))

test.each(['infinity', '-infinity', '10000-01-01T00:00:00Z', '0044-03-15 00:00:00+00 BC'])(
  'what RFC 3339 cannot say is an error, not a wrong time: %s',
  async (stored) => expect(await seen(stored)).toBe('INTERNAL'),
)

test('every DateTime that is taken, the database takes too', async () => {
  const part = (max: number, digits = 2) => fc.integer({ min: 0, max }).map((value) => `${value}`.padStart(digits, '0'))
  const any = fc
    .tuple(part(9999, 4), part(13), part(32), part(25), part(61), part(61), fc.constantFrom('', '.5', '.999999'))
    .chain(([year, month, day, hour, minute, second, fraction]) =>
      fc
        .oneof(
          fc.constant('Z'),
          fc.tuple(fc.constantFrom('+', '-'), part(24), part(61)).map(([a, b, c]) => `${a}${b}:${c}`),
        )
        .map((zone) => `${year}-${month}-${day}T${hour}:${minute}:${second}${fraction}${zone}`),
    )
  let taken = 0
  const property = fc.asyncProperty(any, async (text) => {
    let parsed: string
    try {
      parsed = DateTime.parseValue(text)
    } catch (error) {
      expect(error).toMatchObject({ code: 'BAD_USER_INPUT' })
      return
    }
    taken++
    await house.sql('select $1::timestamptz', [parsed])
  })
  const edges = [
    '0000-01-01T00:00:00Z',
    '2024-01-01T00:00:00+16:00',
    '2024-01-01T00:00:00-23:59',
    '2024-01-01T24:00:00Z',
    '2024-01-01T24:00:00.5Z',
  ]
  await fc.assert(property, { numRuns: 500, examples: edges.map((edge): [string] => [edge]) })
  expect(taken).toBeGreaterThan(20)
})

test('no day that does not exist is a DateTime', () => {
  for (const day of ['2024-02-30', '2023-02-29', '2024-04-31', '2024-13-01', '2024-00-10', '2024-01-00'])
    expect(() => DateTime.parseValue(`${day}T00:00:00Z`), day).toThrow('A DateTime is written like')
})

test('a Decimal is what the database takes as one, digit for digit', async () => {
  for (const text of ['0', '-0.001', '999999999999999.9999999999', '12.50']) {
    expect(Decimal.parseValue(text)).toBe(text)
    expect(await house.sql('select $1::numeric::text as value', [text])).toEqual([{ value: text }])
  }
  for (const text of ['', '.5', '5.', '1e5', 'NaN', 'Infinity', '0x1', '1,5', ' 1', '1'.repeat(16), null, {}, true])
    expect(() => Decimal.parseValue(text)).toThrow('A Decimal is written like')
})

test('a connection is named after its nodes, or its cursors would not be read', async () => {
  @ObjectType({ description: 'An odd thing.' })
  class Odd {
    @Field(() => Int, { description: 'Anything.' })
    readonly size!: number
  }
  const Connection = connectionOf(() => Odd, 'Even', 'by size')
  @Resolver()
  class OddResolver {
    @Query(() => Connection, { description: 'Odd things.' })
    odds() {
      return null
    }
  }
  const slice = { name: 'odd', entities: [], resolvers: [OddResolver], nodes: [] }
  await expect(createSchema([slice])).rejects.toThrow('EvenConnection')
})
