import type { ApolloServerOptions } from '@apollo/server'
import { ApolloServerPluginCacheControl } from '@apollo/server/plugin/cacheControl'
import responseCachePlugin from '@apollo/server-plugin-response-cache'
import { KeyvAdapter } from '@apollo/utils.keyvadapter'
import KeyvRedis from '@keyv/redis'
import Keyv from 'keyv'
import type { Context } from './tutorial.resolvers.js'

/** Longer than any run. */
const maxAge = 3_600

/** Whole responses in Apollo Server's own cache, in memory or in Redis, as its documentation has it. */
export function cachedResponses(redisUrl: string | undefined): Pick<ApolloServerOptions<Context>, 'cache' | 'plugins'> {
  return {
    // Keyv declares its class once for imports and once for `require`, which is what the adapter wants.
    ...(redisUrl && { cache: new KeyvAdapter(new Keyv({ store: new KeyvRedis(redisUrl) }) as never) }),
    plugins: [
      ApolloServerPluginCacheControl({ defaultMaxAge: maxAge }),
      responseCachePlugin({ sessionId: async ({ contextValue }) => contextValue.viewer ?? null }),
    ],
  }
}
