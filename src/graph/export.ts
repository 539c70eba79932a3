import type { Compilable, Kysely } from 'kysely'
import type { z } from 'zod'
import { Failure } from '../core/errors.js'
import type { Database } from '../db/database.js'
import type { Build, Values } from '../db/statement.js'
import type { StreamOptions } from '../db/stream.js'
import type { Context, Viewer } from './context.js'

export interface ExportDefinition<Parameters extends z.ZodObject, Query, Row> {
  /** In lower case, as it stands in the path and in the file's name: `orders`. */
  readonly name: string
  /** What the query string may hold: texts, made what the statement's parameters of the same names are. */
  readonly parameters: Parameters
  /** Throws where the viewer may not have it, like the fields that show the same: `requireAdmin`. */
  readonly mayRead: (asking: Pick<Context, 'viewer'>) => unknown
  /**
   * All rows, in a stable order that an index has, so that the first come at once. A parameter that may be absent makes
   * another statement: `has` says whether it is there.
   */
  readonly statement: (query: Kysely<Query>, has: (parameter: keyof z.infer<Parameters>) => boolean) => Compilable<Row>
  /** What is written of a row: as the API shows it. */
  readonly line: (row: Row) => object
}

/** An answer too large for one of GraphQL's: all rows that fit its parameters, a JSON object a line. */
export interface Export {
  readonly name: string
  /**
   * Lines, a chunk of them at a time; nothing is asked of the database before the first. Throws at once what is wrong
   * with the question: UNAUTHENTICATED, FORBIDDEN, or BAD_USER_INPUT, naming the parameter; then like `Database.stream`.
   */
  open(db: Database, asked: ExportAsked, options: StreamOptions): AsyncGenerator<string, void>
}

export interface ExportAsked {
  readonly viewer: Viewer | null
  /** As they were sent. */
  readonly parameters: unknown
}

/** States an export once; a slice lists it under `exports`, and the server answers it. */
export function defineExport<Parameters extends z.ZodObject, Query, Row>(
  definition: ExportDefinition<Parameters, Query, Row>,
): Export {
  const { name, mayRead, line } = definition
  const parameters = definition.parameters.strict()
  return {
    name,
    open(db, asked, options) {
      mayRead({ viewer: asked.viewer })
      const values = readParameters(parameters, asked.parameters)
      const given = Object.keys(values).filter((parameter) => values[parameter] !== undefined)
      const build = (query: Kysely<Query>) =>
        definition.statement(query, (parameter) => given.includes(String(parameter)))
      const none = { key: '', columns: [] }
      const stated = {
        name: `${name}Export`,
        definition,
        variant: given.sort().join(),
        build: build as unknown as Build,
      }
      const statement = db.statements.get(stated, none, none)
      return writeLines(db.stream<Row>(statement, values, options), line)
    },
  }
}

function readParameters(schema: z.ZodObject, given: unknown): Values {
  const { data, error } = schema.safeParse({ ...(given as object) })
  if (data) return data
  const issue = error.issues[0] as z.core.$ZodIssue
  if (issue.code === 'unrecognized_keys')
    throw new Failure('BAD_USER_INPUT', `There is no parameter \`${issue.keys[0]}\`.`)
  const parameter = String(issue.path[0])
  const isAbsent = !Object.hasOwn(given as object, parameter)
  throw new Failure('BAD_USER_INPUT', `\`${parameter}\`: ${isAbsent ? 'is required.' : issue.message}`)
}

async function* writeLines<Row>(chunks: AsyncIterable<Row[]>, line: (row: Row) => object) {
  for await (const rows of chunks) {
    let text = ''
    for (const row of rows) text += `${JSON.stringify(line(row))}\n`
    yield text
  }
}
