import { Arg, Ctx, Int, Query, Resolver } from 'type-graphql'
import { z } from 'zod'
import { Context } from '../../src/graph/context.js'
import type { Slice } from '../../src/graph/slice.js'
import { defineRemote } from '../../src/remote/remote.js'
import { fixture } from '../fixture/thing.resolver.js'

const neighbour = defineRemote({ name: 'neighbour', timeout: 500, attempts: 2, rest: 60_000 })
const nowhere = defineRemote({ name: 'nowhere', timeout: 500, attempts: 2 })

@Resolver()
class CallResolver {
  @Query(() => Int, { nullable: true, description: 'What another service answers.' })
  asked(@Arg('path', () => String, { description: 'What it is asked for.' }) path: string, @Ctx() ctx: Context) {
    return ctx.call(neighbour, { path, schema: z.int() })
  }

  @Query(() => Int, { nullable: true, description: 'What a service answers that has no URL.' })
  nowhere(@Ctx() ctx: Context) {
    return ctx.call(nowhere, { path: '/', schema: z.int() })
  }
}

/** A house that calls other services, in place of a business. */
export const slices: readonly Slice[] = [
  fixture,
  { name: 'calls', entities: [], resolvers: [CallResolver], nodes: [], remotes: [neighbour, nowhere] },
]
