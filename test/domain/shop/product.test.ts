import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Viewer } from '../../../src/graph/context.js'
import { encodeId } from '../../../src/graph/node.js'
import { startBusiness, type TestApp } from '../../support.js'
import { addProduct, addUser } from './goods.js'

let api: TestApp
let user: Viewer
let admin: Viewer
let hidden: string
const total = 27

beforeAll(async () => {
  api = await startBusiness()
  user = await addUser(api)
  admin = await addUser(api, 'ADMIN')
  for (let index = 0; index < total; index++) {
    await addProduct(api, {
      name: index === 0 ? 'Copper kettle' : `Lamp ${index}`,
      sku: `L-${index}`,
      price: `${10 + (index % 4)}.50`,
      sold_count: index % 5,
      reserved: index % 3 === 0 ? 10 : 0,
      created_at: `2026-01-0${1 + (index % 6)}T00:00:00Z`,
    })
  }
  hidden = await addProduct(api, { name: 'Hidden', active: false, sold_count: 99 })
})
afterAll(() => api[Symbol.asyncDispose]())

const one = 'query ($id: ID!) { product(id: $id) { id name } node(id: $id) { id } }'

test('a product that is not active is seen by administrators only', async () => {
  for (const as of [undefined, user])
    expect((await api.query(one, { id: hidden }, as ? { as } : {})).data).toEqual({ product: null, node: null })
  expect((await api.query(one, { id: hidden }, { as: admin })).data).toEqual({
    product: { id: hidden, name: 'Hidden' },
    node: { id: hidden },
  })
  const { data } = await api.query(
    '{ products(first: 100) { nodes { id } } popularProducts { id } productPage { nodes { id } } }',
  )
  expect(data.products.nodes).toHaveLength(total)
  expect(JSON.stringify(data)).not.toContain(hidden)
})

test('products that are not active are listed for administrators only', async () => {
  const list = '{ products(filter: { active: false }) { nodes { id } totalCount { count precision } } }'
  expect((await api.query(list)).errors?.[0].extensions.code).toBe('UNAUTHENTICATED')
  expect((await api.query(list, {}, { as: user })).errors?.[0].extensions.code).toBe('FORBIDDEN')
  expect((await api.query(list, {}, { as: admin })).data.products).toEqual({
    nodes: [{ id: hidden }],
    totalCount: { count: 1, precision: 'EXACT' },
  })
})

test('an id of another type, or with a part too many, is refused', async () => {
  const id = '018f0000-0000-7000-8000-000000000000'
  for (const wrong of [encodeId('User', id), encodeId('Product', `${id}:${id}`), 'x', '']) {
    const { status, errors } = await api.query('query ($id: ID!) { product(id: $id) { id } }', { id: wrong })
    expect([status, errors?.[0].extensions.code]).toEqual([200, 'BAD_USER_INPUT'])
  }
})

test.each([
  ['NEWEST', 'createdAt'],
  ['POPULARITY', 'soldCount'],
  ['PRICE', 'price'],
])('%s orders by %s, with ties, both ways and to the end', async (field, shown) => {
  const page = `query ($after: String, $orderBy: ProductOrder, $first: Int) {
    products(first: $first, after: $after, orderBy: $orderBy) { nodes { id ${shown} } pageInfo { hasNextPage endCursor } }
  }`
  const walk = async (direction: string, first: number) => {
    const found: { id: string; [shown: string]: unknown }[] = []
    for (let after = null, more = true; more; ) {
      const { data } = await api.query(page, { after, first, orderBy: { field, direction } })
      found.push(...data.products.nodes)
      after = data.products.pageInfo.endCursor
      more = data.products.pageInfo.hasNextPage
    }
    return found
  }
  const rising = await walk('ASC', 4)
  const values = rising.map((row) => (shown === 'createdAt' ? String(row[shown]) : Number(row[shown])))
  expect(values).toEqual([...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)))
  expect(new Set(rising.map(({ id }) => id)).size).toBe(total)
  expect((await walk('DESC', 7)).reverse()).toEqual(rising)
})

test('the newest come first when no order is given', async () => {
  const { data } = await api.query(
    '{ bare: products { nodes { id } } said: products(orderBy: { field: NEWEST, direction: DESC }) { nodes { id } } }',
  )
  expect(data.bare).toEqual(data.said)
})

test.each([
  ['minPrice: "12.5"', 13],
  ['maxPrice: "11"', 7],
  ['minPrice: "11.50", maxPrice: "12.50"', 14],
  ['inStock: true', 18],
  ['inStock: false', 9],
  ['text: "copper KETTLE"', 1],
  ['text: "nothing of this name"', 0],
  ['inStock: true, minPrice: "13.00", text: "lamp"', 4],
])('filter { %s } fits %i', async (filter, count) => {
  for (const field of ['NEWEST', 'POPULARITY', 'PRICE']) {
    const { data } = await api.query(
      `{ products(first: 100, filter: { ${filter} }, orderBy: { field: ${field}, direction: ASC }) { nodes { id } totalCount { count } } }`,
    )
    expect([data.products.nodes.length, data.products.totalCount.count]).toEqual([count, count])
  }
})

