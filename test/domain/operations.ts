import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { loadConfig } from '../../src/core/config.js'
import type { Viewer } from '../../src/graph/context.js'
import { encodeId } from '../../src/graph/node.js'
import { seedDatabase } from '../../src/tools/seed.js'
import { jwtSecret } from '../settings.js'
import type { TestApp } from '../support.js'

/** What an operation is sent with; `path` leads to something that is only there when it found what it asks for. */
export interface Call {
  readonly variables?: Record<string, unknown>
  readonly as?: Viewer
  readonly path: string
}

const folder = join(import.meta.dirname, '../../schema/operations')

/** The operations that clients send. */
export const operations = readdirSync(folder).map((file) => basename(file, '.graphql'))

export function readOperation(name: string): string {
  return readFileSync(join(folder, `${name}.graphql`), 'utf8')
}

/** Fills the database with a little of everything; answers how each operation is sent to find some of it. */
export async function seedCalls(app: TestApp): Promise<Record<string, Call>> {
  await seedDatabase(loadConfig({ DATABASE_URL: app.url, JWT_SECRET: jwtSecret, LOG_LEVEL: 'silent' }), {
    scale: 0.005,
  })
  const rows = await app.sql<Found>(`
    select posts.id as post, tags.slug, posts.author_id as author,
      (select id from products where active and stock > reserved limit 1) as product,
      (select user_id from orders limit 1) as buyer,
      (select id from newsletters order by created_at limit 1) as newsletter
    from posts join post_tags on post_tags.post_id = posts.id join tags on tags.id = post_tags.tag_id
    where posts.status = 'PUBLISHED' and exists (select from comments where comments.post_id = posts.id) limit 1`)
  return createCalls(rows[0] as Found)
}

interface Found {
  readonly post: string
  readonly slug: string
  readonly author: string
  readonly product: string
  readonly buyer: string
  readonly newsletter: string
}

function createCalls(found: Found): Record<string, Call> {
  const post = encodeId('Post', found.post)
  const product = encodeId('Product', found.product)
  const author = encodeId('User', found.author)
  const user: Viewer = { id: found.buyer, role: 'USER' }
  const admin: Viewer = { ...user, role: 'ADMIN' }
  return {
    'add-comment': {
      variables: { input: { postId: post, body: 'So it is.' } },
      as: user,
      path: 'addComment.comment.author.name',
    },
    'author-page': {
      variables: { id: author, orderBy: { field: 'TITLE', direction: 'ASC' } },
      path: 'user.posts.nodes.0.excerpt',
    },
    'create-order': {
      variables: { input: { items: [{ productId: product, quantity: 1 }], idempotencyKey: 'a cart' } },
      as: user,
      path: 'createOrder.order.items.0.product.available',
    },
    dashboard: { as: admin, path: 'dashboard.userCount' },
    'home-feed': { path: 'posts.edges.19.node.author.name' },
    'newsletter-progress': {
      variables: { id: encodeId('Newsletter', found.newsletter) },
      as: admin,
      path: 'newsletter.sent',
    },
    'order-history': { as: user, path: 'viewer.orders.edges.0.node.items.0.product.name' },
    'post-page': { variables: { id: post }, path: 'post.comments.edges.0.node.author.name' },
    'product-detail': { variables: { id: product }, path: 'product.name' },
    'product-list': {
      variables: {
        first: 5,
        filter: { minPrice: '1.00', inStock: true },
        orderBy: { field: 'PRICE', direction: 'ASC' },
      },
      path: 'products.edges.0.cursor',
    },
    'product-table': {
      variables: { page: 2, perPage: 5, orderBy: { field: 'POPULARITY', direction: 'DESC' } },
      path: 'productPage.nodes.0.sku',
    },
    refetch: {
      variables: { ids: [post, product, author] },
      path: 'nodes.2.name',
    },
    'search-posts': { variables: { text: 'the' }, path: 'posts.nodes.0.excerpt' },
    'send-newsletter': {
      variables: { input: { subject: 'What is new', text: 'This is, and that.', idempotencyKey: 'a letter' } },
      as: admin,
      path: 'sendNewsletter.newsletter.total',
    },
    'shipping-quotes': {
      variables: { items: [{ productId: product, quantity: 1 }], country: 'DE' },
      as: user,
      path: 'shippingQuotes.quotes.2.price',
    },
    'sign-in': {
      variables: { input: { email: 'user@example.com', password: 'correct horse battery' } },
      path: 'signIn.user.role',
    },
    'tag-page': { variables: { slug: found.slug, last: 5 }, path: 'tag.posts.edges.0.node.author.name' },
  }
}
