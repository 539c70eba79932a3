import { expect, test } from 'vitest'
import { type Asking, everybody, type Flight, Flights, type Landed } from '../../src/server/flights.js'
import type { Question } from '../../src/server/question.js'

const question = { key: 'key', document: 'document', mediaType: 'application/json' } satisfies Question
const landed = { scope: everybody, entry: {} } as Landed

/** Asks for that scope; what is known of the document is the same for all who ask. */
function open() {
  const flights = new Flights()
  const habit: Asking['habit'] = { whom: 'everybody' }
  const ask = (scope: string, isGood = true) => flights.join({ question, scope, habit }, 0, () => isGood)
  const begin = async () => (await ask('a')) as Flight
  return { ask, begin }
}

/** Those who were given a flight of their own. */
const flying = (found: readonly (Landed | Flight)[]) => found.filter((one) => 'land' in one)

test('whoever waits is answered by what lands, which is not dropped afterwards', async () => {
  const { ask, begin } = open()
  const flight = await begin()
  const waiting = [ask('a'), ask('b')]
  flight.land(landed)
  flight.drop()
  expect(await Promise.all(waiting)).toEqual([landed, landed])
  expect(flying([await ask('b')])).toHaveLength(1)
})

test('of those who wait for a flight that is dropped one flies, and the others wait once more', async () => {
  const { ask, begin } = open()
  const flight = await begin()
  const waiting = Array.from({ length: 100 }, () => ask('b'))
  flight.drop()
  flight.land(landed)
  const next = (await waiting[0]) as Flight
  const others = Promise.all(waiting.slice(1))
  next.land(landed)
  expect(new Set(await others)).toEqual(new Set([landed]))
})

test('who has waited twice in vain waits no more', async () => {
  const { ask, begin } = open()
  const flight = await begin()
  const waiting = Array.from({ length: 3 }, () => ask('b'))
  flight.drop()
  ;((await waiting[0]) as Flight).drop()
  expect(flying(await Promise.all(waiting))).toHaveLength(3)
})

test('an answer that is not good any more is no answer, nor is another viewer’s', async () => {
  const { ask, begin } = open()
  const flight = await begin()
  const late = ask('a', false)
  flight.land(landed)
  expect(flying([await late])).toHaveLength(1)
  const other = open()
  const theirs = await other.begin()
  const [mine, again] = [other.ask('b'), other.ask('b')]
  theirs.land({ ...landed, scope: 'a' })
  const own = (await mine) as Flight
  own.land({ ...landed, scope: 'b' })
  expect(await again).toEqual({ ...landed, scope: 'b' })
})

test('nobody waits for an answer to a document whose last one was for its request alone', async () => {
  const { ask, begin } = open()
  ;(await begin()).land(undefined)
  expect(flying(await Promise.all([ask('a'), ask('a'), ask('b')]))).toHaveLength(3)
})
