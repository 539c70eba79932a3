import { GraphQLScalarType, Kind } from 'graphql'
import { z } from 'zod'
import { Failure } from '../core/errors.js'

/** A point in time: the database's own text in, RFC 3339 in UTC with microseconds out. */
export const DateTime = new GraphQLScalarType<string, string>({
  name: 'DateTime',
  description: 'A point in time: RFC 3339, in UTC, with microseconds.',
  specifiedByURL: 'https://scalars.graphql.org/andimarek/date-time.html',
  serialize: (value) => toRfc3339(String(value)),
  parseValue: parseDateTime,
  parseLiteral: (node) => parseDateTime(node.kind === Kind.STRING ? node.value : undefined),
})

/** The same in what is no GraphQL, such as an export's parameters. */
export const dateTime = () =>
  z.string().transform((value, check) => {
    try {
      return parseDateTime(value)
    } catch (error) {
      check.addIssue((error as Failure).message)
      return z.NEVER
    }
  })

/** A decimal number as a string, exact: JavaScript's numbers would lose digits. */
export const Decimal = new GraphQLScalarType<string, string>({
  name: 'Decimal',
  description: 'A decimal number as a string, exact.',
  specifiedByURL: 'https://www.iso.org/standard/81464.html',
  serialize: String,
  parseValue: parseDecimal,
  parseLiteral: (node) => parseDecimal('value' in node ? node.value : undefined),
})

/** `2024-01-02 03:04:05.6+00` as `2024-01-02T03:04:05.600000Z`. */
function toRfc3339(text: string): string {
  // The database knows times that RFC 3339 does not: infinity, and years that have not four digits.
  if (text.charCodeAt(4) !== 45 || !text.endsWith('+00')) throw new RangeError(`No DateTime can say "${text}".`)
  const whole = text.slice(0, 19)
  const fraction = text.charCodeAt(19) === 46 ? text.slice(20, text.length - 3) : ''
  return `${whole.slice(0, 10)}T${whole.slice(11)}.${fraction.padEnd(6, '0')}Z`
}

const rfc3339 =
  /^((?!0000)\d{4}-\d\d-\d\d)[Tt]((?:[01]\d|2[0-3]):\d\d:\d\d)(\.\d{1,6})?([Zz]|[+-](?:0\d|1[0-4]):[0-5]\d)$/

function parseDateTime(value: unknown): string {
  const match = typeof value === 'string' ? rfc3339.exec(value) : null
  const [, day, time, fraction = '', zone = ''] = match ?? []
  const exists =
    day && !Number.isNaN(Date.parse(`${day}T${time}Z`)) && new Date(`${day}T00:00:00Z`).toISOString().startsWith(day)
  if (!exists || Number.isNaN(Date.parse(`${day}T${time}${zone.toUpperCase()}`)))
    throw new Failure('BAD_USER_INPUT', 'A DateTime is written like 2024-01-31T12:00:00Z.')
  return `${day} ${time}${fraction}${zone.toUpperCase() === 'Z' ? '+00' : zone}`
}

function parseDecimal(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : value
  if (typeof text !== 'string' || !/^-?\d{1,15}(\.\d{1,10})?$/.test(text))
    throw new Failure('BAD_USER_INPUT', 'A Decimal is written like "12.50".')
  return text
}
