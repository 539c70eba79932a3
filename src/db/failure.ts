import { Failure } from '../core/errors.js'

/** The failure a client may see for what the database said; anything without a code of its own comes back as it was. */
export function asFailure(error: unknown): unknown {
  switch ((error as { code?: string } | undefined)?.code) {
    case '57014': // query_canceled: statement_timeout
    case '55P03': // lock_not_available: lock_timeout
    case '25P03': // idle_in_transaction_session_timeout
      return new Failure('TIMEOUT', 'The database took too long to answer.', { originalError: error as Error })
    case '40001': // serialization_failure
    case '40P01': // deadlock_detected
      return new Failure('CONFLICT', 'Another change came first. Try again.', { originalError: error as Error })
    case '22021': // character_not_in_repertoire
      return new Failure('BAD_USER_INPUT', 'A text holds the character U+0000.', { originalError: error as Error })
    case '53300': // too_many_connections
      return new Failure('OVERLOADED', 'The database has no free connection.', { originalError: error as Error })
  }
  if (error instanceof Error && error.message.startsWith('timeout exceeded when trying to connect'))
    return new Failure('OVERLOADED', 'The database has no free connection.', { originalError: error })
  return error
}

/** The unique constraint that a write ran into, if that is what the error says. */
export function violatedConstraint(error: unknown): string | undefined {
  const { code, constraint, cause } = (error ?? {}) as { code?: string; constraint?: string; cause?: unknown }
  if (code === '23505' && constraint) return constraint
  return cause === undefined || cause === error ? undefined : violatedConstraint(cause)
}
