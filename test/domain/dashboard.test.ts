import { v7 } from 'uuid'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Viewer } from '../../src/graph/context.js'
import { startBusiness, type TestApp } from '../support.js'
import { addProduct, addUser, order } from './shop/goods.js'

let api: TestApp
let user: Viewer
let admin: Viewer

beforeAll(async () => {
  api = await startBusiness()
  user = await addUser(api)
  admin = await addUser(api, 'ADMIN')
})
afterAll(() => api[Symbol.asyncDispose]())

const all = '{ dashboard { userCount postCountToday orderCountToday revenueToday { amount currency } } }'

test('the dashboard is for administrators', async () => {
  for (const [as, code] of [
    [undefined, 'UNAUTHENTICATED'],
    [user, 'FORBIDDEN'],
  ] as const) {
    const { data, errors } = await api.query(all, {}, as ? { as } : {})
    expect(data).toBeNull()
    expect(errors?.[0].extensions.code).toBe(code)
  }
})

test('it counts what happened today, and revenue per currency', async () => {
  expect((await api.query(all, {}, { as: admin })).data.dashboard).toEqual({
    userCount: 2,
    postCountToday: 0,
    orderCountToday: 0,
    revenueToday: [],
  })
  const euros = await addProduct(api, { price: '12.50', stock: 1000 })
  const dollars = await addProduct(api, { price: '0.10', currency: 'USD' })
  await order(api, user, [{ productId: euros, quantity: 2 }])
  await order(api, user, [{ productId: euros, quantity: 3 }])
  await order(api, admin, [{ productId: dollars, quantity: 3 }])
  const { order: cancelled } = await order(api, user, [{ productId: euros, quantity: 100 }])
  await api.query(`mutation { cancelOrder(input: { id: "${cancelled.id}" }) { order { id } } }`, {}, { as: user })
  const { order: old } = await order(api, user, [{ productId: euros, quantity: 7 }])
  expect(old.total).toBe('87.50')
  await api.sql(
    `update orders set created_at = date_trunc('day', now(), 'UTC') - interval '1 microsecond' where total = 87.5`,
  )
  for (const [status, published] of [
    ['PUBLISHED', 'now()'],
    ['PUBLISHED', `now() - interval '25 hours'`],
    ['DRAFT', 'null'],
    ['ARCHIVED', 'now()'],
  ])
    await api.sql(
      `insert into posts (id, author_id, status, title, body, published_at, created_at)
       values ($1, $2, '${status}', 't', 'b', ${published}, now())`,
      [v7(), user.id],
    )

  expect((await api.query(all, {}, { as: admin })).data.dashboard).toEqual({
    userCount: 2,
    postCountToday: 1,
    orderCountToday: 3,
    revenueToday: [
      { amount: '62.50', currency: 'EUR' },
      { amount: '0.30', currency: 'USD' },
    ],
  })
})

test('only what is asked for is counted', async () => {
  const { statements } = await api.query('{ dashboard { userCount } }', {}, { as: admin })
  expect(statements.map(({ statement }) => statement)).toEqual(['userCount'])
})
