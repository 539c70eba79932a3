import { type Token, tokensOf } from './redact.js'

/** One of the comparisons that a condition joins by AND, as an index could serve it. */
export interface Term {
  /** A column that equals a value or any of several, columns that are above or below values, a predicate as it stands. */
  readonly kind: 'equal' | 'any' | 'range' | 'where'
  /** Columns and expressions of columns, as `CREATE INDEX` takes them; those of a row comparison in its order. */
  readonly keys: readonly string[]
}

/**
 * The comparisons of a plan's condition on the table of that alias. Undefined where it is anything but an AND of columns
 * (as text, or their `lower` and `upper`) compared with what is not of the table.
 */
export function termsOf(condition: string, alias: string): Term[] | undefined {
  const terms = split(unwrap(read(condition)), 'AND').map((tokens) => termOf(unwrap(tokens), alias))
  return terms.every((term) => term !== undefined) ? terms : undefined
}

/** What rows are sorted by, as `CREATE INDEX` takes it: the key alone, and with its direction. */
export interface SortKey {
  readonly key: string
  readonly text: string
}

/** A plan's sort key; undefined where it is not the table's. */
export function sortKeyOf(text: string, alias: string): SortKey | undefined {
  const [, expression = '', order = ''] =
    /^(.*?)((?: COLLATE \S+)?(?: DESC)?(?: NULLS (?:FIRST|LAST))?)$/s.exec(text) ?? []
  const key = keyOf(read(expression), alias)
  return key === undefined ? undefined : { key, text: `${key}${order}` }
}

function termOf(tokens: readonly Token[], alias: string): Term | undefined {
  const predicate = predicateOf(tokens, alias)
  if (predicate) return { kind: 'where', keys: [predicate] }
  const [at, ...others] = atTop(tokens).filter((index) => isOperator(tokens[index]))
  if (at === undefined || others.length > 0) return undefined
  const [left, operator, right] = [tokens.slice(0, at), tokens[at]?.text ?? '', tokens.slice(at + 1)]
  return compare(left, operator, right, alias) ?? compare(right, operator, left, alias)
}

/** A boolean column, or a question for NULL. */
function predicateOf(tokens: readonly Token[], alias: string): string | undefined {
  const words = tokens.map(({ text }) => text)
  const start = words[0] === 'NOT' ? 1 : 0
  const asked = [3, 2].find((count) => /^IS (NOT )?NULL$/.test(words.slice(-count).join(' '))) ?? 0
  const end = words.length - asked
  const column = columnOf(unwrap(tokens.slice(start, end)), alias)
  return column && [...words.slice(0, start), column, ...words.slice(end)].join(' ')
}

function compare(side: readonly Token[], operator: string, other: readonly Token[], alias: string): Term | undefined {
  const isAny = other[0]?.text === 'ANY'
  if (!isValue(isAny ? other.slice(1) : other, alias)) return undefined
  const isRow = side[0]?.text === 'ROW'
  const columns = isRow ? split(unwrap(side.slice(1)), ',') : [side]
  const keys = columns.map((column) => keyOf(column, alias))
  if (!keys.every((key) => key !== undefined)) return undefined
  if (operator === '=' && !isRow) return { kind: isAny ? 'any' : 'equal', keys }
  return /^[<>]=?$/.test(operator) && !isAny ? { kind: 'range', keys } : undefined
}

function keyOf(tokens: readonly Token[], alias: string): string | undefined {
  const text = expressionOf(tokens, alias)
  return text?.startsWith('(') ? `(${text})` : text
}

