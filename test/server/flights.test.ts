import { expect, test } from 'vitest'
import { Demands } from '../../src/cache/demand.js'
import { everybody, Flights, type Landed } from '../../src/server/flights.js'
import { Habits } from '../../src/server/habits.js'
import type { Question } from '../../src/server/question.js'

const question = { key: 'key', document: 'document', mediaType: 'application/json' } satisfies Question
const landed = { scope: everybody } as Landed

test('whoever waits for a flight is let go when it is dropped, and the next one has company again', async () => {
  const flights = new Flights(new Habits(() => new Demands().create()))
  for (let round = 0; round < 2; round++) {
    const flight = flights.begin(question, 'a')
    const waiting = Array.from({ length: 100 }, () => flights.join(question, 'b', 0))
    flight.drop()
    flight.land(landed)
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([undefined]))
    expect(await flights.join(question, 'b', 0)).toBeUndefined()
  }
  const flight = flights.begin(question, 'a')
  const waiting = flights.join(question, 'b', 0)
  flight.land(landed)
  flight.drop()
  expect(await waiting).toBe(landed)
})

test('nobody waits for an answer to a document whose last one was for its request alone', async () => {
  const flights = new Flights(new Habits(() => new Demands().create()))
  flights.begin(question, 'a').land(undefined)
  flights.begin(question, 'a')
  expect(await flights.join(question, 'a', 0)).toBeUndefined()
})
