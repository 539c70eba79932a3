import type { ApolloServerOptions, BaseContext } from '@apollo/server'
import type { DocumentNode } from 'graphql'

type DocumentStore = NonNullable<ApolloServerOptions<BaseContext>['documentStore']>

/** How much source is remembered, in characters: parsed, each takes about 110 bytes, so 55 MB in all. */
const remembered = 500_000

/**
 * Keeps parsed and validated documents, the longest unused going first. Apollo's own store measures them as JSON, which
 * costs a stringify each and is a quarter of what they take.
 */
export function createDocumentStore(most = remembered): DocumentStore {
  const documents = new Map<string, DocumentNode>()
  let length = 0

  function drop(key: string): void {
    length -= lengthOf(documents.get(key))
    documents.delete(key)
  }
  return {
    async get(key) {
      const document = documents.get(key)
      if (!document) return undefined
      documents.delete(key)
      documents.set(key, document)
      return document
    },
    async set(key, document) {
      drop(key)
      documents.set(key, document)
      length += lengthOf(document)
      for (const oldest of documents.keys()) {
        if (length <= most) return
        drop(oldest)
      }
    },
    async delete(key) {
      drop(key)
    },
  }
}

function lengthOf(document: DocumentNode | undefined): number {
  return document?.loc?.source.body.length ?? 0
}
