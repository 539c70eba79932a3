import { expect, test } from 'vitest'
import { type Asking, everybody, Flights, type Landed } from '../../src/server/flights.js'
import type { Question } from '../../src/server/question.js'

const question = { key: 'key', document: 'document', mediaType: 'application/json' } satisfies Question
/** That scope asks it; what is known of its document is the same for all who ask. */
const askings = () => {
  const habit: Asking['habit'] = { whom: 'everybody' }
  return (scope: string): Asking => ({ question, scope, habit })
}
const landed = { scope: everybody } as Landed

test('whoever waits for a flight is let go when it is dropped, and the next one has company again', async () => {
  const flights = new Flights()
  const asking = askings()
  for (let round = 0; round < 2; round++) {
    const flight = flights.begin(asking('a'))
    const waiting = Array.from({ length: 100 }, () => flights.join(asking('b'), 0))
    flight.drop()
    flight.land(landed)
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([undefined]))
    expect(await flights.join(asking('b'), 0)).toBeUndefined()
  }
  const flight = flights.begin(asking('a'))
  const waiting = flights.join(asking('b'), 0)
  flight.land(landed)
  flight.drop()
  expect(await waiting).toBe(landed)
})

test('nobody waits for an answer to a document whose last one was for its request alone', async () => {
  const flights = new Flights()
  const asking = askings()
  flights.begin(asking('a')).land(undefined)
  flights.begin(asking('a'))
  expect(await flights.join(asking('a'), 0)).toBeUndefined()
})
