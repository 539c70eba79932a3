import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Viewer } from '../../src/graph/context.js'
import { startBusiness, type TestApp } from '../support.js'
import { compareChanges } from '../table-changes.js'
import { addProduct, addUser, order } from './shop/goods.js'

let app: TestApp
let [author, admin] = [] as unknown as [Viewer, Viewer]

beforeAll(async () => {
  app = await startBusiness({ DATABASE_POOL_SIZE: '1' })
  author = await addUser(app)
  admin = await addUser(app, 'ADMIN')
  for (const slug of ['node', 'sql', 'graphql'])
    await app.sql('insert into tags (id, name, slug) values ($1, $2, $2)', [randomUUID(), slug])
})
afterAll(() => app[Symbol.asyncDispose]())

type Prepared = { input?: Record<string, unknown>; as?: Viewer }

/** What each mutation is called with, once what it needs is there. */
const calls: Record<string, () => Promise<Prepared>> = {
  signUp: async () => ({
    input: { name: 'A', email: `${randomUUID()}@example.com`, password: 'long enough to be one' },
  }),
  signIn: async () => {
    const account = { email: `${randomUUID()}@example.com`, password: 'long enough to be one' }
    await run('signUp', { input: { name: 'A', ...account } })
    return { input: account }
  },
  renewToken: async () => ({ as: author }),
  createPost: async () => ({ input: { title: 'T', body: 'B', tags: ['node', 'sql'] }, as: author }),
  updatePost: async () => ({ input: { id: await addPost(), title: 'U', tags: ['sql', 'graphql'] }, as: author }),
  publishPost: async () => ({ input: { id: await addPost() }, as: author }),
  archivePost: async () => ({ input: { id: await addPost('publishPost') }, as: author }),
  deletePost: async () => {
    const id = await addPost('publishPost')
    for (const body of ['one', 'two']) await run('addComment', { input: { postId: id, body }, as: author })
    return { input: { id }, as: author }
  },
  addComment: async () => ({ input: { postId: await addPost('publishPost'), body: 'C' }, as: author }),
  createOrder: async () => ({ input: { items: await addItems(), idempotencyKey: randomUUID() }, as: author }),
  cancelOrder: async () => {
    const placed = await order(app, author, await addItems())
    return { input: { id: placed.order.id }, as: author }
  },
  createProduct: async () => ({
    input: { name: 'P', description: 'D', sku: randomUUID(), price: '1.00', currency: 'EUR', stock: 3 },
    as: admin,
  }),
  adjustStock: async () => ({ input: { id: await addProduct(app), delta: 2 }, as: admin }),
  retryJob: async () => {
    const [job] = await app.sql<{ id: string }>(`select id from graphile_worker.add_job('none')`)
    await app.sql('update graphile_worker._private_jobs set attempts = max_attempts where id = $1', [job?.id])
    return { input: { id: job?.id }, as: admin }
  },
  subscribe: async () => ({ input: { email: `${randomUUID()}@example.com` } }),
  sendNewsletter: async () => ({ input: { subject: 'S', text: 'T', idempotencyKey: randomUUID() }, as: admin }),
}

test('no mutation is left out', () => {
  expect(Object.keys(calls).sort()).toEqual(Object.keys(app.app.schema.getMutationType()?.getFields() ?? {}).sort())
})

test.each(Object.keys(calls))('%s declares every row it changes, and no other', async (name) => {
  const prepared = (await calls[name]?.()) as Prepared
  const { declared, counted } = await compareChanges(app.app.db, () => run(name, prepared))
  expect(declared).toEqual(counted)
  const writes = !['signIn', 'renewToken', 'retryJob'].includes(name)
  expect(Object.keys(counted).length > 0).toBe(writes)
})

async function run(name: string, { input, as }: Prepared) {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`
  const document = input
    ? `mutation ($input: ${type}!) { ${name}(input: $input) { errors { code message field } } }`
    : `mutation { ${name} { errors { code message field } } }`
  const { data, errors } = await app.query(document, input ? { input } : {}, as ? { as } : {})
  expect({ errors, refused: data?.[name].errors }).toEqual({ errors: undefined, refused: [] })
}

async function addPost(then?: string): Promise<string> {
  const { data } = await app.query(
    'mutation ($input: CreatePostInput!) { createPost(input: $input) { post { id } } }',
    { input: { title: 'T', body: 'B', tags: ['node', 'sql'] } },
    { as: author },
  )
  const { id } = data.createPost.post
  if (then) await run(then, { input: { id }, as: author })
  return id
}

async function addItems() {
  return Promise.all([1, 2].map(async (quantity) => ({ productId: await addProduct(app), quantity })))
}
