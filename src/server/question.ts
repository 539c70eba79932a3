import { hash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { chooseMediaType, type MediaType } from './media.js'

/** A request that asks for one operation in the plain way, and what its answer depends on beside who asks. */
export interface Question {
  /** The document, the operation's name and the variables. */
  readonly key: string
  /** The document's SHA-256, in hexadecimal digits. */
  readonly document: string
  readonly mediaType: MediaType
}

/** What Apollo takes for a sign that a page did not make a browser send it: without one it refuses a GET. */
const preflighted = ['x-apollo-operation-name', 'apollo-require-preflight']

/** What is not looked for: no answer to it is kept. Whatever begins otherwise is found out by being answered. */
const mutating = /^\s*mutation\b/

/** In characters: longer ones are known by their digest. */
const longest = 256

/** How many URLs are remembered, and in characters, how long at most: together 4 MB. */
const remembered = { urls: 1_000, longest: 2_000 }

interface Parameters {
  readonly query?: unknown
  readonly operationName?: unknown
  readonly variables?: unknown
  readonly extensions?: unknown
}

/** Undefined for whatever is not asked in the plain way, or is to be refused: who answers others also says why not. */
export type ReadQuestion = (request: FastifyRequest) => Question | undefined

type Identity = Pick<Question, 'key' | 'document'>

/** Makes one that remembers what URLs ask. */
export function createQuestionReader(): ReadQuestion {
  // Reading a URL takes longer than finding its answer.
  const urls = new Map<string, Identity>()

  function readUrl(url: string): Identity | undefined {
    const known = urls.get(url)
    if (known) return known
    const identity = identify(readSearch(url))
    if (identity && url.length <= remembered.longest) urls.set(url, identity)
    const [oldest] = urls.keys()
    if (urls.size > remembered.urls && oldest !== undefined) urls.delete(oldest)
    return identity
  }

  return (request) => {
    const mediaType = chooseMediaType(request.headers.accept)
    if (!mediaType || (request.method === 'GET' && !isPreflighted(request))) return undefined
    const asked = request.method === 'GET' ? readUrl(request.url) : identify(readBody(request))
    return asked && { ...asked, mediaType }
  }
}

function isPreflighted({ headers }: FastifyRequest): boolean {
  const type = headers['content-type']
  return type === 'application/json' || (type === undefined && preflighted.some((name) => headers[name]))
}

function identify(parameters: Parameters | undefined): Identity | undefined {
  if (!parameters) return undefined
  const { query, operationName: name, variables } = parameters
  if (typeof query === 'string' && mutating.test(query)) return undefined
  if (!isAbsent(name) && typeof name !== 'string') return undefined
  const document = readDocument(parameters)
  const values = write(variables ?? {})
  if (!document || !values) return undefined
  // An empty name is not the same as none.
  const told = `${JSON.stringify(name ?? null)} ${values}`
  return { key: `${document} ${told.length > longest ? hash('sha256', told, 'base64url') : told}`, document }
}

function readBody({ body }: FastifyRequest): Parameters | undefined {
  if (!isRecord(body)) return undefined
  const { variables, extensions } = body as Parameters
  return [variables, extensions].every((given) => isAbsent(given) || isRecord(given)) ? body : undefined
}

/** As Apollo reads it: what Fastify takes for a URL's query is not the same where the URL is odd. */
function readSearch(url: string): Parameters | undefined {
  const given = URL.parse(url, 'http://host')?.searchParams
  if (!given || new Set(given.keys()).size < given.size) return undefined
  try {
    return {
      query: given.get('query'),
      operationName: given.get('operationName'),
      variables: parse(given.get('variables')),
      extensions: parse(given.get('extensions')),
    }
  } catch {
    return undefined
  }
}

/** @throws Error for what is no JSON object. */
function parse(text: string | null): object | undefined {
  if (text === null) return undefined
  const value: unknown = JSON.parse(text)
  if (!isRecord(value)) throw new TypeError('That is no JSON object.')
  return value
}

/** Undefined for what is nested too deeply, or has a number so large that its text would be that of null. */
function write(variables: object): string | undefined {
  try {
    const text = JSON.stringify(variables)
    return text.includes('null') ? JSON.stringify(variables, refuseInfinity) : text
  } catch {
    return undefined
  }
}

function refuseInfinity(_name: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError('JSON has no word for that.')
  return value
}

/** The document's SHA-256, said or computed; undefined where they are not the same. */
function readDocument({ query, extensions }: Parameters): string | undefined {
  const persisted = isAbsent(extensions) ? undefined : (extensions as { persistedQuery?: unknown }).persistedQuery
  const computed = typeof query === 'string' && query !== '' ? hash('sha256', query, 'hex') : undefined
  if (isAbsent(persisted)) return computed
  const { version, sha256Hash } = persisted as { version?: unknown; sha256Hash?: unknown }
  if (version !== 1 || typeof sha256Hash !== 'string' || !/^[0-9a-f]{64}$/.test(sha256Hash)) return undefined
  if (computed !== undefined) return computed === sha256Hash ? computed : undefined
  return isAbsent(query) ? sha256Hash : undefined
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null
}
