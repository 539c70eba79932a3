import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadConfig } from '../../src/core/config.js'
import type { Viewer } from '../../src/graph/context.js'
import { encodeId } from '../../src/graph/node.js'
import { seedDatabase } from '../../src/tools/seed.js'
import { jwtSecret } from '../settings.js'
import { startBusiness, type TestApp } from '../support.js'

const folder = join(import.meta.dirname, '../../schema/operations')
const operations = readdirSync(folder).map((file) => basename(file, '.graphql'))

let app: TestApp
let found: { post: string; slug: string; author: string; product: string; buyer: string }

beforeAll(async () => {
  app = await startBusiness()
  await seedDatabase(loadConfig({ DATABASE_URL: app.url, JWT_SECRET: jwtSecret, LOG_LEVEL: 'silent' }), {
    scale: 0.005,
  })
  const rows = await app.sql<typeof found>(`
    select posts.id as post, tags.slug, posts.author_id as author,
      (select id from products where active and stock > reserved limit 1) as product,
      (select user_id from orders limit 1) as buyer
    from posts join post_tags on post_tags.post_id = posts.id join tags on tags.id = post_tags.tag_id
    where posts.status = 'PUBLISHED' and exists (select from comments where comments.post_id = posts.id) limit 1`)
  found = rows[0] as typeof found
})
afterAll(() => app[Symbol.asyncDispose]())

/** What each operation is sent with; `path` leads to something that is only there when it found what it asks for. */
const calls: Record<string, () => { variables?: Record<string, unknown>; as?: Viewer['role']; path: string }> = {
  'add-comment': () => ({
    variables: { input: { postId: id('Post'), body: 'So it is.' } },
    as: 'USER',
    path: 'addComment.comment.author.name',
  }),
  'author-page': () => ({
    variables: { id: id('User', found.author), orderBy: { field: 'TITLE', direction: 'ASC' } },
    path: 'user.posts.nodes.0.excerpt',
  }),
  'create-order': () => ({
    variables: { input: { items: [{ productId: id('Product'), quantity: 1 }], idempotencyKey: 'a cart' } },
    as: 'USER',
    path: 'createOrder.order.items.0.product.available',
  }),
  dashboard: () => ({ as: 'ADMIN', path: 'dashboard.userCount' }),
  'home-feed': () => ({ path: 'posts.edges.19.node.author.name' }),
  'order-history': () => ({ as: 'USER', path: 'viewer.orders.edges.0.node.items.0.product.name' }),
  'post-page': () => ({ variables: { id: id('Post') }, path: 'post.comments.edges.0.node.author.name' }),
  'product-detail': () => ({ variables: { id: id('Product') }, path: 'product.name' }),
  'product-list': () => ({
    variables: {
      first: 5,
      filter: { minPrice: '1.00', inStock: true },
      orderBy: { field: 'PRICE', direction: 'ASC' },
    },
    path: 'products.edges.0.cursor',
  }),
  'product-table': () => ({
    variables: { page: 2, perPage: 5, orderBy: { field: 'POPULARITY', direction: 'DESC' } },
    path: 'productPage.nodes.0.sku',
  }),
  refetch: () => ({
    variables: { ids: [id('Post'), id('Product'), id('User', found.author)] },
    path: 'nodes.2.name',
  }),
  'search-posts': () => ({ variables: { text: 'the' }, path: 'posts.nodes.0.excerpt' }),
  'sign-in': () => ({
    variables: { input: { email: 'user@example.com', password: 'correct horse battery' } },
    path: 'signIn.user.role',
  }),
  'tag-page': () => ({ variables: { slug: found.slug, last: 5 }, path: 'tag.posts.edges.0.node.author.name' }),
}

test('every operation that clients send is sent here', () => {
  expect(operations.sort()).toEqual(Object.keys(calls).sort())
})

test.each(operations)('%s is answered without an error', async (name) => {
  const document = readFileSync(join(folder, `${name}.graphql`), 'utf8')
  expect(document).toMatch(new RegExp(`^(query|mutation) ${pascalCase(name)}\\b`))
  const { variables, as, path } = calls[name]?.() ?? { path: '' }
  const { data, errors } = await app.query(document, variables, as && { as: { id: found.buyer, role: as } })
  expect(errors).toBeUndefined()
  expect(data).toHaveProperty(path)
})

const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')
const examples = [...readme.matchAll(/```graphql\n(.*?)```/gs)].map(([, example]) => example as string)

test.each(examples)('the README may tell to send %s', async (example) => {
  const { data, errors } = await app.query(example)
  expect(errors).toBeUndefined()
  expect(JSON.stringify(data).length).toBeGreaterThan(100)
})

function id(type: 'Post' | 'Product' | 'User', key?: string): string {
  return encodeId(type, key ?? (type === 'Post' ? found.post : found.product))
}

function pascalCase(name: string): string {
  return name.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())
}
