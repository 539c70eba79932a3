import { promisify } from 'node:util'
import { brotliCompress, constants, gzip, zstdCompress } from 'node:zlib'
import { negotiate } from '@fastify/accept-negotiator'

/** The content codings that are offered, the one that is chosen without a preference first. */
const offered = ['br', 'zstd', 'gzip'] as const

export type Encoding = (typeof offered)[number]

/** In bytes: what is smaller is sent as it is. */
const worthIt = 1_024

/** For what is sent once: levels that cost little. */
const quick: Readonly<Record<Encoding, (body: Buffer) => Promise<Buffer>>> = {
  br: (body) =>
    compress.br(body, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_SIZE_HINT]: body.length },
    }),
  zstd: (body) => compress.zstd(body, { params: { [constants.ZSTD_c_compressionLevel]: 3 } }),
  gzip: (body) => compress.gzip(body, { level: 4 }),
}

/** For what is sent often: levels that pay off with the second time. */
const thorough: Readonly<Record<Encoding, (body: Buffer) => Promise<Buffer>>> = {
  br: (body) =>
    compress.br(body, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 6, [constants.BROTLI_PARAM_SIZE_HINT]: body.length },
    }),
  zstd: (body) => compress.zstd(body, { params: { [constants.ZSTD_c_compressionLevel]: 9 } }),
  gzip: (body) => compress.gzip(body, { level: 6 }),
}

const compress = { br: promisify(brotliCompress), zstd: promisify(zstdCompress), gzip: promisify(gzip) }

/** The coding for a body of that length that an Accept-Encoding header prefers (RFC 9110, 12.5.3); undefined for none. */
export function chooseEncoding(accepted: string | undefined, length: number): Encoding | undefined {
  if (!accepted || length < worthIt) return undefined
  const chosen = negotiate(accepted, [...offered, 'identity'])
  return offered.find((encoding) => encoding === chosen)
}

/** A body compressed for one answer. */
export function encodeOnce(body: Buffer, encoding: Encoding): Promise<Buffer> {
  return quick[encoding](body)
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
    const encoded = thorough[encoding](body)
    known.set(encoding, encoded)
    encoded.then(
      (bytes) => known.set(encoding, bytes),
      () => known.delete(encoding),
    )
    return encoded
  }
}
