import { availableParallelism } from 'node:os'
import { z } from 'zod'

/** Variables by name, as `process.env` holds them. */
export type Environment = Record<string, string | undefined>

const flag = (fallback: boolean) =>
  z
    .enum(['on', 'off', 'true', 'false', '1', '0'])
    .default(fallback ? 'on' : 'off')
    .transform((value) => value === 'on' || value === 'true' || value === '1')
const whole = (fallback: number, least: number, most: number) =>
  z.coerce.number().int().min(least).max(most).default(fallback)
const list = z
  .string()
  .default('')
  .transform((value) =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean),
  )

const schema = z
  .object({
    PORT: whole(4000, 0, 65535),
    HOST: z.string().default('127.0.0.1'),
    LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),

    DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\//, 'must be a postgres:// URL'),
    DATABASE_SSL: z.enum(['off', 'require', 'verify']).default('off'),
    DATABASE_REPLICA_URLS: list,
    /** The guide's rule for SSDs: 2 × cores + 1. */
    DATABASE_POOL_SIZE: whole(2 * availableParallelism() + 1, 1, 200),
    DATABASE_STATEMENT_TIMEOUT_MS: whole(10_000, 1, 600_000),
    DATABASE_IDLE_TIMEOUT_MS: whole(30_000, 0, 3_600_000),
    /** How many of the pool's connections fast reads share, each sent without waiting for the one before; 0 turns it off. */
    DATABASE_PIPELINES: whole(2, 0, 16),
    /** How long a request waits for a free connection before it is OVERLOADED. */
    DATABASE_POOL_WAIT_MS: whole(5_000, 1, 600_000),
    /** Off serves connection poolers that cannot prepare statements. */
    DB_STATEMENT_NAMES: flag(true),

    REDIS_URL: z.string().optional(),
    OTEL_EXPORTER_OTLP_ENDPOINT: z.string().optional(),

    JWT_SECRET: z.string().min(32, 'must have at least 32 characters'),
    /** Still accepted while a secret is being rotated, never used to sign. */
    JWT_SECRET_PREVIOUS: z.string().min(32, 'must have at least 32 characters').optional(),
    /** Tokens of an identity provider; with it, tokens signed by JWT_SECRET stay valid. */
    JWT_JWKS_URL: z.url().optional(),
    JWT_ISSUER: z.string().optional(),
    JWT_AUDIENCE: z.string().optional(),
    /** A token older than this is refused, whatever its own expiry: a role taken away ends within it. */
    JWT_MAX_AGE_SECONDS: whole(900, 60, 900),

    CORS_ORIGINS: list,
    TRUST_PROXY: flag(false),
    GRAPHIQL: flag(false),
    INTROSPECTION: flag(false),

    /** The use of a document from which on its queries run by a plan: 1 its first, 0 never. */
    GRAPHQL_PLAN_AT_USE: whole(3, 0, 1_000_000),

    LIMIT_BODY_BYTES: whole(256 * 1024, 1024, 64 * 1024 * 1024),
    LIMIT_TOKENS: whole(1_000, 10, 1_500),
    LIMIT_DEPTH: whole(12, 1, 100),
    LIMIT_ALIASES: whole(30, 0, 1_000),

    /** Longer than a load balancer keeps its own side (60 s is common), so that it never reuses a closed connection. */
    KEEP_ALIVE_MS: whole(65_000, 1_000, 600_000),
    /** How long it says "not ready" before it stops listening: a balancer's probe must have noticed by then. */
    SHUTDOWN_ANNOUNCE_MS: whole(1_000, 0, 600_000),
    /** The whole shutdown; requests that take longer are cut. */
    SHUTDOWN_TIMEOUT_MS: whole(10_000, 100, 600_000),
  })
  .readonly()

export type Config = z.infer<typeof schema>

/** A configuration that cannot be used; its message names every wrong variable. */
export class ConfigError extends Error {}

/** The process's own variables: the only place that reads them. */
export function environment(): Environment {
  return process.env
}

/** The frozen configuration that those variables describe; throws {@link ConfigError}. An empty variable counts as absent. */
export function loadConfig(variables: Environment): Config {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined && value !== ''))
  const result = schema.safeParse(given)
  if (result.success) return result.data
  const lines = result.error.issues.map((issue) => {
    const name = issue.path.join('.')
    return `  ${name}: ${given[name] === undefined ? 'is required' : issue.message}`
  })
  throw new ConfigError(`The configuration cannot be used:\n${lines.join('\n')}`)
}
