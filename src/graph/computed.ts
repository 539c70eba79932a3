import { currentScope } from '../core/request.js'
import type { Context } from './context.js'
import { Impartial } from './impartial.js'

export interface ComputedDefinition {
  /** Its own among computed values, loaders and pages. What is answered in another form has another name. */
  readonly name: string
  /** How old it may be, from when it begins to be computed: one that takes longer is not kept. */
  readonly seconds: number
  /** For how long after that it may still be answered, while it is computed anew; 0 by default. */
  readonly staleSeconds?: number
  /** When it stops being true whatever its age, in ms since 1970: at midnight, say. */
  readonly ends?: () => number
  /** Tables whose changes it does not outlive; none by default: then it is as old as it may be. */
  readonly tables?: readonly string[]
}

/**
 * A value that is computed seldom and answered often, the same for everybody: `compute` gets a context that knows no
 * viewer and reads whole rows. It is JSON's kinds, frozen, and shared by all who ask. Whoever asks while it is computed,
 * here or in another process, waits for that one; one that is asked for is renewed before it is too old. Nobody is
 * answered with what is older than what they wrote or saw. In a mutation, and without a cache, it is computed each time.
 */
export function defineComputed<Value>(
  definition: ComputedDefinition,
  compute: (ctx: Context, key: string) => Promise<Value>,
): (ctx: Context, key?: string) => Promise<Value> {
  const { name, seconds, staleSeconds = 0, ends, tables = [] } = definition
  const keyed = tables.find((table) => table.includes('.'))
  if (keyed) throw new Error(`${name} rests on whole tables, not on rows by a key: "${keyed}".`)
  return async (ctx, key = '') => {
    // What is loaded after it may depend on it, as on rows.
    const field = ctx.sampled ? currentScope()?.field : undefined
    if (field) field.hasAsked = true
    const { caching, rooms } = ctx
    rooms.kept.admit({ name, definition, rests: tables })
    const purpose = { name, requestId: ctx.request.id }
    if (!caching) return compute(new Impartial(rooms, { ...purpose, caching }), key)
    const left = ends ? ends() - Date.now() : Number.POSITIVE_INFINITY
    const ttl = Math.min(seconds * 1_000, left)
    const stale = Math.min(staleSeconds * 1_000, left - ttl)
    return caching.compute({ name, ttl, stale, tables }, key, (within) =>
      compute(new Impartial(rooms, { ...purpose, caching: within }), key),
    )
  }
}
