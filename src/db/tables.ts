import { pureFunctions } from './functions.js'

/** What stands for the date or time of its execution. */
const changing = new Set(['current_date', 'current_time', 'current_timestamp', 'localtime', 'localtimestamp'])

/** The same where it stands in quotes. */
const changingText = /'\s*(?:now|today|tomorrow|yesterday)\b[^']*'/i

/** Where names would be hidden: comments, and texts in another form than '…'. */
const opaque = /--|\/\*|\$(?:[a-z_]\w*)?\$|\be'|\bu&["']/i

const token = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\d[\w.]*|[\w$\u0080-\uffff]+|\S/g
const name = /^(?:"|[a-z_\u0080-\uffff])/i

/** What a parenthesis may follow that begins no function's arguments. */
const openers = new Set(
  (
    'all and any array as between by case cube distinct else except exists filter from group having ilike in ' +
    'intersect join lateral like limit materialized not offset on only or over rollup row select some then union ' +
    'using values when where'
  ).split(' '),
)

/** What ends the tables that `from` began. */
const enders = new Set(
  'except fetch for group having intersect limit offset order returning select union where window'.split(' '),
)

/** What has a `from` among its arguments. */
const wordy = new Set(['extract', 'overlay', 'substring', 'trim'])

/** A statement's text between two parentheses, as far as it was read. */
interface Level {
  readonly call: string | undefined
  /** Whether a comma is followed by a table. */
  lists: boolean
  /** Whether a table comes next. */
  awaits: boolean
}

/**
 * The tables that a statement reads, of those given; undefined where it reads anything else, or what changes by itself,
 * and where it calls what might, as any function but PostgreSQL's own. A table counts wherever its name stands: one too
 * many only has more writes matter. Not seen are functions called as a column, and operators and casts of one's own.
 */
export function tablesIn(text: string, known: readonly string[]): string[] | undefined {
  if (changingText.test(text) || opaque.test(text)) return undefined
  const tokens = (text.match(token) ?? []).map((found) =>
    found.startsWith("'") ? "''" : found.startsWith('"') ? found : found.toLowerCase(),
  )
  const plain = tokens.join(' ')
  const subqueries = plain.matchAll(
    /(?<=(?:with|recursive|,) )"?(\w+)"? (?:\( [\w", ]+ \) )?as (?:not )?(?:materialized )?\(/g,
  )
  const tables = new Set([...known, ...[...subqueries].map(([, subquery]) => subquery as string)])
  if (!isKnown(tokens, tables)) return undefined
  const read = known.filter((table) => new RegExp(`\\b${table}\\b`, 'i').test(plain))
  return read.length > 0 ? read : undefined
}

/** Whether all that stands where a table could is one of these, and all that is called reads none. */
function isKnown(tokens: readonly string[], tables: ReadonlySet<string>): boolean {
  const levels: Level[] = [{ call: undefined, lists: false, awaits: false }]
  for (const [index, found] of tokens.entries()) {
    const [level, before = '', next] = [levels.at(-1), tokens[index - 1], tokens[index + 1]]
    if (!level) return false
    // A column may have any name.
    const word = before === '.' ? '' : found
    if (changing.has(word) || word === 'table' || word === 'tablesample') return false
    if (found === '(') {
      levels.push({ call: before, lists: false, awaits: level.awaits })
      level.awaits = false
    } else if (found === ')') levels.pop()
    else if (found === ',') level.awaits = level.lists
    else if (word === 'join' || (word === 'from' && !isDistinctFrom(tokens, index) && !wordy.has(level.call ?? '')))
      level.lists = level.awaits = true
    else if (enders.has(word)) level.lists = level.awaits = false
    else if (level.awaits && (word === 'with' || word === 'values')) level.awaits = false
    else if (level.awaits && (word === 'only' || word === 'lateral')) continue
    else if (next === '(' && name.test(found)) {
      if (!mayOpen(found, before)) return false
      level.awaits = false
    } else if (level.awaits) {
      if (next === '.' || !tables.has(unquoted(found))) return false
      level.awaits = false
    }
  }
  return true
}

function isDistinctFrom(tokens: readonly string[], index: number): boolean {
  return tokens[index - 1] === 'distinct' && ['is', 'not'].includes(tokens[index - 2] ?? '')
}

/** Whether a name before a parenthesis is no function of anybody's own. */
function mayOpen(found: string, before: string): boolean {
  if (before === '.') return false
  // An alias, or a subquery, with names for its columns.
  if (['as', 'with', 'recursive'].includes(before)) return true
  return openers.has(found) || pureFunctions.has(unquoted(found))
}

function unquoted(found: string): string {
  return found.startsWith('"') ? found.slice(1, -1).replaceAll('""', '"') : found
}
