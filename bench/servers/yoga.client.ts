import { type Client, graphql, mapIds } from '../client.js'
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

/** Relay connections with the opaque ids and cursors of its plugins. */
export const yoga: Client = {
  asks: {
    S1: ({ id }) => graphql(documents.S1, { id: encode(`Post:${id}`) }),
    S2: () => graphql(documents.S2),
    S3: () => graphql(documents.S3),
    S4: ({ after }) => graphql(documents.S4, { after: cursorOf(after) }),
    S5: () => graphql(documents.S5),
    S6: ({ userId, token }) =>
      graphql(documents.S6, { id: encode(`User:${userId}`) }, { authorization: `Bearer ${token}` }),
    S7: ({ first, after, comments }) => graphql(documents.S7, { first, after: cursorOf(after), comments }),
    S8: ({ variant }) => graphql(permuted(variant)),
  },
  normalise: (_shape, answer) => mapIds((answer as { data: unknown }).data, uuidIn),
}

function cursorOf({ publishedAt, id }: Place): string {
  return encode(`DC:T:${JSON.stringify([`S:${publishedAt}`, `S:${id}`])}`)
}

function permuted(variant: number): string {
  const order = vary(variant)
  const author = `author { ${order('id', 'name')} }`
  const comments = `comments(first: 2) { ${list(order('body', 'createdAt', 'author { name }'))} }`
  return `query V${variant} { posts(first: 5) { ${list(order('id', 'title', 'publishedAt', author, 'tags { name }', comments))} } }`
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64')
}

/** The last key of a global id: an order's is of its user and its own. */
function uuidIn(globalId: string): string {
  return /[0-9a-f-]{36}(?=\W*$)/.exec(Buffer.from(globalId, 'base64').toString())?.[0] ?? globalId
}
