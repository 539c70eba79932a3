import {
  createRemoteJWKSet,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
  SignJWT,
} from 'jose'
import { z } from 'zod'
import type { Config } from '../core/config.js'
import { Failure } from '../core/errors.js'
import type { Log } from '../core/log.js'
import type { IssuedToken, Viewer } from '../graph/context.js'
import { httpFailure } from './errors.js'

/** Reads and signs the tokens that say who asks. */
export interface Viewers {
  /**
   * Who an Authorization header names; null without one.
   * @throws Failure UNAUTHENTICATED (401) for anything but a valid token, OVERLOADED (503) where the identity
   * provider's keys cannot be had.
   */
  verify(authorization: string | undefined): Promise<Viewer | null>
  /** The same, of a header that was verified before; undefined where it must be verified. */
  recall(authorization: string | undefined): Viewer | null | undefined
  issue(viewer: Viewer): Promise<IssuedToken>
}

/** How many verified tokens are remembered; about 5 MB. */
const remembered = 10_000

/** How far the clock of another issuer may be off, in seconds. */
const clockTolerance = 5

const providerAlgorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']

const claims = z.object({
  sub: z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/),
  role: z.enum(['USER', 'ADMIN']).default('USER'),
  iat: z.number(),
  exp: z.number().optional(),
})

export function createViewers(config: Config, log: Log): Viewers {
  const { JWT_SECRET, JWT_MAX_AGE_SECONDS: maxAge, JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = config
  const check = createCheck(config, log)
  const known = new Map<string, { viewer: Viewer; until: number }>()

  const recall: Viewers['recall'] = (authorization) => {
    if (authorization === undefined) return null
    const found = known.get(tokenIn(authorization) ?? '')
    return found && Date.now() < found.until ? found.viewer : undefined
  }

  return {
    recall,
    async verify(authorization) {
      const recalled = recall(authorization)
      if (authorization === undefined || recalled) return recalled ?? null
      const token = tokenIn(authorization)
      if (!token)
        throw unauthenticated(
          'The header authorization is to be `Bearer` and a token: three parts of base64url, between dots.',
        )
      known.delete(token)
      const { sub, role, iat, exp = Number.POSITIVE_INFINITY } = await check(token)
      const viewer = { id: sub, role }
      if (known.size >= remembered) known.delete(known.keys().next().value as string)
      known.set(token, { viewer, until: Math.min(exp, iat + maxAge) * 1000 })
      return viewer
    },
    async issue({ id, role }) {
      const issued = Math.floor(Date.now() / 1000)
      const expires = issued + maxAge
      const token = new SignJWT({ role }).setProtectedHeader({ alg: 'HS256' }).setSubject(id).setIssuedAt(issued)
      if (issuer) token.setIssuer(issuer)
      if (audience) token.setAudience(audience)
      const signed = await token.setExpirationTime(expires).sign(keyOf(JWT_SECRET))
      return { token: signed, expiresAt: `${new Date(expires * 1000).toISOString().slice(0, 19).replace('T', ' ')}+00` }
    },
  }
}

function createCheck(config: Config, log: Log): (token: string) => Promise<z.infer<typeof claims>> {
  const { JWT_SECRET, JWT_SECRET_PREVIOUS, JWT_JWKS_URL, JWT_MAX_AGE_SECONDS, JWT_ISSUER, JWT_AUDIENCE } = config
  const secrets = [JWT_SECRET, ...(JWT_SECRET_PREVIOUS ? [JWT_SECRET_PREVIOUS] : [])].map(keyOf)
  const provider = JWT_JWKS_URL === undefined ? undefined : createProvider(JWT_JWKS_URL, log)
  const options = {
    maxTokenAge: JWT_MAX_AGE_SECONDS,
    clockTolerance,
    ...(JWT_ISSUER && { issuer: JWT_ISSUER }),
    ...(JWT_AUDIENCE && { audience: JWT_AUDIENCE }),
  }

  async function verify(token: string): Promise<JWTPayload> {
    if (provider && decodeProtectedHeader(token).alg !== 'HS256')
      return (await jwtVerify(token, provider, { ...options, algorithms: providerAlgorithms })).payload
    for (const [index, secret] of secrets.entries()) {
      try {
        return (await jwtVerify(token, secret, { ...options, algorithms: ['HS256'] })).payload
      } catch (error) {
        if (!(error instanceof errors.JWSSignatureVerificationFailed) || index === secrets.length - 1) throw error
      }
    }
    throw new Error('There is no secret to verify with.')
  }

  return async (token) => {
    try {
      return claims.parse(await verify(token))
    } catch (error) {
      if (error instanceof Failure) throw error
      throw unauthenticated(error instanceof errors.JWTExpired ? 'The token has expired.' : 'The token is not valid.')
    }
  }
}

/** The identity provider's keys, fetched when first needed and again where a token names an unknown one. */
function createProvider(url: string, log: Log): JWTVerifyGetKey {
  const keys = createRemoteJWKSet(new URL(url))
  return async (header, token) => {
    try {
      return await keys(header, token)
    } catch (error) {
      const { JWKSNoMatchingKey, JWKSMultipleMatchingKeys, JOSENotSupported } = errors
      for (const kind of [JWKSNoMatchingKey, JWKSMultipleMatchingKeys, JOSENotSupported])
        if (error instanceof kind) throw error
      log.error({ err: error }, 'the keys of JWT_JWKS_URL cannot be had')
      throw httpFailure(503, 'OVERLOADED', 'Tokens cannot be verified at the moment.', { 'retry-after': '5' })
    }
  }
}

function tokenIn(authorization: string): string | undefined {
  return /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization)?.[1]
}

function unauthenticated(message: string): Failure {
  return httpFailure(401, 'UNAUTHENTICATED', message, { 'www-authenticate': 'Bearer error="invalid_token"' })
}

function keyOf(secret: string): Uint8Array {
  return new TextEncoder().encode(secret)
}
