/** One piece of SQL; the pieces of a text, put together, are the text. */
export interface Token {
  /** `type` is a type's name with its modifiers, such as `::numeric(10,2)`; `symbol` an operator or a bracket. */
  readonly kind: (typeof kinds)[number]
  readonly text: string
}

const kinds = ['space', 'name', 'symbol', 'literal', 'parameter', 'type', 'comment'] as const

/**
 * SQL with `?` for every string and number written in it, and without its comments. Names, parameters (`$1`) and the
 * modifiers of types (`numeric(10,2)`) stay. A text that was cut off inside a literal or a comment gives nothing away.
 */
export function redactLiterals(sql: string): string {
  const instead: Partial<Record<Token['kind'], string>> = { literal: '?', comment: ' ' }
  return tokensOf(sql)
    .map(({ kind, text }) => instead[kind] ?? text)
    .join('')
    .trim()
}

/** As much of a statement's text as is told. */
export function cut(sql: string): string {
  return sql.slice(0, longestText)
}

const longestText = 2_000

/** The pieces of SQL as PostgreSQL reads it with `standard_conforming_strings`, as it is unless somebody turns it off. */
export function tokensOf(sql: string): Token[] {
  const pattern = new RegExp(token, 'iy')
  const tokens: Token[] = []
  while (pattern.lastIndex < sql.length) {
    const start = pattern.lastIndex
    const found = pattern.exec(sql)?.groups ?? {}
    if (found.comment === '/*') pattern.lastIndex = commentEnd(sql, start)
    const kind = kinds.find((name) => found[name]) ?? 'symbol'
    tokens.push({ kind, text: sql.slice(start, pattern.lastIndex) })
  }
  return tokens
}

const letter = String.raw`[a-z_\u0080-\uffff]`
const digits = String.raw`\d[\d_]*`
const number = String.raw`0[xob][\da-f_]+|(?:${digits}(?:\.(?:${digits})?)?|\.${digits})(?:e[+-]?${digits})?`
const modifiers = String.raw`\s*\(\s*\d+(?:\s*,\s*-?\d+)*\s*\)`
const sized = 'varchar|varying|char|character|bit|numeric|decimal|dec|float|time|timestamp|interval'

/** What is not closed goes to the end of the text; an operator ends where a comment begins. */
const token = [
  String.raw`(?<comment>--[^\n\r]*|/\*)`,
  String.raw`(?<literal>e'(?:\\[^]|''|[^'\\])*\\?'?|(?:[bxn]|u&)?'(?:''|[^'])*'?` +
    String.raw`|\$(?<tag>${letter}[\w\u0080-\uffff]*)?\$[^]*?(?:(?-i:\$\k<tag>\$)|$)|${number})`,
  String.raw`(?<type>(?:::\s*)?(?:${sized})${modifiers})`,
  String.raw`(?<name>(?:u&)?"(?:""|[^"])*"?|${letter}[\w$\u0080-\uffff]*)`,
  String.raw`(?<parameter>\$\d+)`,
  String.raw`(?<space>\s+)`,
  '(?<symbol>::|(?:(?!--|/\\*)[-+*/<>=~!@#%^&|`?])+|[^])',
].join('|')

/** Comments stand in comments. */
function commentEnd(sql: string, start: number): number {
  let depth = 0
  for (const { 0: mark, index } of sql.slice(start).matchAll(/\/\*|\*\//g)) {
    depth += mark === '/*' ? 1 : -1
    if (depth === 0) return start + index + 2
  }
  return sql.length
}
