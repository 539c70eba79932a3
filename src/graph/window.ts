import { Failure } from '../core/errors.js'

/** The arguments of a connection, as the client gave them. */
export interface PageArguments {
  readonly first?: number | null
  readonly after?: string | null
  readonly last?: number | null
  readonly before?: string | null
  readonly orderBy?: { readonly field: string; readonly direction: 'ASC' | 'DESC' } | null
}

/** Which stretch of a connection is wanted, from which end. */
export interface Window {
  readonly size: number
  readonly backward: boolean
  readonly after: string | undefined
  readonly before: string | undefined
}

export const defaultPageSize = 20
export const largestPageSize = 100

/** The window that those arguments name. @throws Failure BAD_USER_INPUT for arguments that name none. */
export function readWindow({ first, after, last, before }: PageArguments): Window {
  if (typeof first === 'number' && typeof last === 'number')
    throw new Failure('BAD_USER_INPUT', 'Give `first` or `last`, not both.')
  const backward = typeof last === 'number'
  const size = (backward ? last : first) ?? defaultPageSize
  if (size < 0 || size > largestPageSize)
    throw new Failure('BAD_USER_INPUT', `\`${backward ? 'last' : 'first'}\` takes 0 to ${largestPageSize}.`)
  return { size, backward, after: after ?? undefined, before: before ?? undefined }
}
