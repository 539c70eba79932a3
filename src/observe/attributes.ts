import type { Attributes } from '@opentelemetry/api'
import type { ToldError } from '../core/events.js'
import type { OperationInfo } from '../core/request.js'

/** The label of what is not known by name: any client can send any name, and each would be one more. */
export const other = '_OTHER'

const methods = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'])

/** A request's method, where it is one that HTTP servers know. */
export function methodOf(method: string): string {
  return methods.has(method) ? method : other
}

/** What is known of an operation. */
export function describeOperation({ name, type, hash }: OperationInfo): Attributes {
  const attributes = describeDocument(hash)
  if (name) attributes['graphql.operation.name'] = name
  if (type) attributes['graphql.operation.type'] = type
  return attributes
}

export function describeDocument(hash: string | undefined): Attributes {
  return hash ? { 'graphql.document.hash': `sha256:${hash}` } : {}
}

/** A field by its coordinate, as in `Post.author`. */
export function describeField(coordinate: string): Attributes {
  const [type = '', name = ''] = coordinate.split('.')
  return {
    'graphql.selection.field.coordinate': coordinate,
    'graphql.selection.field.parent_type': type,
    'graphql.selection.field.name': name,
  }
}

/** An error as the client was told of it, but for what it sent. */
export function describeError(error: ToldError, hasData: boolean): Attributes {
  return {
    'graphql.error.message': withoutValues(error.message),
    'error.type': codeOf(error),
    'log.severity': hasData ? 'WARN' : 'ERROR',
    ...(error.path && { 'graphql.error.path': error.path.join('.') }),
  }
}

export function codeOf({ extensions }: ToldError): string {
  return String(extensions?.code ?? 'INTERNAL')
}

/** What failed is told by its kind: a message of the driver's may hold values. */
export function typeOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown }
  return String(code ?? name ?? other)
}

/** graphql-js quotes the values that it refuses, and names that are the client's. */
function withoutValues(message: string): string {
  return message
    .replace(/^Unknown operation named ".*/s, 'Unknown operation.')
    .replace(/^Value ".*"(?= does not exist in "\w+" enum)/s, 'Value …')
    .replace(/(\bvalue: |\binvalid value |, found |\bUnexpected |: (?=")).*/s, '$1…')
}
