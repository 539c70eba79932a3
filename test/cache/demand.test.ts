import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Demand, Demands } from '../../src/cache/demand.js'

const key = (number: number) => `0190a0b0-0000-7000-8000-${number.toString(16).padStart(12, '0')}`
const keys = (from: number, count: number) => Array.from({ length: count }, (_, index) => key(from + index))
/** How many of the keys are let in, each asked alone. */
const admitted = (demand: Demand, asked: readonly string[]) => asked.filter((each) => demand.admits([each])).length

test('a kind is let in until it has been asked in vain often enough, and then from the second asking on', () => {
  const demand = new Demands(() => false).create()
  expect(admitted(demand, keys(0, 256))).toBe(256)
  // Of so many, one may be taken for another.
  expect(admitted(demand, keys(100_000, 10_000))).toBeLessThan(5)
  expect(admitted(demand, keys(5_000, 1_000))).toBe(0)
  expect(admitted(demand, keys(5_000, 1_000))).toBeGreaterThan(990)
  // One that is known lets in those that come with it.
  expect(demand.admits([key(90_000), key(5_000)])).toBeDefined()
  expect(demand.admits([key(90_001)])).toBeUndefined()
  expect(demand.admits([key(90_002)], true)).toBeDefined()
})

test('a kind of which a tenth is found is let in at once, again too', () => {
  const demand = new Demands(() => false).create()
  demand.found += 20
  const [first = '', ...more] = keys(0, 256)
  demand.admits([first])?.(20)
  expect(admitted(demand, more)).toBe(255)
  expect(admitted(demand, keys(2_000, 256))).toBe(256)
  expect(admitted(demand, keys(4_000, 100))).toBe(0)
  demand.found += 50
  admitted(demand, keys(6_000, 256))
  expect(admitted(demand, keys(8_000, 100))).toBe(100)
})

test('where others keep values too, a sample is looked for further, and finds open the kind again', () => {
  let isShared = true
  const demand = new Demands(() => isShared).create()
  admitted(demand, keys(0, 256))
  expect(admitted(demand, keys(10_000, 1_280))).toBe(10)
  isShared = false
  expect(admitted(demand, keys(20_000, 1_280))).toBe(0)
  isShared = true
  // Whoever is sure to keep what is found tells nothing of the rest.
  for (const each of keys(30_000, 10)) demand.admits([each], true)?.(1)
  expect(admitted(demand, keys(40_000, 246))).toBeLessThan(5)
  expect(admitted(demand, keys(50_000, 100))).toBeLessThan(5)
  for (const each of keys(60_000, 256)) demand.admits([each])?.(1)
  expect(admitted(demand, keys(70_000, 100))).toBe(100)
})

test('many keys at once are judged after they are let in', () => {
  const demand = new Demands(() => false).create()
  expect(demand.admits(keys(0, 5_000))).toBeDefined()
  expect(demand.admits(keys(10_000, 5_000))).toBeUndefined()
})

test('kinds do not take one another\u2019s keys for theirs, and few keys for others', () => {
  const demands = new Demands(() => false)
  for (const each of keys(0, 20_000)) demands.note(1, each)
  const count = (kind: number, from: number) => keys(from, 20_000).filter((each) => demands.note(kind, each)).length
  // Two of one place forget each other.
  expect(count(1, 0)).toBeGreaterThan(18_000)
  expect(count(2, 0)).toBeLessThan(20)
  expect(count(1, 50_000)).toBeLessThan(20)
})

test('any key is known when it is asked again at once', () => {
  const demands = new Demands(() => false)
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat(), (each, kind) => {
      demands.note(kind, each)
      expect(demands.note(kind, each)).toBe(true)
    }),
  )
})

test('while somebody fills the cache all is let in, and nothing judged', async () => {
  const demands = new Demands(() => false)
  const demand = demands.create()
  const fill = async () => keys(0, 5_000).filter((each) => demand.admits([each])?.(1) === undefined).length
  expect(await demands.fill(fill)).toBe(5_000)
  expect(admitted(demand, keys(10_000, 256))).toBe(256)
  expect(admitted(demand, keys(20_000, 100))).toBe(0)
  await expect(demands.fill(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(admitted(demand, keys(30_000, 100))).toBe(0)
})
