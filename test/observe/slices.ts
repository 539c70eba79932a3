import { Arg, Ctx, Field, FieldResolver, Int, ObjectType, Query, Resolver, Root } from 'type-graphql'
import { Context, type Loader } from '../../src/graph/context.js'
import type { Slice } from '../../src/graph/slice.js'
import { fixture } from '../fixture/thing.resolver.js'

interface ProbeRow {
  readonly number: number
}

@ObjectType({ description: 'A row of no table.' })
class Probe {
  @Field(() => Int, { description: 'Which.' })
  readonly number!: number
}

/** Each a loader of its own: of one tick, each has its own batch. */
const probes = Array.from(
  { length: 20 },
  (): Loader<ProbeRow> => ({
    name: 'probeByNumber',
    batch: async (_ctx, keys) => keys.map((key) => ({ number: Number(key) })),
  }),
)

const labelOfProbe: Loader<string> = {
  name: 'labelOfProbe',
  batch: async (_ctx, keys) => keys.map((key) => `No. ${key}`),
}

const statusOfUrl: Loader<number> = {
  name: 'statusOfUrl',
  batch: (_ctx, keys) => Promise.all(keys.map(async (url) => (await fetch(url)).status)),
}

@Resolver(() => Probe)
class ProbeResolver {
  @Query(() => Probe, { description: 'A probe of a loader of its own.' })
  probe(@Arg('number', () => Int, { description: '0 to 19.' }) number: number, @Ctx() ctx: Context) {
    return ctx.load(probes[number] as Loader<ProbeRow>, String(number))
  }

  @FieldResolver(() => String, { description: 'Of the loader that all probes share.' })
  label(@Root() probe: ProbeRow, @Ctx() ctx: Context) {
    return ctx.load(labelOfProbe, String(probe.number))
  }

  @Query(() => Int, { description: 'What another server answers.' })
  async called(@Arg('url', () => String, { description: 'Where.' }) url: string) {
    return (await fetch(url)).status
  }

  @Query(() => Int, { description: 'The same, by a loader.' })
  loaded(@Arg('url', () => String, { description: 'Where.' }) url: string, @Ctx() ctx: Context) {
    return ctx.load(statusOfUrl, url)
  }
}

/** What the observed house serves in place of a business. */
export const slices: readonly Slice[] = [
  fixture,
  { name: 'probes', entities: [], resolvers: [ProbeResolver], nodes: [] },
]
