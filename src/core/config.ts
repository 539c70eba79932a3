import { availableParallelism } from 'node:os'
import { z } from 'zod'
import { parseRedisUrl } from './redis-url.js'

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
/** `name=url` each. What is wrong is told without the URL: it may hold a password. */
const urlsByName = list.transform((parts, check) => {
  const entries = parts.flatMap((part): [string, URL][] => {
    const [, name, url = ''] = /^([a-z][a-z0-9-]*) *= *(\S+)$/.exec(part) ?? []
    const parsed = URL.parse(url)
    if (name && parsed && /^https?:$/.test(parsed.protocol) && !parsed.search && !parsed.hash) return [[name, parsed]]
    check.addIssue(`must be a list of name=url${name ? `: that of ${name} is no http:// URL without a query` : ''}`)
    return []
  })
  const names = entries.map(([name]) => name)
  if (new Set(names).size < names.length) check.addIssue('names a service twice')
  return entries
})
/** What is wrong is told without the URL: it may hold a password. */
const redisUrl = z.string().transform((value, check) => {
  const place = parseRedisUrl(value)
  if (!place)
    check.addIssue('must be redis://host:port, rediss://host:port or redis+sentinel://host:port,host:port/<master>')
  return place ?? z.NEVER
})

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
    /** Writes a sampled request's trace context into its statements, which can then have no name. */
    DB_TRACE_CONTEXT: flag(false),
    /** How many exports run at once; each has a connection beside the pool's. */
    EXPORT_CONNECTIONS: whole(2, 1, 50),
    /** How long an export waits for its reader to take the next rows before it is cut: it holds a snapshot meanwhile. */
    EXPORT_IDLE_TIMEOUT_MS: whole(60_000, 100, 3_600_000),
    EXPORT_TIMEOUT_MS: whole(3_600_000, 100, 86_400_000),

    /** Where the cache is that processes share; without it each has its own alone. */
    REDIS_URL: redisUrl.optional(),
    /** How long anybody waits for Redis. */
    REDIS_TIMEOUT_MS: whole(20, 1, 10_000),

    /** Off reads everything from the database, each time. */
    CACHE: flag(true),
    /** Whether whole answers are kept too. */
    CACHE_RESPONSES: flag(true),
    /** How much a process keeps itself; 0 leaves all to Redis. */
    CACHE_MEMORY_MB: whole(64, 0, 100_000),
    /** How long a value is kept that nobody changes. */
    CACHE_TTL_S: whole(300, 1, 86_400),
    /** A build's id: what builds of other ids keep in Redis is not read. Without it, those of the same schema read each other's. */
    CACHE_RELEASE: z.string().optional(),
    /** How old an answer may be after a change that the process was not told of. */
    CACHE_COHERENCE_MS: whole(5_000, 100, 60_000),
    /** How long clients and CDNs may keep what is the same for everybody without asking again, by GET. */
    CACHE_HTTP_MAX_AGE_S: whole(0, 0, 86_400),

    /** Has the server do jobs too: for a single process, as `npm start` is one. */
    WORKER: flag(false),
    /** How many jobs a process does at a time. */
    WORKER_CONCURRENCY: whole(4, 1, 100),
    SMTP_URL: z
      .string()
      .regex(/^smtps?:\/\//, 'must be an smtp:// or smtps:// URL')
      .optional(),
    MAIL_FROM: z.string().includes('@').default('Plumbline <noreply@localhost>'),
    /** Where mail is written into files; SMTP_URL goes before it. */
    MAIL_FOLDER: z.string().optional(),
    /** Where the services are that slices call; a user and password in a URL are sent as Basic authorization. */
    REMOTE_URLS: urlsByName,

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
    /** Lets administrators take CPU profiles and heap snapshots. */
    DIAGNOSTICS: flag(false),

    SLOW_STATEMENT_MS: whole(100, 1, 600_000),
    /** What the log tells of a slow statement's plan: as it is estimated, or as the statement ran once more, which reads. */
    SLOW_STATEMENT_PLANS: z.enum(['off', 'estimated', 'analyzed']).default('estimated'),
    SLOW_OPERATION_MS: whole(1_000, 1, 600_000),
    /** How many of the requests the detectors look into, 0 to 1. */
    DETECTORS_RATIO: z.coerce.number().min(0).max(1).default(0.01),
    /** Who sends it in x-field-spans gets a span per resolver. */
    FIELD_SPANS_TOKEN: z.string().min(16, 'must have at least 16 characters').optional(),

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
