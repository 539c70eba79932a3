import { GraphQLError, type GraphQLErrorOptions } from 'graphql'

/** The closed list of `extensions.code` values a client may meet. */
export const errorCodes = [
  'BAD_USER_INPUT',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'NOT_FOUND',
  'CONFLICT',
  'TIMEOUT',
  'RATE_LIMITED',
  'OVERLOADED',
  'INTERNAL',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'PERSISTED_QUERY_NOT_FOUND',
] as const

export type ErrorCode = (typeof errorCodes)[number]

/** An error whose message is written for the client and may be shown as it stands. */
export class Failure extends GraphQLError {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options: GraphQLErrorOptions = {}) {
    super(message, { ...options, extensions: { ...options.extensions, code } })
    this.code = code
  }
}

/** True for a value of the closed list. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return (errorCodes as readonly unknown[]).includes(code)
}

/** What is said of an error where a line has no room for all of it; that several addresses failed, only a code tells. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.message || String((error as { code?: unknown }).code ?? error.name)
}
