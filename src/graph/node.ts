import 'reflect-metadata'
import { Arg, Ctx, Field, ID, InterfaceType, Query, Resolver } from 'type-graphql'
import { Failure } from '../core/errors.js'
import { Context, type Loaded } from './context.js'

/** Anything with a global id. Rows that are answered as a Node carry their type's name. */
@InterfaceType({
  description: 'An object that can be fetched again by its global id.',
  // Else every type that was ever imported is in the schema, whichever slices it is made of.
  autoRegisterImplementations: false,
})
export abstract class Node {
  @Field(() => ID, { description: 'The global id: opaque, unique across all types.' })
  readonly id!: string
}

/** How a type takes part in `node(id)`: stated once, at the end of its resolver file. */
export interface NodeDefinition {
  readonly type: string
  /** The properties that make up its key, in the order of the global id's parts. */
  readonly key: readonly string[]
  /** The row of that key (its parts joined by `:`), or null where the viewer may not see it. */
  find(ctx: Context, key: string): Loaded<object | null>
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** The global id of a type's row by its key: `base64url("User:<uuid>")`, one part more for each further key. */
export function encodeId(type: string, key: string): string {
  // Of names, colons and UUIDs base64 has no letter that base64url has not; it takes half the time of a Buffer.
  const padded = btoa(`${type}:${key}`)
  const end = padded.indexOf('=', padded.length - 2)
  return end === -1 ? padded : padded.slice(0, end)
}

/**
 * The key in a global id of that type, its parts (one, where not said otherwise) joined by `:`.
 * @throws Failure BAD_USER_INPUT for a damaged id or one of another type.
 */
export function decodeId(type: string, id: string, parts = 1): string {
  const parsed = parseId(id)
  if (parsed?.type !== type || parsed.key.split(':').length !== parts)
    throw new Failure('BAD_USER_INPUT', `That is not the id of a ${type}.`)
  return parsed.key
}

/** The `node` and `nodes` queries over these types. */
export function createNodeResolver(nodes: ReadonlyMap<string, NodeDefinition>) {
  async function find(ctx: Context, id: string): Promise<object | null> {
    const parsed = parseId(id)
    const node = parsed && nodes.get(parsed.type)
    if (!node || parsed.key.split(':').length !== node.key.length)
      throw new Failure('BAD_USER_INPUT', 'That is not an id of this API.')
    const row = await node.find(ctx, parsed.key)
    return row && { __typename: node.type, ...row }
  }

  @Resolver()
  class NodeResolver {
    @Query(() => Node, {
      nullable: true,
      description: 'The object of that global id; null where there is none to see.',
    })
    node(
      @Arg('id', () => ID, { description: 'A global id.' }) id: string,
      @Ctx() ctx: Context,
    ): Promise<object | null> {
      return find(ctx, id)
    }

    @Query(() => [Node], { nullable: 'items', description: 'The objects of those global ids, in their order.' })
    nodes(
      @Arg('ids', () => [ID], { description: 'At most 100 global ids.' }) ids: string[],
      @Ctx() ctx: Context,
    ): Promise<object | null>[] {
      if (ids.length > 100) throw new Failure('BAD_USER_INPUT', '`ids` takes at most 100 ids.')
      return ids.map((id) => find(ctx, id))
    }
  }
  return NodeResolver
}

function parseId(id: string): { type: string; key: string } | undefined {
  if (id.length > 200) return undefined
  const [type, ...parts] = Buffer.from(id, 'base64url').toString('latin1').split(':')
  if (!type || parts.length === 0 || !parts.every((part) => uuid.test(part))) return undefined
  const key = parts.join(':')
  // base64url forgives stray characters; only the id that we would write ourselves is one of ours.
  return encodeId(type, key) === id ? { type, key } : undefined
}
