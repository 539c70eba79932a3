import { afterEach, expect, test, vi } from 'vitest'
import { pack, unpack } from '../../src/cache/codec.js'
import { Tag } from '../../src/cache/tag.js'

afterEach(() => vi.restoreAllMocks())

const basis = { at: 1, tags: [], versions: [], decisive: 0 }

test('bytes of an entry keep nothing that came beside them', () => {
  const packed = pack({
    value: { body: Buffer.from('body') },
    basis,
    until: performance.now() + 1_000,
    ttl: 1_000,
    stale: 0,
  }) as Buffer
  const chunk = Buffer.concat([Buffer.alloc(60_000), packed])
  const entry = unpack<{ body: Buffer }>(chunk.subarray(60_000), (name) => new Tag(name))
  expect(entry?.value.body.toString()).toBe('body')
  expect(entry?.value.body.buffer.byteLength).toBeLessThan(100)
})

test('an entry of a process whose clock is ahead has no longer than it had at first', () => {
  const now = Date.now()
  vi.spyOn(Date, 'now').mockReturnValue(now + 60_000)
  const packed = pack({ value: 1, basis, until: performance.now() + 2_000, ttl: 1_000, stale: 1_000 }) as Buffer
  vi.mocked(Date.now).mockReturnValue(now)
  const { until = Number.POSITIVE_INFINITY } = unpack(packed, (name) => new Tag(name)) ?? {}
  expect(until).toBeLessThanOrEqual(performance.now() + 2_000)
})
