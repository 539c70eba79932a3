import { expect, test } from 'vitest'
import { defineRandom, spread, timeText } from '../../src/graph/random.js'

const random = defineRandom('thing')

test('a row draws the same numbers every time, another row and another kind others', () => {
  const draw = (source = random, index = 7) => Array.from({ length: 5 }, () => source(index).bits())
  expect(draw()).toEqual(draw())
  const first = [random, defineRandom('other')].flatMap((source) => [0, 1, 2, 3].map((index) => source(index).bits()))
  expect(new Set(first).size).toBe(8)
})

test('numbers are spread evenly, between their bounds', () => {
  const draw = random(1)
  const numbers = Array.from({ length: 50_000 }, () => draw.whole(1, 4))
  for (const number of [1, 2, 3, 4]) {
    const count = numbers.filter((drawn) => drawn === number).length
    expect(Math.abs(count - 12_500)).toBeLessThan(500)
  }
})

test('ranks are within their count, low ones often', () => {
  const draw = random(2)
  const ranks = Array.from({ length: 20_000 }, () => draw.rank(1_000, 0.9))
  expect(Math.min(...ranks)).toBe(0)
  expect(Math.max(...ranks)).toBeGreaterThan(950)
  expect(Math.max(...ranks)).toBeLessThan(1_000)
  expect(ranks.filter((rank) => rank < 100).length / ranks.length).toBeGreaterThan(0.4)
  expect(random(3).rank(1, 0.5)).toBe(0)
})

test.each([1, 2, 10, 200, 7_919, 15_838])('ranks spread over %i rows meet each row once', (count) => {
  const rows = new Set(Array.from({ length: count }, (_, rank) => spread(rank, count)))
  expect(rows.size).toBe(count)
  expect(Math.min(...rows)).toBe(0)
})

test('ids are version 7, sort by time and differ within a millisecond', () => {
  const time = Date.UTC(2026, 2, 4) * 1000
  const ids = [random(1).uuid(time), random(1).uuid(time + 1000), random(1).uuid(time + 2000)]
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect([...ids].sort()).toEqual(ids)
  expect(new Set(Array.from({ length: 10_000 }, (_, index) => random(index).uuid(time))).size).toBe(10_000)
})

test('times are written to the microsecond', () => {
  expect(timeText(Date.UTC(2026, 2, 4, 5, 6, 7, 8) * 1000 + 9)).toBe('2026-03-04T05:06:07.008009Z')
})
