import { jwtVerify } from 'jose'

/** What the harness tells a peer. */
export const settings = {
  port: Number(process.env.PORT),
  databaseUrl: process.env.DATABASE_URL as string,
  /** How many connections it may hold. */
  pool: Number(process.env.POOL),
  /** Whether it caches whole responses, as its own plugin does by default. */
  responseCache: process.env.RESPONSE_CACHE === 'on',
  /** Where it caches them; in memory without it. */
  redisUrl: process.env.REDIS_URL || undefined,
}

/** The floors' settings of a connection: plans made once, from indexes. */
export const sessionOptions =
  '-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c jit=off -c TimeZone=UTC -c DateStyle=ISO'

/** Whom a request names as the caller; undefined without a token. Each token is verified once, as the floors do. */
export async function viewerOf(authorization: string | null | undefined): Promise<string | undefined> {
  if (!authorization) return undefined
  const found = users.get(authorization)
  if (found && Date.now() < found.until) return found.user
  const { payload } = await jwtVerify(authorization.replace(/^Bearer +/i, ''), secret, { algorithms: ['HS256'] })
  const user = payload.sub as string
  if (users.size < remembered) users.set(authorization, { user, until: (payload.exp as number) * 1000 })
  return user
}

const secret = new TextEncoder().encode(process.env.JWT_SECRET)
const users = new Map<string, { user: string; until: number }>()
const remembered = 10_000
