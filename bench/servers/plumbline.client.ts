import { type Client, graphql, mapIds } from '../client.js'
import { type Place, vary } from '../shapes.js'

const list = (fields: string) => `edges { node { ${fields} } }`
const feed = `id title author { name } tags { name }`

const documents = {
  S1: 'query Post($id: ID!) { post(id: $id) { id title body status publishedAt createdAt } }',
  S2: `{ posts(first: 50) { ${list('id title publishedAt author { id name }')} pageInfo { hasNextPage endCursor } } }`,
  S3: `{ posts(first: 20) { ${list(`${feed} comments(first: 5) { ${list('body author { name }')} }`)} } }`,
  S4: 'query Deep($after: String!) { posts(first: 20, after: $after) { edges { cursor node { id title publishedAt } } pageInfo { hasNextPage endCursor } } }',
  S5: `{ products(first: 100) { ${list('id name sku price currency stock soldCount weight active createdAt')} } }`,
  S6: `query Orders($id: ID!) { user(id: $id) { orders(first: 20) { ${list('id status total createdAt items { quantity unitPrice product { id name } }')} } } }`,
  S7: `query Feed($first: Int!, $after: String!, $comments: Int!) { posts(first: $first, after: $after) { ${list(
    `${feed} comments(first: $comments) { ${list('body author { name }')} }`,
  )} } }`,
}

/** This project as its clients ask it: Relay connections, opaque ids and cursors. */
export const plumbline = createClient()

function createClient(): Client {
  let cursorOf = (_place: Place): string => ''
  return {
    async prepare(ask) {
      // Cursors of any place are made like the one of page one.
      const answer = (await ask(graphql('{ posts(first: 1) { pageInfo { endCursor } } }'))) as Answer
      const [version, ordering] = JSON.parse(Buffer.from(answer.data.posts.pageInfo.endCursor, 'base64url').toString())
      cursorOf = ({ publishedAt, id }) =>
        Buffer.from(JSON.stringify([version, ordering, publishedAt, id])).toString('base64url')
    },
    asks: {
      S1: ({ id }) => graphql(documents.S1, { id: globalId('Post', id) }),
      S2: () => graphql(documents.S2),
      S3: () => graphql(documents.S3),
      S4: ({ after }) => graphql(documents.S4, { after: cursorOf(after) }),
      S5: () => graphql(documents.S5),
      S6: ({ userId, token }) =>
        graphql(documents.S6, { id: globalId('User', userId) }, { authorization: `Bearer ${token}` }),
      S7: ({ first, after, comments }) => graphql(documents.S7, { first, after: cursorOf(after), comments }),
      S8: ({ variant }) => graphql(permuted(variant)),
    },
    normalise: (_shape, answer) => mapIds((answer as Answer).data, (id) => uuidIn(id)),
  }
}

interface Answer {
  readonly data: { readonly posts: { readonly pageInfo: { readonly endCursor: string } } }
}

function permuted(variant: number): string {
  const order = vary(variant)
  const author = `author { ${order('id', 'name')} }`
  const comments = `comments(first: 2) { ${list(order('body', 'createdAt', 'author { name }'))} }`
  return `query V${variant} { posts(first: 5) { ${list(order('id', 'title', 'publishedAt', author, 'tags { name }', comments))} } }`
}

function globalId(type: string, id: string): string {
  return Buffer.from(`${type}:${id}`).toString('base64url')
}

/** The last key of a global id: an order's is of its user and its own. */
function uuidIn(id: string): string {
  return Buffer.from(id, 'base64url').toString().split(':').at(-1) as string
}
