import { Ctx, FieldResolver, Int, Query, Resolver } from 'type-graphql'
import { Context, requireAdmin } from '../../graph/context.js'
import type { Slice } from '../../graph/slice.js'
import { orderCountToday, postCountToday, revenueToday, userCount } from './dashboard.data.js'
import { Dashboard, Money } from './dashboard.type.js'

/** Each figure is a field of its own: only what is asked for is counted. */
@Resolver(() => Dashboard)
class DashboardResolver {
  @Query(() => Dashboard, { description: 'The house in figures; for administrators.' })
  dashboard(@Ctx() ctx: Context): Dashboard {
    requireAdmin(ctx)
    return {}
  }

  @FieldResolver(() => Int, { description: 'How many accounts there are.' })
  userCount(@Ctx() ctx: Context): Promise<number> {
    return userCount(ctx)
  }

  @FieldResolver(() => Int, { description: 'How many posts were published today.' })
  postCountToday(@Ctx() ctx: Context): Promise<number> {
    return postCountToday(ctx)
  }

  @FieldResolver(() => Int, { description: 'How many orders were placed today, without those cancelled.' })
  orderCountToday(@Ctx() ctx: Context): Promise<number> {
    return orderCountToday(ctx)
  }

  @FieldResolver(() => [Money], {
    description: 'What was ordered for today, without what was cancelled; one amount per currency, by currency.',
  })
  revenueToday(@Ctx() ctx: Context): Promise<Money[]> {
    return revenueToday(ctx)
  }
}

export const dashboard: Slice = {
  name: 'dashboard',
  entities: [],
  resolvers: [DashboardResolver],
  nodes: [],
}
