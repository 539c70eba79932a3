import type { Slice } from '../graph/slice.js'
import { blog } from './blog/post.resolver.js'
import { dashboard } from './dashboard/dashboard.resolver.js'
import { newsletter } from './newsletter/newsletter.resolver.js'
import { shop } from './shop/order.resolver.js'
import { users } from './users/user.resolver.js'

/** The business, in order: a slice may use those before it. */
export const slices: readonly Slice[] = [users, blog, shop, dashboard, newsletter]
