import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadConfig } from '../../src/core/config.js'
import { fact, type StatementEnd } from '../../src/core/events.js'
import type { Viewer } from '../../src/graph/context.js'
import { seedDatabase } from '../../src/tools/seed.js'
import { jwtSecret } from '../settings.js'
import { startBusiness, type TestApp, tokenFor } from '../support.js'
import { addUser } from './shop/goods.js'

let app: TestApp
let admin: Viewer
beforeAll(async () => {
  app = await startBusiness()
  await seedDatabase(loadConfig({ DATABASE_URL: app.url, JWT_SECRET: jwtSecret, LOG_LEVEL: 'silent' }), { scale: 0.01 })
  admin = await addUser(app, 'ADMIN')
  await app.sql('vacuum (analyze)')
})
afterAll(() => app[Symbol.asyncDispose]())

async function ask(path: string, as?: Viewer) {
  const headers = as && { authorization: `Bearer ${await tokenFor(as)}` }
  return fetch(`${app.app.url}/exports/${path}`, headers ? { headers } : {})
}

async function linesOf(path: string, as?: Viewer) {
  const response = await ask(path, as)
  expect(response.status).toBe(200)
  return (await response.text())
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

const all = 'from=2000-01-01T00:00:00Z&to=2100-01-01T00:00:00Z'

test('every order of a period, oldest first, as the API shows it', async () => {
  const orders = await linesOf(`orders?${all}`, admin)
  const [{ count }] = (await app.sql('select count(*)::int as count from orders')) as [{ count: number }]
  expect(orders).toHaveLength(count)
  expect(new Set(orders.map(({ id }) => id)).size).toBe(count)
  expect(orders.map(({ createdAt }) => createdAt)).toEqual(orders.map(({ createdAt }) => createdAt).sort())

  const nodes = orders.slice(100, 150)
  const { data } = await app.query(
    `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Order {
      id user { id } status total currency createdAt items { product { id } quantity unitPrice }
    } } }`,
    { ids: nodes.map(({ id }) => id) },
    { as: admin },
  )
  const shown = data.nodes.map(({ user, items, ...order }: { user: { id: string }; items: Item[] }) => ({
    ...order,
    userId: user.id,
    items: items.map(({ product, ...item }) => ({ productId: product.id, ...item })),
  }))
  expect(nodes).toEqual(shown)

  const [from, to] = [orders[20].createdAt, orders[40].createdAt]
  expect(await linesOf(`orders?from=${from}&to=${to}`, admin)).toEqual(
    orders.filter(({ createdAt }) => createdAt >= from && createdAt < to),
  )
})

test('orders are for administrators, and of a period', async () => {
  expect((await ask(`orders?${all}`)).status).toBe(401)
  expect((await ask(`orders?${all}`, await addUser(app))).status).toBe(403)
  const refused = await ask('orders?from=2024-01-01T00:00:00Z', admin)
  expect([refused.status, (await refused.json()).errors[0].message]).toEqual([400, '`to`: is required.'])
})

test('every published post, newest first, for anybody', async () => {
  const posts = await linesOf('posts')
  const published = await app.sql("select 1 from posts where status = 'PUBLISHED'")
  expect(posts).toHaveLength(published.length)
  const { data } = await app.query(
    '{ posts(first: 100) { nodes { id author { id } title body publishedAt createdAt } } }',
  )
  const shown = data.posts.nodes.map(({ author, ...post }: { author: { id: string } }) => ({
    ...post,
    authorId: author.id,
  }))
  expect(posts.slice(0, 100)).toEqual(shown)
  const { publishedAt } = posts[50]
  expect(await linesOf(`posts?since=${publishedAt}`)).toEqual(posts.filter((post) => post.publishedAt >= publishedAt))
})

test.each(['orders', 'posts'])('the first %s come without a sort of them all', async (name) => {
  const texts: string[] = []
  const statements: StatementEnd[] = []
  const stop = fact('statement.finished').listen((end) => void (end.pool === 'export' && statements.push(end)))
  await linesOf(name === 'orders' ? `orders?${all}` : 'posts', admin)
  stop()
  for (const { text, values } of statements) {
    const bound = text.replaceAll(/\$(\d)/g, (_, index) => `'${values[Number(index) - 1]}'`)
    const rows = await app.sql<{ 'QUERY PLAN': string }>(`explain declare stream cursor for ${bound}`)
    texts.push(rows.map((row) => row['QUERY PLAN']).join('\n'))
  }
  expect(texts).toHaveLength(1)
  expect(texts[0]).toMatch(name === 'orders' ? /Presorted Key: orders.created_at/ : /Index Scan using posts_published/)
  expect(texts[0]).not.toMatch(/(->\s+|^)Sort\s+\(/m)
})

interface Item {
  readonly product: { readonly id: string }
}
