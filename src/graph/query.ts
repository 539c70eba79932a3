import type { Compilable, Kysely } from 'kysely'
import type { Values } from '../db/statement.js'
import type { Context } from './context.js'

/** A prepared statement that is neither a loader nor a page: one text, typed by what it selects. */
export function defineQuery<Query, Answer>(
  name: string,
  build: (query: Kysely<Query>) => Compilable<Answer>,
): (ctx: Context, values?: Values) => Promise<Answer[]> {
  const stated = { name, definition: build, variant: '', build: build as never }
  return (ctx, values = {}) => ctx.read<Answer>({ ...stated, values })
}

/** Like {@link defineQuery}, for one that may take long, as counts and sums do: others do not wait behind it. */
export function defineSlowQuery<Query, Answer>(
  name: string,
  build: (query: Kysely<Query>) => Compilable<Answer>,
): (ctx: Context, values?: Values) => Promise<Answer[]> {
  const stated = { name, definition: build, variant: '', build: build as never }
  return (ctx, values = {}) => ctx.read<Answer>({ ...stated, values, isSlow: true })
}

/** Marks a statement on a sharded table that names no shard's key on purpose: it concerns every shard. */
export function allShards<Answer>(statement: Compilable<Answer>): Compilable<Answer> {
  return {
    compile() {
      const compiled = statement.compile()
      return { ...compiled, sql: `-- all shards\n${compiled.sql}` }
    },
  }
}
