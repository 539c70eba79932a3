import { HeaderMap, type HTTPGraphQLHead } from '@apollo/server'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { GraphQLError, type GraphQLFormattedError } from 'graphql'
import { type ErrorCode, Failure, isErrorCode } from '../core/errors.js'
import type { Log } from '../core/log.js'
import { currentRequest, inRequest } from '../core/request.js'

/** The HTTP status of a request that fails as a whole with that code. */
export const statusOf: Readonly<Record<ErrorCode, number>> = {
  BAD_USER_INPUT: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  TIMEOUT: 504,
  RATE_LIMITED: 429,
  OVERLOADED: 503,
  INTERNAL: 500,
  GRAPHQL_PARSE_FAILED: 400,
  GRAPHQL_VALIDATION_FAILED: 400,
  PERSISTED_QUERY_NOT_FOUND: 200,
}

/** A failure of the whole request, answered with that HTTP status. */
export function httpFailure(
  status: number,
  code: ErrorCode,
  message: string,
  headers: Record<string, string> = {},
): Failure {
  const extensions: Record<string, unknown> = { http: { status, headers: new HeaderMap(Object.entries(headers)) } }
  return new Failure(code, message, { extensions })
}

/** The errors of a GraphQL answer as clients may see them; what has no code of the closed list is masked and logged. */
export function createErrorFormat(log: Log, suggestions: boolean) {
  return (formatted: GraphQLFormattedError, error: unknown): GraphQLFormattedError => {
    const failure = findFailure(error)
    const code = failure?.code ?? codeOf(formatted, error)
    const { locations, path } = formatted
    const place = { ...(locations && { locations }), ...(path && { path }) }
    if (code === 'INTERNAL') return { message: mask(error, log), ...place, extensions: { code } }
    const { http: _, ...told } = failure?.extensions ?? {}
    return { message: shorten(wordsOf(error, formatted.message), suggestions), ...place, extensions: { ...told, code } }
  }
}

/** Answers what failed outside GraphQL, in GraphQL's shape. */
export function createErrorReply(log: Log, bodyLimit: number) {
  return (error: FastifyError | Failure, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    if (error instanceof Failure) return replyFailure(reply, error)
    // A Host header that is none is found out only when a URL is made of it.
    const status = error.code === 'ERR_INVALID_URL' ? 400 : (error.statusCode ?? 500)
    if (status >= 400 && status < 500) return replyError(reply, status, 'BAD_USER_INPUT', explain(status, bodyLimit))
    return inRequest(request.info, () => replyError(reply, 500, 'INTERNAL', mask(error, log)))
  }
}

export function replyError(reply: FastifyReply, status: number, code: ErrorCode, message: string): FastifyReply {
  return reply.code(status).type('application/json; charset=utf-8').send(errorBody(code, message))
}

/** One error in the shape that every error of the API has. */
export function errorBody(code: ErrorCode, message: string): string {
  return JSON.stringify({ errors: [{ message, extensions: { code } }] })
}

function findFailure(error: unknown): Failure | undefined {
  for (let at = error; at instanceof GraphQLError; at = at.originalError) if (at instanceof Failure) return at
  return undefined
}

function codeOf({ extensions }: GraphQLFormattedError, error: unknown): ErrorCode {
  if (isOverflow(error)) return 'BAD_USER_INPUT'
  if (isErrorCode(extensions?.code)) return extensions.code
  return isClientMistake(error) ? 'BAD_USER_INPUT' : 'INTERNAL'
}

/** What Apollo and graphql-js say of a request that is wrong, where they give it no code of their own. */
function isClientMistake(error: unknown): boolean {
  if (!(error instanceof GraphQLError)) return false
  const { status } = (error.extensions.http ?? {}) as { status?: number }
  if (status !== undefined) return status >= 400 && status < 500
  // A nullable variable with a default may stand where null is refused: only its value shows that, while executing.
  const origin = innermost(error)
  return origin instanceof GraphQLError && origin.nodes !== undefined && origin.message.startsWith('Argument "')
}

/** What is said of a mistake: where the libraries' words are too many or too few, our own. */
function wordsOf(error: unknown, message: string): string {
  if (isOverflow(error)) return 'The request is nested too deeply.'
  if (message.startsWith('This operation has been blocked as a potential Cross-Site'))
    return 'Send `content-type: application/json` or `apollo-require-preflight: true`: any website can have a browser ask without.'
  return message
}

function innermost(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError ? innermost(error.originalError) : error
}

/** Recursion over a request that is nested too deeply, caught by whatever parser or validator met it. */
function isOverflow(error: unknown): boolean {
  const origin = innermost(error)
  return origin instanceof RangeError && origin.message.startsWith('Maximum call stack')
}

const longestMessage = 300

function shorten(message: string, suggestions: boolean): string {
  const told = suggestions ? message : message.replace(/ ?Did you mean .*$/s, '')
  return told.length > longestMessage ? `${told.slice(0, longestMessage)}…` : told
}

function mask(error: unknown, log: Log): string {
  const original = error instanceof GraphQLError ? (error.originalError ?? error) : error
  const path = error instanceof GraphQLError ? error.path : undefined
  log.error({ err: original, path }, 'request failed')
  return `Something went wrong. It was logged under request ${currentRequest()?.id}.`
}

function replyFailure(reply: FastifyReply, { code, message, extensions }: Failure): FastifyReply {
  const { status = statusOf[code], headers = [] } = (extensions.http ?? {}) as Partial<HTTPGraphQLHead>
  return replyError(reply.headers(Object.fromEntries(headers)), status, code, message)
}

function explain(status: number, bodyLimit: number): string {
  if (status === 413) return `A request body takes at most ${bodyLimit} bytes.`
  if (status === 415) return 'Send `content-type: application/json`.'
  return 'The request cannot be read: is its body the JSON object it should be?'
}
