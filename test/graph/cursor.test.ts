import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startHouse, type TestApp } from '../support.js'
import { anyThing, fillThings } from './things.js'

let house: TestApp
beforeAll(async () => {
  house = await startHouse()
})
afterAll(() => house[Symbol.asyncDispose]())

const thingsQuery = `query($after: String, $before: String, $orderBy: ThingOrder) {
  things(after: $after, before: $before, orderBy: $orderBy) { edges { cursor } pageInfo { hasPreviousPage } }
}`

describe('a cursor that is not one of ours is refused', () => {
  const uuid = '018f0000-0000-7000-8000-000000000000'
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const ours = (field: string, key: unknown, last: unknown = uuid, connection = 'things') =>
    encode([1, `${connection}:${field}:ASC`, key, last])
  beforeEach(() => fillThings(house, fc.sample(anyThing, 3)))

  const dates = [
    ...['2024-02-30 00:00:00+00', '2023-02-29 00:00:00+00', '2024-13-01 00:00:00+00', '2024-01-01 24:00:00+00'],
    ...['2024-01-01 23:60:00+00', '2024-01-01T00:00:00Z', '2024-01-01', 'now', 'infinit', '', '0000-01-01 00:00:00+00'],
    ...['2024-01-01 00:00:00.1234567+00', '2024-01-01 00:00:00+01', "2024-01-01 00:00:00+00'; --"],
    ...['300000-01-01 00:00:00+00', '9999-01-01 00:00:00+00 BC'],
  ]
  const cursors: [string, string, string][] = [
    ['empty', 'SIZE', ''],
    ['of no JSON', 'SIZE', 'abc'],
    ['of no base64url', 'SIZE', '§$%'],
    ['of an object', 'SIZE', encode({ length: 4 })],
    ['of null', 'SIZE', encode(null)],
    ['of nothing', 'SIZE', encode([])],
    ['of another version', 'SIZE', encode([2, 'things:SIZE:ASC', '1', uuid])],
    ['of a version in words', 'SIZE', encode(['1', 'things:SIZE:ASC', '1', uuid])],
    ['of the other direction', 'SIZE', encode([1, 'things:SIZE:DESC', '1', uuid])],
    ['of another order', 'NAME', ours('SIZE', '1')],
    ['of another connection', 'SIZE', ours('SIZE', '1', uuid, 'thingsOfBox')],
    ['of one key', 'SIZE', encode([1, 'things:SIZE:ASC', '1'])],
    ['of three keys', 'SIZE', encode([1, 'things:SIZE:ASC', '1', uuid, uuid])],
    ['of a number', 'SIZE', ours('SIZE', 1)],
    ['of null keys', 'SIZE', ours('SIZE', null)],
    ['of nested keys', 'SIZE', ours('SIZE', ['1'])],
    ['of a broken uuid', 'SIZE', ours('SIZE', '1', uuid.slice(1))],
    ['of an upper-case uuid', 'SIZE', ours('SIZE', '1', uuid.toUpperCase())],
    ['of a fraction', 'SIZE', ours('SIZE', '1.5')],
    ['of too large an int', 'SIZE', ours('SIZE', '2147483648')],
    ['of too small an int', 'SIZE', ours('SIZE', '-2147483649')],
    ['of a word', 'WEIGHT', ours('WEIGHT', 'heavy')],
    ['of an exponent', 'WEIGHT', ours('WEIGHT', '1e400')],
    ['of a zero character', 'NAME', ours('NAME', 'a\0b')],
    ['of half a character', 'NAME', ours('NAME', '\ud800')],
    ['of invalid UTF-8', 'NAME', Buffer.from(`[1,"things:NAME:ASC","\xff","${uuid}"]`, 'latin1').toString('base64url')],
    ['of other white space', 'SIZE', Buffer.from(`[1, "things:SIZE:ASC","1","${uuid}"]`).toString('base64url')],
    ['with a character more', 'SIZE', `${ours('SIZE', '1')}!`],
    ['in plain base64', 'NAME', Buffer.from(JSON.stringify([1, 'things:NAME:ASC', '???>>>', uuid])).toString('base64')],
    ['of a megabyte', 'NAME', ours('NAME', 'a'.repeat(100_000))],
    ...dates.map((date): [string, string, string] => [`of the date "${date}"`, 'SEEN_AT', ours('SEEN_AT', date)]),
  ]

  test.each(cursors)('%s', async (_name, field, cursor) => {
    for (const argument of ['after', 'before']) {
      const args = { [argument]: cursor, orderBy: { field, direction: 'ASC' } }
      const { data, errors } = await house.query(thingsQuery, args)
      expect(data).toBeNull()
      expect(errors?.map((error) => error.extensions.code)).toEqual(['BAD_USER_INPUT'])
      expect(errors?.[0].message).toContain(`\`${argument}\``)
    }
  })

  test('or damaged anywhere: it never starts over, and never fails otherwise', async () => {
    const first = await house.query(thingsQuery, { orderBy: { field: 'SEEN_AT', direction: 'ASC' } })
    const cursor: string = first.data.things.edges[0].cursor
    const any = fc.record({ at: fc.nat({ max: cursor.length - 1 }), letter: fc.constantFrom(...'aZ09-_=+. ') })
    const property = fc.asyncProperty(any, async ({ at, letter }) => {
      fc.pre(cursor[at] !== letter)
      const after = cursor.slice(0, at) + letter + cursor.slice(at + 1)
      const args = { after, orderBy: { field: 'SEEN_AT', direction: 'ASC' } }
      const { data, errors } = await house.query(thingsQuery, args)
      if (errors) expect(errors.map((error) => error.extensions.code)).toEqual(['BAD_USER_INPUT'])
      else expect(data.things.pageInfo.hasPreviousPage).toBe(true)
    })
    await fc.assert(property, { numRuns: 100 })
  })
})
