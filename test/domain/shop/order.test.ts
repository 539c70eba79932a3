import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Viewer } from '../../../src/graph/context.js'
import { encodeId } from '../../../src/graph/node.js'
import { startBusiness, type TestApp } from '../../support.js'
import { addProduct, addUser, order, reservedOf } from './goods.js'

let api: TestApp
let user: Viewer
let other: Viewer
let admin: Viewer

beforeAll(async () => {
  api = await startBusiness()
  user = await addUser(api)
  other = await addUser(api)
  admin = await addUser(api, 'ADMIN')
})
afterAll(() => api[Symbol.asyncDispose]())

const times = <Result>(count: number, work: (index: number) => Promise<Result>) =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)))

test('an order reserves its pieces and keeps what it cost', async () => {
  const lamp = await addProduct(api, { price: '12.50' })
  const cable = await addProduct(api, { price: '0.05', stock: 1000 })
  const { order: placed, errors } = await order(api, user, [
    { productId: cable, quantity: 999 },
    { productId: lamp, quantity: 2 },
  ])
  expect(errors).toEqual([])
  expect(placed).toMatchObject({ status: 'PLACED', total: '74.95', currency: 'EUR' })
  expect([await reservedOf(api, lamp), await reservedOf(api, cable)]).toEqual([2, 999])

  await api.sql('update products set price = 99, active = false')
  const { data } = await api.query(
    `query ($id: ID!) {
      order(id: $id) { id total user { id } items { quantity unitPrice product { id active } } }
      node(id: $id) { id ... on Order { createdAt } }
    }`,
    { id: placed.id },
    { as: user },
  )
  expect(data.order).toEqual({
    id: placed.id,
    total: '74.95',
    user: { id: encodeId('User', user.id) },
    items: [
      { quantity: 999, unitPrice: '0.05', product: { id: cable, active: false } },
      { quantity: 2, unitPrice: '12.50', product: { id: lamp, active: false } },
    ],
  })
  expect(data.node.id).toBe(placed.id)
})

test('of 50 buyers of the last 10 pieces 10 get one', async () => {
  const product = await addProduct(api, { stock: 10 })
  const buyers: Viewer[] = []
  for (let index = 0; index < 50; index++) buyers.push(await addUser(api))
  const answers = await times(50, (index) => order(api, buyers[index] as Viewer, [{ productId: product, quantity: 1 }]))
  expect(answers.filter((answer) => answer.order)).toHaveLength(10)
  for (const { order: placed, errors } of answers)
    if (!placed)
      expect(errors).toEqual([{ code: 'OUT_OF_STOCK', message: 'Only 0 are left.', field: ['items', '0', 'quantity'] }])
  expect(await reservedOf(api, product)).toBe(10)
})

test('orders of the same products in opposite orders do not block each other', async () => {
  const [first, second] = [await addProduct(api, { stock: 100 }), await addProduct(api, { stock: 100 })]
  const answers = await times(20, (index) => {
    const items = [first, second].map((productId) => ({ productId, quantity: 1 }))
    return order(api, user, index % 2 ? items : items.reverse())
  })
  expect(answers.flatMap((answer) => answer.errors)).toEqual([])
  expect([await reservedOf(api, first), await reservedOf(api, second)]).toEqual([20, 20])
})

test('products are locked in the order of their ids, wherever their rows are', async () => {
  const ids = ['00000000-0000-7000-8000-00000000000b', '00000000-0000-7000-8000-00000000000a']
  const products = []
  for (const id of ids) products.push(await addProduct(api, { id }))
  const [larger, smaller] = ids
  const holder = new Client({ connectionString: api.url })
  await holder.connect()
  try {
    await holder.query('begin')
    await holder.query('select 1 from products where id = $1 for update', [smaller])
    const placing = order(
      api,
      user,
      products.map((productId) => ({ productId, quantity: 1 })),
    )
    const waiting = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    await expect.poll(() => api.sql(waiting)).toHaveLength(1)
    expect(await api.sql('select 1 from products where id = $1 for update nowait', [larger])).toHaveLength(1)
    await holder.query('commit')
    expect((await placing).errors).toEqual([])
  } finally {
    await holder.end()
  }
})

