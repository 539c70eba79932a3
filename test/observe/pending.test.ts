import type { Attributes, Meter } from '@opentelemetry/api'
import { expect, test } from 'vitest'
import { Pending } from '../../src/observe/pending.js'

type Given = [value: number, attributes: Attributes]

/** A meter that keeps what its instruments are given. */
function listen() {
  const given: Given[] = []
  const take = (value: number, attributes: Attributes) => void given.push([value, attributes])
  const meter = { createHistogram: () => ({ record: take }), createUpDownCounter: () => ({ add: take }) }
  return { given, pending: new Pending(meter as unknown as Meter) }
}

const describe = (name: string, failure: string | undefined) => ({ name, ...(failure && { failure }) })

test('what is measured waits until it is collected, each by its labels', () => {
  const { given, pending } = listen()
  const record = pending.histogram('db.client.operation.duration', describe)
  const expected: Given[] = [
    [1, { name: 'a' }],
    [3, { name: 'a' }],
    [2, { name: 'a', failure: 'b' }],
  ]
  record(1, 'a', undefined)
  record(2, 'a', 'b')
  record(3, 'a', undefined)
  expect(given).toEqual([])
  pending.give()
  pending.give()
  expect(given).toEqual(expected)
  expect(given[0]?.[1]).toBe(given[1]?.[1])
})

test('nothing is lost of what is measured more often than it is collected, and few of it wait', () => {
  const { given, pending } = listen()
  const record = pending.histogram('db.client.operation.duration', describe)
  for (let value = 0; value < 1_000; value++) {
    record(value, 'a', undefined)
    expect(value + 1 - given.length).toBeLessThan(200)
  }
  pending.give()
  expect(given.map(([value]) => value)).toEqual(Array.from({ length: 1_000 }, (_, value) => value))
})

test('a level is given by its changes, and told where it is 0 again', () => {
  const { given, pending } = listen()
  const change = pending.level('http.server.active_requests', (method: string) => ({ method }))
  for (const by of [1, 1, -1]) change(by, 'GET')
  change(1, 'POST')
  change(-1, 'POST')
  pending.give()
  change(-1, 'GET')
  pending.give()
  expect(given).toEqual([
    [1, { method: 'GET' }],
    [0, { method: 'POST' }],
    [-1, { method: 'GET' }],
    [0, { method: 'POST' }],
  ])
})
