import fc from 'fast-check'
import { expect, test } from 'vitest'
import { redactLiterals, tokensOf } from '../../src/observe/redact.js'

test.each([
  [`select * from t where name = 'O''Brien' and n = 12.5e-3`, 'select * from t where name = ? and n = ?'],
  [`select E'it\\'s', U&'\\0061', B'101', 'a' 'b'`, 'select ?, ?, ?, ? ?'],
  [`select $$it's$$, $q$ $$ ' $q$, $1, $12`, 'select ?, ?, $1, $12'],
  ['select t1.a2, f$1$x, "it\'s 5", 0xFF, 1_000, .5, 1.', 'select t1.a2, f$1$x, "it\'s 5", ?, ?, ?, ?'],
  [
    'select a::numeric(10, 2), cast(b as varchar(20)), round(c, 2)',
    'select a::numeric(10, 2), cast(b as varchar(20)), round(c, ?)',
  ],
  [`'{a,"b''"}'::text[] <> '5'::character varying(20)`, '?::text[] <> ?::character varying(20)'],
  [`select 1 -- O'Brien\n, 2 /* it's /* nested */ 'secret' */ , a-1`, 'select ?  \n, ?   , a-?'],
  [`select 'cut of`, 'select ?'],
  [`select E'cut of\\`, 'select ?'],
  ['select $q$cut $of', 'select ?'],
  ['select 1 /* cut /* of */', 'select ?'],
])('%s', (sql, redacted) => expect(redactLiterals(sql)).toBe(redacted))

test('no literal and no comment survives, and everything else does', () => {
  const piece = fc.oneof(
    quoted.map(({ open, text, close }) => [`${open}${text}${close}`, '?']),
    number.map((text) => [text, '?']),
    comment,
    plain.map((text) => [text, text]),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const [sql, redacted] = [0, 1].map((side) => pieces.map((texts) => texts[side]).join('\n'))
      expect(redactLiterals(sql as string)).toBe(redacted?.trim())
    }),
    { numRuns: 1000 },
  )
})

test('what was cut off inside a literal is redacted too', () => {
  fc.assert(
    fc.property(quoted, fc.nat(), ({ open, text }, length) => {
      expect(redactLiterals(`a = ${open}${text.slice(0, length % (text.length + 1))}`)).toBe('a = ?')
    }),
  )
})

test('the pieces of a text are the text', () => {
  fc.assert(
    fc.property(secret, (sql) => {
      const pieces = tokensOf(sql).map(({ text }) => text)
      expect(pieces.join('')).toBe(sql)
    }),
  )
})

const secret = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...`'"\\$-/*;a5é `) }))
const quoted = fc.oneof(
  secret.map((text) => ({ open: "'", text: text.replaceAll("'", "''"), close: "'" })),
  secret.map((text) => ({ open: "E'", text: text.replace(/[\\']/g, (sign) => `\\${sign}`), close: "'" })),
  fc
    .tuple(secret, fc.constantFrom('$$', '$q$', '$täg_1$'))
    .filter(([text, mark]) => !`${text}$`.includes(mark))
    .map(([text, mark]) => ({ open: mark, text, close: mark })),
)
const number = fc.oneof(
  fc.nat().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 }).map(String),
  fc.nat().map((value) => `0x${value.toString(16)}`),
)
const comment = fc.oneof(
  secret.map((text) => [`--${text.replace(/[\n\r]/g, '')}`, ' ']),
  secret.map((text) => [`/*${withoutMarks(text)} /* ' */*/`, ' ']),
)
const plain = fc.constantFrom(
  ...['select', 'a1', '"a \'5\'"', 'x.y', '$1', '<=', '(', ')', '[]', 'u$5$u', '::varchar(10)', 'numeric(10,2)', 'é'],
)

/** What is taken out may leave others that were apart. */
function withoutMarks(text: string): string {
  const rest = text.replace(/\*\/|\/\*|[/*]$/g, '')
  return rest === text ? text : withoutMarks(rest)
}