test('the same key makes one order, also at the same time and of the last piece', async () => {
  const product = await addProduct(api, { stock: 1 })
  const items = [{ productId: product, quantity: 1 }]
  const answers = await times(10, () => order(api, user, items, 'last piece'))
  answers.push(await order(api, user, items, 'last piece'))
  expect(new Set(answers.map((answer) => answer.order?.id)).size).toBe(1)
  expect(answers.flatMap((answer) => answer.errors)).toEqual([])
  expect(await reservedOf(api, product)).toBe(1)
  expect((await order(api, other, items, 'last piece')).errors).toMatchObject([{ code: 'OUT_OF_STOCK' }])
})

test('a key is refused for other items, also at the same time', async () => {
  const product = await addProduct(api)
  await order(api, user, [{ productId: product, quantity: 1 }], 'used')
  const conflict = { order: null, errors: [{ code: 'CONFLICT', field: ['idempotencyKey'] }] }
  expect(await order(api, user, [{ productId: product, quantity: 2 }], 'used')).toMatchObject(conflict)
  expect(await order(api, user, [{ productId: await addProduct(api), quantity: 1 }], 'used')).toMatchObject(conflict)

  const products: string[] = []
  for (let index = 0; index < 5; index++) products.push(await addProduct(api))
  const answers = await times(5, (index) =>
    order(api, user, [{ productId: products[index] as string, quantity: 1 }], 'raced'),
  )
  expect(answers.filter((answer) => answer.order)).toHaveLength(1)
  expect(answers.flatMap((answer) => answer.errors).map(({ code }) => code)).toEqual(Array(4).fill('CONFLICT'))
  expect(await times(5, (index) => reservedOf(api, products[index] as string))).toContain(1)
})

test('what cannot be ordered is said for each item, and nothing is reserved', async () => {
  const lamp = await addProduct(api, { stock: 3, reserved: 1 })
  const inactive = await addProduct(api, { active: false })
  const dollars = await addProduct(api, { currency: 'USD' })
  const unknown = encodeId('Product', '018f0000-0000-7000-8000-000000000000')
  const { order: placed, errors } = await order(
    api,
    user,
    [lamp, inactive, dollars, unknown].map((productId) => ({ productId, quantity: 3 })),
  )
  expect(placed).toBeNull()
  expect(errors.map(({ code, field }: { code: string; field: string[] }) => [code, field.join('.')])).toEqual([
    ['OUT_OF_STOCK', 'items.0.quantity'],
    ['NOT_FOUND', 'items.1.productId'],
    ['NOT_FOUND', 'items.3.productId'],
    ['INVALID', 'items'],
  ])
  expect([await reservedOf(api, lamp), await reservedOf(api, dollars)]).toEqual([1, 0])
})

test('the input is checked', async () => {
  const productId = await addProduct(api)
  const fieldsOf = async (items: { productId: string; quantity: number }[], key = 'key') => {
    const { order: placed, errors } = await order(api, user, items, key)
    expect(placed).toBeNull()
    return errors.map(({ code, field }: { code: string; field: string[] }) => `${code} ${field.join('.')}`)
  }
  const item = { productId, quantity: 1 }
  expect(await fieldsOf([], '')).toEqual(['INVALID items', 'INVALID idempotencyKey'])
  expect(await fieldsOf([item], 'k'.repeat(101))).toEqual(['INVALID idempotencyKey'])
  expect(await fieldsOf([{ productId, quantity: 0 }])).toEqual(['INVALID items.0.quantity'])
  expect(await fieldsOf([{ productId, quantity: 1001 }])).toEqual(['INVALID items.0.quantity'])
  expect(await fieldsOf([item, item])).toEqual(['INVALID items.1.productId'])
  expect(await fieldsOf(Array(101).fill(item))).toContain('INVALID items')
  await expect(order(api, user, [{ productId: encodeId('User', user.id), quantity: 1 }])).rejects.toThrow(
    'BAD_USER_INPUT',
  )
  expect(await fieldsOf([item], 'nul \0')).toEqual(['INVALID idempotencyKey'])
})

const cancel = `mutation ($id: ID!) { cancelOrder(input: { id: $id }) { order { status } errors { code field } } }`

test('ordering and cancelling need a viewer', async () => {
  const product = await addProduct(api)
  const { order: placed } = await order(api, user, [{ productId: product, quantity: 1 }])
  const create = `mutation { createOrder(input: { items: [{ productId: "${product}", quantity: 1 }], idempotencyKey: "k" }) { order { id } } }`
  for (const { data, errors } of [await api.query(create), await api.query(cancel, { id: placed.id })]) {
    expect(data).toBeNull()
    expect(errors?.[0].extensions.code).toBe('UNAUTHENTICATED')
  }
})

