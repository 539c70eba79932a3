import type { ApolloServerOptionsWithSchema, BaseContext } from '@apollo/server'
import type { Cache } from '../cache/cache.js'

type Documents = Exclude<NonNullable<ApolloServerOptionsWithSchema<BaseContext>['cache']>, 'bounded'>

const name = 'document'

/** In ms: how long a document is kept that a client has sent with its hash. */
const ttl = 86_400_000

/** In characters: longer ones, which few clients have and anybody can make up, are sent each time. */
const longest = 65_536

/** Keeps the documents of automatic persisted queries where other answers are kept, for every process to find. */
export function createPersistedDocuments(cache: Cache): Documents {
  return {
    get: async (hash) => (await cache.find<string>(name, [hash], 0))?.value,
    async set(hash, document) {
      if (document.length > longest) return
      // A document of that hash is never another.
      cache.keep(name, hash, { value: document, basis: { at: Date.now(), tags: [], versions: [], decisive: 0 }, ttl })
    },
    // Apollo forgets what it cannot parse, which is not worth a way to Redis.
    async delete() {},
  }
}
