import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Viewer } from '../../src/graph/context.js'
import { startBusiness, type TestApp } from '../support.js'
import { addProduct, addUser } from './shop/goods.js'

let app: TestApp
let admin: Viewer
let post: string
let product: string
beforeAll(async () => {
  app = await startBusiness()
  admin = await addUser(app, 'ADMIN')
  product = await addProduct(app)
  const { data } = await app.query(
    'mutation { createPost(input: { title: "T", body: "B" }) { post { id } } }',
    {},
    { as: admin },
  )
  post = data.createPost.post.id
  await app.query(
    'mutation ($id: ID!) { publishPost(input: { id: $id }) { post { id } } }',
    { id: post },
    { as: admin },
  )
})
afterAll(() => app[Symbol.asyncDispose]())

/** Every mutation that writes texts: its input, and which of it are texts. */
const writes: [mutation: string, input: () => Record<string, unknown>, texts: string[]][] = [
  ['signUp', () => ({ name: 'N', email: 'n@example.com', password: 'long enough' }), ['name', 'email', 'password']],
  ['subscribe', () => ({ email: 'n@example.com' }), ['email']],
  ['createPost', () => ({ title: 'T', body: 'B' }), ['title', 'body']],
  ['updatePost', () => ({ id: post, title: 'T', body: 'B' }), ['title', 'body']],
  ['addComment', () => ({ postId: post, body: 'B' }), ['body']],
  [
    'createProduct',
    () => ({ name: 'N', sku: randomUUID(), price: '1', currency: 'EUR', description: 'D', brand: 'B' }),
    ['name', 'sku', 'currency', 'description', 'brand'],
  ],
  [
    'createOrder',
    () => ({ items: [{ productId: product, quantity: 1 }], idempotencyKey: randomUUID() }),
    ['idempotencyKey'],
  ],
]
const unstorable = { 'U+0000': 'it is \0 here', 'half a surrogate pair': 'it is \ud83d here' }

describe.each(Object.entries(unstorable))('a text with %s', (_name, text) => {
  const cases = writes.flatMap(([mutation, input, texts]) => texts.map((field) => [mutation, field, input] as const))
  test.each(cases)('%s refuses as its %s', async (mutation, field, input) => {
    const { data, errors } = await write(mutation, { ...input(), [field]: text })
    expect(errors).toBeUndefined()
    expect(data[mutation].errors).toContainEqual({ code: 'INVALID', field: [field] })
  })

  test.each(['createPost', 'updatePost'])('%s refuses as a tag', async (mutation) => {
    const { data } = await write(mutation, {
      ...(mutation === 'updatePost' ? { id: post } : { title: 'T', body: 'B' }),
      tags: [text],
    })
    expect(data[mutation].errors).toEqual([{ code: 'INVALID', field: ['tags', '0'] }])
  })
})

describe.each(['posts', 'products'])('the text that %s are searched by', (connection) => {
  const search = (text: string) =>
    app.query(`query ($text: String) { ${connection}(filter: { text: $text }) { nodes { id } } }`, { text })

  test.each([
    ['dashes', '-'.repeat(100)],
    ['dashes before a word', `${'-'.repeat(199)}a`],
    ['dashes and spaces before a word', `${'- '.repeat(99)}-a`],
    ['dashes and quotes before a word', `${'-"" '.repeat(49)}-a`],
    ['dashes and parentheses before a word', `${'-('.repeat(99)}-a`],
    ['words to leave out', '-a '.repeat(66)],
    ['alternatives', 'a or '.repeat(40)],
    ['open quotes', '"'.repeat(200)],
    ['a word of 200 characters', 'a'.repeat(200)],
  ])('may be %s', async (_name, text) => {
    const { data, errors } = await search(text)
    expect(errors).toBeUndefined()
    expect(data[connection].nodes).toBeInstanceOf(Array)
  })

  test.each(['a'.repeat(201), 'ab '.repeat(60_000)])('has at most 200 characters', async (text) => {
    const { errors } = await search(text)
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT'])
  })
})

test('a search leaves out the word after one dash, and finds a word with one inside', async () => {
  const id = await addProduct(app, { name: 'A well-known quagga' })
  const found = async (text: string) => {
    const document = 'query ($text: String) { products(filter: { text: $text }) { nodes { id } } }'
    return (await app.query(document, { text })).data.products.nodes
  }
  expect(await found('quagga well-known')).toEqual([{ id }])
  expect(await found('quagga -zebra -giraffe')).toEqual([{ id }])
  expect(await found('quagga -known')).toEqual([])
})

function write(mutation: string, input: Record<string, unknown>) {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`
  const document = `mutation ($input: ${type}!) { ${mutation}(input: $input) { errors { code field } } }`
  return app.query(document, { input }, { as: admin })
}
