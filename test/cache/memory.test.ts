import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pack, unpack } from '../../src/cache/codec.js'
import { Demands } from '../../src/cache/demand.js'
import { type Entry, Memory } from '../../src/cache/memory.js'
import { Reading } from '../../src/cache/reading.js'
import { everything, stands, Tag } from '../../src/cache/tag.js'

const entry: Entry = { value: 1, basis: { at: 0, tags: [], versions: [], decisive: 0 }, until: 0, ttl: 0, stale: 0 }

describe('the process’s own level', () => {
  const open = (most: number) => {
    const evicted: number[] = []
    return { memory: new Memory(most, new Demands(() => false), (count) => evicted.push(count)), evicted }
  }
  const size = 1_000 - 200 - 4

  test('never holds more bytes than it may, and counts what it holds', () => {
    const step = fc.record({ key: fc.nat(30), size: fc.nat(3_000) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { memory } = open(20_000)
        const held = new Map<string, number>()
        for (const { key, size } of steps) {
          const name = String(key)
          memory.set('s', name, entry, size)
          held.set(name, size + 2 * name.length + 200)
          expect(memory.bytes).toBeLessThanOrEqual(20_000)
        }
        const sum = [...held].reduce((total, [name, bytes]) => total + (memory.get('s', name) ? bytes : 0), 0)
        expect(memory.bytes).toBe(sum)
      }),
    )
  })

  test('gives those that were asked for another round', () => {
    const { memory, evicted } = open(10_000)
    for (const key of 'abcdefghij') memory.set('s', `${key}1`, entry, size)
    for (const key of ['a1', 'c1']) memory.get('s', key)
    for (const key of ['x1', 'y1']) memory.set('s', key, entry, size)
    const isHeld = (key: string) => memory.get('s', key) !== undefined
    expect(['a1', 'b1', 'c1', 'd1', 'e1', 'x1', 'y1'].map(isHeld)).toEqual([true, false, true, false, true, true, true])
    expect(evicted).toEqual([1, 1])
  })

  test('takes nothing that would fill an eighth of it, and drops what stood there', () => {
    const { memory } = open(8_000)
    memory.set('s', 'k', entry, 10)
    memory.set('s', 'k', entry, 5_000)
    expect(memory.get('s', 'k')).toBeUndefined()
    expect(memory.bytes).toBe(0)
  })
})

describe('what an answer rests on', () => {
  const tagOf = (name: string): Tag => Object.assign(new Tag(name), { version: 'v1', until: Number.POSITIVE_INFINITY })
  const part = (tags: Tag[], decisive = tags.length, until = 1_000) => ({
    basis: { at: 5, tags, versions: tags.map(({ version }) => version), decisive },
    until,
  })
  const all = tagOf(everything)
  const posts = tagOf('posts')
  const row = (index: number) => tagOf(`posts.id:${index}`)
  const names = (reading: Reading) => reading.end()?.basis.tags.map(({ name }) => name)

  test('is all that its parts rest on, until the first of them ends', () => {
    const reading = new Reading()
    reading.add(part([all, row(1), posts], 2, 700))
    reading.add(part([all, row(2), posts], 2, 900))
    expect(names(reading)).toEqual(['*', 'posts.id:1', 'posts.id:2'])
    expect(reading.end()).toMatchObject({ until: 700, basis: { at: 5, decisive: 3 } })
  })

  test('is the table, where there are more than 32 tags', () => {
    const rows = (count: number) => {
      const reading = new Reading()
      for (let index = 0; index < count; index++) reading.add(part([all, row(index), posts], 2))
      return names(reading)
    }
    expect(rows(31)).toHaveLength(32)
    expect(rows(32)).toEqual(['*', 'posts'])
  })

  test('is the rows all the same, where their table has changed since some were read', () => {
    const reading = new Reading()
    const before = part([all, row(0), posts], 2)
    const table = Object.assign(tagOf('posts'), { version: 'v2' })
    reading.add({ ...before, basis: { ...before.basis, tags: [all, row(0), table] } })
    for (let index = 1; index < 40; index++) reading.add(part([all, row(index), table], 2))
    const { basis } = reading.end() as { basis: Parameters<typeof stands>[0] }
    expect(basis.tags).toHaveLength(41)
    expect(stands(basis, 0)).toBe(true)
    for (let index = 40; index < 300; index++) reading.add(part([all, row(index), table], 2))
    expect(reading.end()).toBeUndefined()
  })

  test('the table that stands for its rows has the version from before the first of them was read', () => {
    const reading = new Reading()
    const table = tagOf('posts')
    for (let index = 0; index < 40; index++) reading.add(part([all, row(index), table], 2))
    const { basis } = reading.end() as { basis: Parameters<typeof stands>[0] }
    expect(stands(basis, 0)).toBe(true)
    table.version = 'v2'
    expect(stands(basis, 0)).toBe(false)
  })

  test('does not stand where a tag changed in between', () => {
    const reading = new Reading()
    const tag = row(1)
    reading.add(part([all, tag]))
    tag.version = 'v2'
    reading.add(part([all, tag]))
    const { basis } = reading.end() as { basis: Parameters<typeof stands>[0] }
    expect(stands(basis, 0)).toBe(false)
    tag.version = undefined
    expect(stands(basis, 0)).toBe(false)
  })

  test('is nothing, where something was read of which nobody says when it changes', () => {
    const reading = new Reading()
    reading.add(part([all]))
    reading.spoil()
    expect(reading.end()).toBeUndefined()
  })
})

describe('the codec', () => {
  const refused = Symbol('refused')
  const tell = (value: unknown) => {
    const basis = { at: 7, tags: [new Tag('*'), new Tag('posts.id:1')], versions: ['v1', 'v2'], decisive: 1 }
    const bytes = pack({ value, basis, until: performance.now() + 1_000, ttl: 1_000, stale: 0 })
    if (!bytes) return refused
    const told = unpack(bytes, (name) => new Tag(name))
    expect(told?.basis).toEqual(basis)
    return told?.value
  }

  test('tells any value of JSON’s kinds whole, and bytes', () => {
    const value = fc.jsonValue().map((each) => JSON.parse(JSON.stringify(each)))
    fc.assert(
      fc.property(value, (each) => {
        expect(tell(each)).toEqual(JSON.stringify(each).includes('"__proto__":') ? refused : each)
      }),
      { numRuns: 500, examples: [[JSON.parse('[{"a":{"__proto__":""}}]')], ['__proto__']] },
    )
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(tell(Buffer.from(bytes))).toEqual(Buffer.from(bytes))
      }),
    )
  })

  test('tells rows of one kind, of several kinds, and again after others', () => {
    const rows = fc.array(
      fc.dictionary(
        fc.constantFrom('id', 'name', '__proto_', 'constructor', ''),
        fc.oneof(fc.string(), fc.integer(), fc.constant(null)),
      ),
    )
    fc.assert(
      fc.property(fc.array(rows), (lists) => {
        expect(lists.map(tell)).toEqual(lists.map((list) => list.map((each) => ({ ...each }))))
      }),
    )
  })
})
