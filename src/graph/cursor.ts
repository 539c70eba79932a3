import { Failure } from '../core/errors.js'

/** The types a keyset may be made of. */
export type KeyType = 'timestamptz' | 'uuid' | 'text' | 'numeric' | 'int'

const version = 1

/** The opaque cursor of a row: a version, the ordering it belongs to, and the row's keys in the database's own text. */
export function encodeCursor(ordering: string, keys: readonly unknown[]): string {
  return Buffer.from(JSON.stringify([version, ordering, ...keys.map(String)])).toString('base64url')
}

/**
 * The keys in a cursor of that ordering.
 * @throws Failure BAD_USER_INPUT for a damaged cursor or one of another ordering: never page one instead.
 */
export function decodeCursor(cursor: string, argument: string, ordering: string, types: readonly KeyType[]): string[] {
  const parts = parse(cursor)
  if (parts?.[0] !== version)
    throw new Failure('BAD_USER_INPUT', `The cursor in \`${argument}\` is not one of this API's.`)
  const [, given, ...keys] = parts
  if (given !== ordering)
    throw new Failure('BAD_USER_INPUT', `The cursor in \`${argument}\` belongs to another connection or ordering.`)
  if (keys.length !== types.length || !keys.every((key, index) => valid(types[index] as KeyType, key)))
    throw new Failure('BAD_USER_INPUT', `The cursor in \`${argument}\` is damaged.`)
  return keys as string[]
}

/** An indexed text has at most 2,704 bytes; JSON writes six for a control character, base64 a third more. */
const longest = 24_000

function parse(cursor: string): unknown[] | undefined {
  if (cursor.length > longest) return undefined
  try {
    const text = Buffer.from(cursor, 'base64url').toString()
    const parts: unknown = JSON.parse(text)
    // base64url forgives stray characters, and JSON white space; only what we would write ourselves is one of ours.
    const same = Buffer.from(text).toString('base64url') === cursor && JSON.stringify(parts) === text
    return same && Array.isArray(parts) ? parts : undefined
  } catch {
    return undefined
  }
}

const shapes: Record<KeyType, (key: string) => boolean> = {
  timestamptz: (key) =>
    /^-?infinity$/.test(key) ||
    (/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?\+00$/.test(key) && isDate(key.slice(0, 19).replace(' ', 'T'))),
  uuid: (key) => /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(key),
  text: (key) => key.isWellFormed() && !key.includes('\0'),
  numeric: (key) => /^(-?\d{1,30}(\.\d{1,30})?|NaN)$/.test(key),
  int: (key) => /^-?\d{1,10}$/.test(key) && Number(key) >= -(2 ** 31) && Number(key) < 2 ** 31,
}

function valid(type: KeyType, key: unknown): boolean {
  return typeof key === 'string' && shapes[type](key)
}

/** A day that exists: `Date` would take 30 February for 1 March. */
function isDate(text: string): boolean {
  const time = Date.parse(`${text}Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text) && !text.startsWith('0000')
}