/** A column, `lower` or `upper` of one, or one as text, which is how PostgreSQL compares a varchar. */
function expressionOf(tokens: readonly Token[], alias: string): string | undefined {
  const plain = unwrap(tokens)
  const column = columnOf(plain, alias)
  if (column) return column
  const isCall = /^(lower|upper)\(/.test(textOf(plain.slice(0, 2))) && closing(plain, 1) === plain.length - 1
  const inner = isCall && expressionOf(plain.slice(2, -1), alias)
  if (inner) return `${plain[0]?.text}(${inner})`
  const cast = textOf(plain.slice(-2)) === '::text' && expressionOf(plain.slice(0, -2), alias)
  return cast ? `(${cast})::text` : undefined
}

/** Other tables' columns have their alias before them; the table's own have it only where EXPLAIN was verbose. */
function columnOf(tokens: readonly Token[], alias: string): string | undefined {
  const own = tokens.length === 3 && tokens[1]?.text === '.' && nameOf(tokens[0]) === alias
  const [column, ...rest] = own ? tokens.slice(2) : tokens
  // PostgreSQL writes its keywords large, and quotes the names that are.
  const isName = column?.kind === 'name' && /^["a-z_\u0080-\uffff]/.test(column.text)
  return isName && rest.length === 0 && !/^(true|false)$/.test(column.text) ? column.text : undefined
}

/** Whether an expression has no column of the table: its names are functions, other tables' columns and keywords. */
function isValue(tokens: readonly Token[], alias: string): boolean {
  const plain = withoutCasts(tokens)
  return plain.every((token, index) => {
    if (token.kind !== 'name') return true
    const [before, after] = [plain[index - 1]?.text, plain[index + 1]?.text]
    if (after === '.') return nameOf(token) !== alias
    return before === '.' || after === '(' || /^(NULL|true|false|ARRAY|InitPlan|CURRENT_[A-Z]+)$/.test(token.text)
  })
}

function withoutCasts(tokens: readonly Token[]): Token[] {
  let inCast = false
  return tokens.filter(({ kind, text }) => {
    inCast = text.startsWith('::') || (inCast && (kind === 'name' || kind === 'type' || text === '[' || text === ']'))
    return !inCast
  })
}

function read(sql: string): Token[] {
  return tokensOf(sql).filter(({ kind }) => kind !== 'space')
}

function textOf(tokens: readonly Token[]): string {
  const isWord = (token: Token | undefined) => token?.kind === 'name' || token?.kind === 'type'
  return tokens
    .map((token, index) => (isWord(token) && isWord(tokens[index - 1]) ? ` ${token.text}` : token.text))
    .join('')
}

function nameOf(token: Token | undefined): string | undefined {
  return token?.text.startsWith('"') ? token.text.slice(1, -1).replaceAll('""', '"') : token?.text
}

function isOperator(token: Token | undefined): boolean {
  return token?.kind === 'symbol' && /^[-+*/<>=~!@#%^&|`?]+$/.test(token.text)
}

/** Without the brackets around all of it. */
function unwrap(tokens: readonly Token[]): readonly Token[] {
  const isWrapped = tokens[0]?.text === '(' && closing(tokens, 0) === tokens.length - 1
  return isWrapped ? unwrap(tokens.slice(1, -1)) : tokens
}

function split(tokens: readonly Token[], separator: string): (readonly Token[])[] {
  const at = atTop(tokens).filter((index) => tokens[index]?.text === separator)
  return [-1, ...at].map((start, part) => tokens.slice(start + 1, at[part]))
}

/** Where the tokens stand that are in no brackets. */
function atTop(tokens: readonly Token[]): number[] {
  const found: number[] = []
  for (let index = 0; index < tokens.length; index = closing(tokens, index) + 1) found.push(index)
  return found
}

/** Where the bracket closes that opens there; the same place where none does. */
function closing(tokens: readonly Token[], open: number): number {
  let depth = 0
  for (let index = open; index < tokens.length; index++) {
    if (/^[([]$/.test(tokens[index]?.text ?? '')) depth++
    if (/^[)\]]$/.test(tokens[index]?.text ?? '')) depth--
    if (depth <= 0) return index
  }
  return tokens.length
}
