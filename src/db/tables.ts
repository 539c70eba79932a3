/** What has another answer the next time although no row has changed. */
const changing =
  /\b(?:now|age|\w*_timestamp|random\w*|timeofday|nextval|gen_random_uuid|uuidv\d|pg_\w+|current_setting)\s*\(|\b(?:current_|local)(?:date|time|timestamp)\b/i

/** The same where it stands in quotes, for a date or time. */
const changingText = /'\s*(?:now|today|tomorrow|yesterday)\b[^']*'/i

/** Tables side by side, which could be any: nobody need write a join so. */
const listed = /\bfrom\s+(?:only\s+)?"?\w+"?(?:\s+(?:as\s+)?"?\w+"?)?\s*,/i

/**
 * The tables that a statement reads, of those given; undefined where it reads anything else, or what changes by itself.
 * A table counts wherever its name stands: one too many only has more writes matter.
 */
export function tablesIn(text: string, known: readonly string[]): string[] | undefined {
  if (changingText.test(text)) return undefined
  const plain = text.replace(/'(?:[^']|'')*'/g, "''")
  if (changing.test(plain) || listed.test(plain)) return undefined
  const named = new Set([...plain.matchAll(/\b(\w+)"? as (?:not )?(?:materialized )?\(/gi)].map(([, name]) => name))
  for (const [, name = '', next] of plain.matchAll(/\b(?:from|join)\s+(?:only\s+|lateral\s+)*"?(\w+)"?\s*([.(]?)/gi)) {
    if (next === '(') continue
    if (next === '.' || !(known.includes(name) || named.has(name))) return undefined
  }
  const read = known.filter((table) => new RegExp(`\\b${table}\\b`).test(plain))
  return read.length > 0 ? read : undefined
}
