import { Failure } from '../core/errors.js'

/** Each word that a search leaves out is looked for in every row: so many characters hold no more than a table can take. */
export const longestSearch = 200

/**
 * What a client typed to search for, as `websearch_to_tsquery` takes it; undefined where nothing was given.
 * @throws Failure BAD_USER_INPUT for more than {@link longestSearch} characters.
 */
export function readSearch(text: string | null | undefined): string | undefined {
  if (text === null || text === undefined) return undefined
  if (text.length > longestSearch)
    throw new Failure('BAD_USER_INPUT', `A \`text\` to search for has at most ${longestSearch} characters.`)
  // Each says "not": PostgreSQL's parser fails at the 33rd before one word.
  return text.replace(/-(?=[^\p{L}\p{N}]*-)/gu, '')
}
