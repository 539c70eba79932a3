import { type ErrorCode, Failure } from '../core/errors.js'

/** The failure a client may see for what the database said; anything without a code of its own comes back as it was. */
export function asFailure(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof Failure) return error
  const code = (error as { code?: unknown }).code
  const [failure, message] = (typeof code === 'string' && failures[code]) || unlisted(error)
  return failure ? new Failure(failure, message, { originalError: error }) : error
}

const timeout = ['TIMEOUT', 'The database took too long to answer.'] as const
const conflict = ['CONFLICT', 'Another change came first. Try again.'] as const
const full = ['OVERLOADED', 'The database has no free connection.'] as const
const gone = ['OVERLOADED', 'The database cannot be reached.'] as const

/** By SQLSTATE, or the code of what the network said. */
const failures: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  '57014': timeout, // query_canceled: statement_timeout
  '55P03': timeout, // lock_not_available: lock_timeout
  '25P03': timeout, // idle_in_transaction_session_timeout
  '40001': conflict, // serialization_failure
  '40P01': conflict, // deadlock_detected
  '23503': ['CONFLICT', 'Something that this refers to is gone.'], // foreign_key_violation
  '22021': ['BAD_USER_INPUT', 'A text holds the character U+0000.'], // character_not_in_repertoire
  '22P05': ['BAD_USER_INPUT', 'A text holds the character U+0000.'], // untranslatable_character: the same, in JSON
  '53300': full, // too_many_connections
  '57P01': gone, // admin_shutdown
  '57P02': gone, // crash_shutdown
  '57P03': gone, // cannot_connect_now
  ECONNREFUSED: gone,
  ECONNRESET: gone,
  EPIPE: gone,
}

/** What pg says without a code. */
function unlisted(error: Error): readonly [ErrorCode | undefined, string] {
  const { message } = error
  if (message.startsWith('timeout exceeded when trying to connect')) return full
  return message.startsWith('Connection terminated') || isUnsent(error) ? gone : [undefined, message]
}

/** What pg says where a connection was lost before it was given the statement. */
export function isUnsent({ message }: Error): boolean {
  return message.startsWith('Client has encountered a connection error')
}

/** The unique constraint that a write ran into, if that is what the error says. */
export function violatedConstraint(error: unknown): string | undefined {
  const { code, constraint, cause } = (error ?? {}) as { code?: string; constraint?: string; cause?: unknown }
  if (code === '23505' && constraint) return constraint
  return cause === undefined || cause === error ? undefined : violatedConstraint(cause)
}
