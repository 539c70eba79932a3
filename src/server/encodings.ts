import { promisify } from 'node:util'
import { brotliCompress, constants, gzip, zstdCompress } from 'node:zlib'
import { negotiate } from '@fastify/accept-negotiator'

/** The content codings that are offered, the one that is chosen without a preference first. */
const offered = ['br', 'zstd', 'gzip'] as const

export type Encoding = (typeof offered)[number]

/** In bytes: what is smaller is sent as it is. */
const worthIt = 1_024

/** How hard is compressed what is sent once, and what is sent often: there more pays off with the second time. */
const levels = {
  once: { br: 4, zstd: 3, gzip: 4 },
  often: { br: 6, zstd: 9, gzip: 6 },
} satisfies Record<string, Record<Encoding, number>>

const [brotli, zstd, zip] = [promisify(brotliCompress), promisify(zstdCompress), promisify(gzip)]

const compress: Readonly<Record<Encoding, (body: Buffer, level: number) => Promise<Buffer>>> = {
  br: (body, level) =>
    brotli(body, {
      params: { [constants.BROTLI_PARAM_QUALITY]: level, [constants.BROTLI_PARAM_SIZE_HINT]: body.length },
    }),
  zstd: (body, level) => zstd(body, { params: { [constants.ZSTD_c_compressionLevel]: level } }),
  gzip: (body, level) => zip(body, { level }),
}

/** The coding for a body of that length that an Accept-Encoding header prefers (RFC 9110, 12.5.3); undefined for none. */
export function chooseEncoding(accepted: string | undefined, length: number): Encoding | undefined {
  if (!accepted || length < worthIt) return undefined
  const chosen = negotiate(accepted, [...offered, 'identity'])
  return offered.find((encoding) => encoding === chosen)
}

/** A body compressed for one answer. */
export function encodeOnce(body: Buffer, encoding: Encoding): Promise<Buffer> {
  return compress[encoding](body, levels.once[encoding])
}

/** Bodies that are kept, each compressed once for all who take it so; what it adds is about a fifth. */
export class Encodings {
  private readonly byBody = new WeakMap<Buffer, Map<Encoding, Buffer | Promise<Buffer>>>()

  /** At once where it is at hand; whoever comes while it is compressed waits for that. */
  encode(body: Buffer, encoding: Encoding): Buffer | Promise<Buffer> {
    const known = this.byBody.get(body) ?? new Map<Encoding, Buffer | Promise<Buffer>>()
    this.byBody.set(body, known)
    const found = known.get(encoding)
    if (found) return found
    const encoded = compress[encoding](body, levels.often[encoding])
    known.set(encoding, encoded)
    encoded.then(
      (bytes) => known.set(encoding, bytes),
      () => known.delete(encoding),
    )
    return encoded
  }
}