test('an order is cancelled once, by its owner or an administrator', async () => {
  const product = await addProduct(api)
  const place = async () => (await order(api, user, [{ productId: product, quantity: 4 }])).order.id
  const cancelAs = async (as: Viewer, id: string) => (await api.query(cancel, { id }, { as })).data.cancelOrder
  const [first, second] = [await place(), await place()]

  const missing = { order: null, errors: [{ code: 'NOT_FOUND', field: ['id'] }] }
  expect(await cancelAs(other, first)).toEqual(missing)
  const unknown = encodeId('Order', `${user.id}:018f0000-0000-7000-8000-000000000000`)
  expect(await cancelAs(user, unknown)).toEqual(missing)
  expect(await reservedOf(api, product)).toBe(8)

  const answers = await times(5, () => cancelAs(user, first))
  for (const answer of answers) expect(answer).toEqual({ order: { status: 'CANCELLED' }, errors: [] })
  expect(await reservedOf(api, product)).toBe(4)
  expect((await cancelAs(admin, second)).order.status).toBe('CANCELLED')
  expect(await reservedOf(api, product)).toBe(0)

  const settled = await place()
  await api.sql(`update orders set status = 'SETTLED' where status = 'PLACED' and user_id = $1`, [user.id])
  expect(await cancelAs(user, settled)).toEqual({ order: null, errors: [{ code: 'NOT_ALLOWED', field: ['id'] }] })
})

test('an order is seen by its owner and administrators only', async () => {
  const { order: placed } = await order(api, user, [{ productId: await addProduct(api), quantity: 1 }])
  const one = 'query ($id: ID!) { order(id: $id) { id } node(id: $id) { id } nodes(ids: [$id]) { id } }'
  for (const as of [undefined, other]) {
    const { data, statements } = await api.query(one, { id: placed.id }, as ? { as } : {})
    expect(data).toEqual({ order: null, node: null, nodes: [null] })
    expect(statements).toEqual([])
  }
  for (const as of [user, admin])
    expect((await api.query(one, { id: placed.id }, { as })).data.order).toEqual({ id: placed.id })
  const half = encodeId('Order', user.id)
  const { errors } = await api.query('query ($id: ID!) { order(id: $id) { id } }', { id: half }, { as: user })
  expect(errors?.[0].extensions.code).toBe('BAD_USER_INPUT')
})

test('the orders of a user are for the user and administrators, newest first, in one statement with all items', async () => {
  const buyer = await addUser(api)
  const product = await addProduct(api, { stock: 1000 })
  const list = `query ($id: ID!, $last: Int) {
    user(id: $id) {
      name
      orders(last: $last) { nodes { id createdAt items { quantity product { name } } } totalCount { count } pageInfo { hasNextPage hasPreviousPage } }
    }
  }`
  const id = encodeId('User', buyer.id)
  for (const [as, code] of [
    [undefined, 'FORBIDDEN'],
    [other, 'FORBIDDEN'],
  ] as const) {
    const { data, errors } = await api.query(list, { id }, as ? { as } : {})
    expect(data.user).toEqual({ name: 'Somebody', orders: null })
    expect(errors?.[0].extensions.code).toBe(code)
  }

  let statements = 0
  for (const [more, count] of [
    [3, 3],
    [9, 12],
  ] as const) {
    await times(more, () => order(api, buyer, [{ productId: product, quantity: 1 }]))
    for (const as of [buyer, admin]) {
      const answer = await api.query(list, { id }, { as })
      const { nodes, totalCount } = answer.data.user.orders
      expect([nodes.length, totalCount.count]).toEqual([count, count])
      const dates = nodes.map((node: { createdAt: string }) => node.createdAt)
      expect(dates).toEqual([...dates].sort().reverse())
      expect(nodes[0].items).toEqual([{ quantity: 1, product: { name: 'Lamp' } }])
      statements ||= answer.statements.length
      expect(answer.statements).toHaveLength(statements)
    }
  }
  expect(statements).toBe(5)
  const { data } = await api.query(list, { id, last: 5 }, { as: buyer })
  expect(data.user.orders.nodes).toHaveLength(5)
  expect(data.user.orders.pageInfo).toEqual({ hasNextPage: false, hasPreviousPage: true })
})
