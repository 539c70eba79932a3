import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Viewer } from '../../src/graph/context.js'
import { startBusiness, type TestApp } from '../support.js'
import { addProduct, addUser } from './shop/goods.js'

let api: TestApp
let admin: Viewer

beforeAll(async () => {
  api = await startBusiness({ CACHE: 'on' })
  admin = await addUser(api, 'ADMIN')
})
afterAll(() => api[Symbol.asyncDispose]())

test('the figures of the dashboard are counted once for a while', async () => {
  const all = '{ dashboard { userCount postCountToday orderCountToday revenueToday { amount currency } } }'
  const first = await api.query(all, {}, { as: admin })
  expect(first.statements.map(({ statement }) => statement).sort()).toEqual([
    'orderCountToday',
    'postCountToday',
    'revenueToday',
    'userCount',
  ])
  const other = await addUser(api, 'ADMIN')
  const again = await api.query(all, {}, { as: other })
  expect(again.statements).toEqual([])
  expect(again.data).toEqual(first.data)
})

test('who is among the popular products may be old, what is said of them is not', async () => {
  const popular = '{ popularProducts(first: 2) { id name soldCount available } }'
  const [kept, gone] = [await addProduct(api, { name: 'Kept', stock: 5 }), await addProduct(api, { name: 'Gone' })]
  const third = await addProduct(api, { name: 'Third' })
  await api.sql(`update products set sold_count = case name when 'Kept' then 3 when 'Gone' then 2 else 1 end`)
  const first = await api.query(popular)
  expect(first.data.popularProducts.map(({ id }: { id: string }) => id)).toEqual([kept, gone])
  expect(first.statements.map(({ statement }) => statement)).toEqual(['popularProducts', 'productById'])

  const adjust = 'mutation ($input: AdjustStockInput!) { adjustStock(input: $input) { product { available } } }'
  await api.query(adjust, { input: { id: kept, delta: 4 } }, { as: admin })
  await api.sql(`update products set active = false where name = 'Gone'`)
  await api.query(adjust, { input: { id: gone, delta: 1 } }, { as: admin })
  await api.sql(`update products set sold_count = 9 where name = 'Third'`)
  const { data, statements } = await api.query(`${popular} # again`)
  expect(data.popularProducts).toMatchObject([{ name: 'Kept', available: 9 }, { id: third }])
  expect(statements.map(({ statement }) => statement)).not.toContain('popularProducts')
})

test('a count of products is kept, page by page', async () => {
  const count = async (page: number) =>
    (await api.query(`{ productPage(page: ${page}) { totalCount { count } } }`)).data.productPage.totalCount.count
  const first = await count(1)
  await addProduct(api)
  expect(await count(2)).toBe(first)
})
