import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'

/** A point in the database's history: whoever has seen it must not be shown less. */
export interface Point {
  /** The write-ahead log position right after the commit, as PostgreSQL writes it: `16/B374D848`. */
  readonly lsn: string
  /** When that was, in milliseconds since 1970. */
  readonly at: number
}

const payload = z.tuple([z.literal(1), z.string().regex(/^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/), z.int().nonnegative()])

/** Writes and reads consistency tokens: `base64url(JSON [1, lsn, at]) + '.' + base64url(HMAC-SHA256)`. */
export interface Tokens {
  sign(point: Point): string
  /** The point that a token of ours carries; undefined for anything else. */
  verify(token: string): Point | undefined
}

/** Tokens signed with `secrets[0]`; all of them verify, so that a secret can be rotated. */
export function createTokens(secrets: readonly string[]): Tokens {
  // A key of its own, derived from the configured secret, so that no signature serves as another kind's.
  const keys = secrets.map((secret) => createHmac('sha256', secret).update('consistency token').digest())
  const signature = (key: Buffer, body: string) => createHmac('sha256', key).update(body).digest()
  return {
    sign({ lsn, at }) {
      const body = Buffer.from(JSON.stringify([1, lsn, at])).toString('base64url')
      return `${body}.${signature(keys[0] as Buffer, body).toString('base64url')}`
    },
    verify(token) {
      const [body, signed, ...rest] = token.length > longest ? [] : token.split('.')
      if (!body || !signed || rest.length > 0) return undefined
      const given = Buffer.from(signed, 'base64url')
      // base64url forgives stray characters: only what we would write ourselves is ours.
      if (given.length !== 32 || given.toString('base64url') !== signed) return undefined
      return keys.some((key) => timingSafeEqual(given, signature(key, body))) ? parse(body) : undefined
    },
  }
}

const longest = 512

/** The point in a body that was signed, though perhaps by another version of this. */
function parse(body: string): Point | undefined {
  try {
    const { success, data } = payload.safeParse(JSON.parse(Buffer.from(body, 'base64url').toString()))
    return success ? { lsn: data[1], at: data[2] } : undefined
  } catch {
    return undefined
  }
}
