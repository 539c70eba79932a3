import { type Client, graphql } from '../client.js'
import { type Place, vary } from '../shapes.js'

const list = (fields: string) => `edges { node { ${fields} } }`
const feed = 'id title author { name } tags { name }'
const talk = list('body author { name }')

const documents = {
  S1: 'query Post($id: ID!) { post(id: $id) { id title body status publishedAt createdAt } }',
  S2: `{ posts(first: 50) { ${list('id title publishedAt author { id name }')} pageInfo { hasNextPage endCursor } } }`,
  S3: `{ posts(first: 20) { ${list(`${feed} comments(first: 5) { ${talk} }`)} } }`,
  S4: 'query Deep($after: String!) { posts(first: 20, after: $after) { edges { cursor node { id title publishedAt } } pageInfo { hasNextPage endCursor } } }',
  S5: `{ products(first: 100) { ${list('id name sku price currency stock soldCount weight active createdAt')} } }`,
  S6: `query Orders($id: ID!) { user(id: $id) { orders(first: 20) { ${list('id status total createdAt items { quantity unitPrice product { id name } }')} } } }`,
  S7: `query Feed($first: Int!, $after: String!, $comments: Int!) { posts(first: $first, after: $after) { ${list(
    `${feed} comments(first: $comments) { ${talk} }`,
  )} } }`,
}

/** Relay connections over the database's own ids, which stay as they are. */
export const mercurius: Client = {
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
  normalise: (_shape, answer) => (answer as { data: unknown }).data,
}

function cursorOf({ publishedAt, id }: Place): string {
  return Buffer.from(`${publishedAt}~${id}`).toString('base64url')
}

function permuted(variant: number): string {
  const order = vary(variant)
  const author = `author { ${order('id', 'name')} }`
  const comments = `comments(first: 2) { ${list(order('body', 'createdAt', 'author { name }'))} }`
  return `query V${variant} { posts(first: 5) { ${list(order('id', 'title', 'publishedAt', author, 'tags { name }', comments))} } }`
}
