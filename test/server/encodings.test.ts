import { brotliDecompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { Encodings } from '../../src/server/encodings.js'

test('a body is compressed once for all who take it so, at whatever moment they come', async () => {
  const encodings = new Encodings()
  const body = Buffer.from('text '.repeat(10_000))
  const encoded = await Promise.all(Array.from({ length: 100 }, () => encodings.encode(body, 'br')))
  expect(new Set([...encoded, encodings.encode(body, 'br')]).size).toBe(1)
  expect(brotliDecompressSync(encoded[0] as Buffer)).toEqual(body)
  expect(await encodings.encode(body, 'gzip')).not.toBe(encoded[0])
  expect(await encodings.encode(Buffer.from(body), 'br')).not.toBe(encoded[0])
})
