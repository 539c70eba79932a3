import { type Ask, type Client, graphql, mapIds } from '../client.js'
import { type Place, vary } from '../shapes.js'

const list = (fields: string) => `edges { node { ${fields} } }`
const feed = `id title author { name } postTags { ${list('tag { name }')} }`
const talk = list('body author { name }')
const byPublication = 'orderBy: [PUBLICATION_DESC, PRIMARY_KEY_DESC]'
const newest = 'orderBy: [CREATED_AT_DESC, PRIMARY_KEY_DESC]'
const items = `orderItemsByUserIdAndOrderId { ${list('quantity unitPrice product { id name }')} }`

const documents = {
  S1: 'query Post($id: ID!) { postById(id: $id) { id title body status publishedAt createdAt } }',
  S2: `{ posts(first: 50, ${byPublication}) { ${list('id title publishedAt author { id name }')} pageInfo { hasNextPage endCursor } } }`,
  S3: `{ posts(first: 20, ${byPublication}) { ${list(`${feed} comments(first: 5, ${newest}) { ${talk} }`)} } }`,
  S4: `query Deep($after: Cursor!) { posts(first: 20, after: $after, ${byPublication}) {
    edges { cursor node { id title publishedAt } } pageInfo { hasNextPage endCursor } } }`,
  S5: `{ products(first: 100, orderBy: [NEWEST_DESC, PRIMARY_KEY_DESC]) {
    ${list('id name sku price currency stock soldCount weight active createdAt')} } }`,
  S6: `query Orders($id: ID!) { userById(id: $id) { orders(first: 20, ${newest}) { ${list(`id status total createdAt ${items}`)} } } }`,
  S7: `query Feed($first: Int!, $after: Cursor!, $comments: Int!) { posts(first: $first, after: $after, ${byPublication}) {
    ${list(`${feed} comments(first: $comments, ${newest}) { ${talk} }`)} } }`,
}

/** Relay connections as its presets make them: tags and items are connections of the tables between. */
export const postgraphile = createClient()

function createClient(): Client {
  let ordering = ''
  const cursorOf = ({ publishedAt, id }: Place) => encode([ordering, publishedAt, id])
  return {
    async prepare(ask: Ask) {
      const answer = await ask(graphql(`{ posts(first: 1, ${byPublication}) { pageInfo { endCursor } } }`))
      ordering = decode((answer as Answer).data.posts.pageInfo.endCursor)[0] as string
    },
    asks: {
      S1: ({ id }) => graphql(documents.S1, { id: encode(['Post', id]) }),
      S2: () => graphql(documents.S2),
      S3: () => graphql(documents.S3),
      S4: ({ after }) => graphql(documents.S4, { after: cursorOf(after) }),
      S5: () => graphql(documents.S5),
      S6: ({ userId, token }) =>
        graphql(documents.S6, { id: encode(['User', userId]) }, { authorization: `Bearer ${token}` }),
      S7: ({ first, after, comments }) => graphql(documents.S7, { first, after: cursorOf(after), comments }),
      S8: ({ variant }) => graphql(permuted(variant)),
    },
    normalise: (_shape, answer) =>
      mapIds(rename((answer as { data: unknown }).data), (id) => decode(id).at(-1) as string),
  }
}

interface Answer {
  readonly data: { readonly posts: { readonly pageInfo: { readonly endCursor: string } } }
}

function permuted(variant: number): string {
  const order = vary(variant)
  const author = `author { ${order('id', 'name')} }`
  const tags = `postTags { ${list('tag { name }')} }`
  const comments = `comments(first: 2, ${newest}) { ${list(order('body', 'createdAt', 'author { name }'))} }`
  return `query V${variant} { posts(first: 5, ${byPublication}) { ${list(order('id', 'title', 'publishedAt', author, tags, comments))} } }`
}

function encode(parts: readonly string[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64')
}

function decode(text: string): string[] {
  return JSON.parse(Buffer.from(text, 'base64').toString())
}

const names: Record<string, string> = { postById: 'post', userById: 'user' }

function rename(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rename)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const name = key.replace(/^x\d+_/, '')
      if (name === 'postTags') return ['tags', nodesOf(inner).map(({ tag }) => tag)]
      if (name === 'orderItemsByUserIdAndOrderId') return ['items', nodesOf(inner)]
      return [names[name] ?? key, rename(inner)]
    }),
  )
}

function nodesOf(connection: unknown): { tag?: unknown }[] {
  return (connection as { edges: { node: { tag?: unknown } }[] }).edges.map(({ node }) => node)
}