test('pages by number hold what the connection holds, in its order', async () => {
  for (const orderBy of [null, { field: 'PRICE', direction: 'ASC' }, { field: 'POPULARITY', direction: 'DESC' }]) {
    const all = await api.query(
      'query ($orderBy: ProductOrder) { products(first: 100, orderBy: $orderBy) { nodes { id } } }',
      {
        orderBy,
      },
    )
    const found = []
    for (let page = 1; page <= 4; page++) {
      const { data } = await api.query(
        `query ($page: Int!, $orderBy: ProductOrder) {
          productPage(page: $page, perPage: 7, orderBy: $orderBy) {
            nodes { id } page perPage hasNextPage hasPreviousPage totalCount { count precision }
          }
        }`,
        { page, orderBy },
      )
      const { nodes, ...rest } = data.productPage
      found.push(...nodes)
      expect(rest).toEqual({
        page,
        perPage: 7,
        hasNextPage: page < 4,
        hasPreviousPage: page > 1,
        totalCount: { count: total, precision: 'EXACT' },
      })
    }
    expect(found).toEqual(all.data.products.nodes)
  }
})

test.each(['page: 0', 'page: -1', 'perPage: 0', 'perPage: 101', 'page: 101, perPage: 100', 'page: 2147483647'])(
  'productPage(%s) is refused',
  async (args) => {
    const { errors } = await api.query(`{ productPage(${args}) { page } }`)
    expect(errors?.[0].extensions.code).toBe('BAD_USER_INPUT')
  },
)

test('the deepest page is answered', async () => {
  const { data } = await api.query('{ productPage(page: 100, perPage: 100) { nodes { id } hasNextPage } }')
  expect(data.productPage).toEqual({ nodes: [], hasNextPage: false })
})

test('popular products are the most sold', async () => {
  const { data } = await api.query('{ popularProducts(first: 8) { soldCount } few: popularProducts(first: 1) { id } }')
  expect(data.popularProducts.map((product: { soldCount: number }) => product.soldCount)).toEqual([
    4, 4, 4, 4, 4, 3, 3, 3,
  ])
  expect(data.few).toHaveLength(1)
  const { errors } = await api.query('{ popularProducts(first: 101) { id } }')
  expect(errors?.[0].extensions.code).toBe('BAD_USER_INPUT')
})

const create = `mutation ($input: CreateProductInput!) {
  createProduct(input: $input) {
    product { id name description sku brand price currency stock available soldCount weight active }
    errors { code field }
  }
}`
const kettle = { name: 'Kettle', sku: 'K-1', price: '49.9', currency: 'EUR', stock: 3, weight: '1.25', brand: 'Acme' }

test('createProduct and adjustStock are for administrators', async () => {
  const adjust = 'mutation ($input: AdjustStockInput!) { adjustStock(input: $input) { product { id } } }'
  for (const [as, code] of [
    [undefined, 'UNAUTHENTICATED'],
    [user, 'FORBIDDEN'],
  ] as const) {
    const options = as ? { as } : {}
    const created = await api.query(create, { input: kettle }, options)
    const adjusted = await api.query(adjust, { input: { id: hidden, delta: 1 } }, options)
    for (const { data, errors } of [created, adjusted]) {
      expect(data).toBeNull()
      expect(errors?.[0].extensions.code).toBe(code)
    }
  }
})

test('a product is created once per SKU', async () => {
  const { data } = await api.query(create, { input: kettle }, { as: admin })
  expect(data.createProduct).toEqual({
    product: {
      ...kettle,
      id: expect.any(String),
      description: '',
      price: '49.90',
      weight: '1.250',
      available: 3,
      soldCount: 0,
      active: true,
    },
    errors: [],
  })
  const again = await api.query(create, { input: kettle }, { as: admin })
  expect(again.data.createProduct).toEqual({ product: null, errors: [{ code: 'TAKEN', field: ['sku'] }] })
})

test('every field of a new product is checked', async () => {
  const input = { name: ' ', sku: 'a b', price: '1.234', currency: 'eur', stock: -1, weight: '-1', brand: '' }
  const { data } = await api.query(create, { input }, { as: admin })
  expect(data.createProduct.product).toBeNull()
  const fields = data.createProduct.errors.map((error: { code: string; field: string[] }) => {
    expect(error.code).toBe('INVALID')
    return error.field.join('.')
  })
  expect(fields.sort()).toEqual(['brand', 'currency', 'name', 'price', 'sku', 'stock', 'weight'])
})

test('a stock is adjusted, but never below what is reserved', async () => {
  const id = await addProduct(api, { stock: 10, reserved: 4, active: false })
  const adjust = async (delta: number, product = id) => {
    const { data } = await api.query(
      `mutation ($input: AdjustStockInput!) {
        adjustStock(input: $input) { product { stock available } errors { code field } }
      }`,
      { input: { id: product, delta } },
      { as: admin },
    )
    return data.adjustStock
  }
  expect(await adjust(5)).toEqual({ product: { stock: 15, available: 11 }, errors: [] })
  expect(await adjust(-11)).toEqual({ product: { stock: 4, available: 0 }, errors: [] })
  expect(await adjust(-1)).toEqual({ product: null, errors: [{ code: 'OUT_OF_STOCK', field: ['delta'] }] })
  expect(await adjust(2 ** 31 - 1)).toEqual({ product: null, errors: [{ code: 'INVALID', field: ['delta'] }] })
  const unknown = encodeId('Product', '018f0000-0000-7000-8000-000000000000')
  expect(await adjust(1, unknown)).toEqual({ product: null, errors: [{ code: 'NOT_FOUND', field: ['id'] }] })
})
