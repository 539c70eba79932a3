import { type Client, graphql } from '../client.js'
import { type Place, vary } from '../shapes.js'

const feed = 'id title author { name } tags { name }'
const talk = '{ body author { name } }'

const documents = {
  S1: 'query Post($id: ID!) { post(id: $id) { id title body status publishedAt createdAt } }',
  S2: '{ posts(first: 50) { items { id title publishedAt author { id name } } hasNextPage endCursor } }',
  S3: `{ posts(first: 20) { items { ${feed} comments(first: 5) ${talk} } } }`,
  S4: 'query Deep($after: String!) { posts(first: 20, after: $after) { items { id title publishedAt } hasNextPage endCursor } }',
  S5: '{ products(first: 100) { id name sku price currency stock soldCount weight active createdAt } }',
  S6: `query Orders($id: ID!) { user(id: $id) { orders(first: 20) {
    id status total createdAt items { quantity unitPrice product { id name } } } } }`,
  S7: `query Feed($first: Int!, $after: String!, $comments: Int!) { posts(first: $first, after: $after) {
    items { ${feed} comments(first: $comments) ${talk} } } }`,
}

/** Plain lists, posts in pages as MikroORM's cursors make them. */
export const tutorial: Client = {
  asks: {
    S1: ({ id }) => graphql(documents.S1, { id }),
    S2: () => graphql(documents.S2),
    S3: () => graphql(documents.S3),
    S4: ({ after }) => graphql(documents.S4, { after: cursorOf(after) }),
    S5: () => graphql(documents.S5),
    S6: ({ userId, token }) => graphql(documents.S6, { id: userId }, { authorization: `Bearer ${token}` }),
    S7: ({ first, after, comments }) => graphql(documents.S7, { first, after: cursorOf(after), comments }),
    S8: ({ variant }) => graphql(permuted(variant)),
  },
  normalise: (_shape, answer) => connections((answer as { data: unknown }).data),
}

function cursorOf({ publishedAt, id }: Place): string {
  return Buffer.from(JSON.stringify([publishedAt, id])).toString('base64url')
}

function permuted(variant: number): string {
  const order = vary(variant)
  const author = `author { ${order('id', 'name')} }`
  const comments = `comments(first: 2) { ${order('body', 'createdAt', 'author { name }')} }`
  const fields = order('id', 'title', 'publishedAt', author, 'tags { name }', comments)
  return `query V${variant} { posts(first: 5) { items { ${fields} } } }`
}

/** Its lists as the others' connections. */
function connections(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(connections)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const name = key.replace(/^x\d+_/, '')
      if (name === 'posts') {
        const { items, ...rest } = inner
        return [name, { ...rest, nodes: connections(items) }]
      }
      return [name, lists.has(name) ? { nodes: connections(inner) } : connections(inner)]
    }),
  )
}

const lists = new Set(['comments', 'products', 'orders'])
