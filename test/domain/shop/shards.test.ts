import { Client } from 'pg'
import { expect, test, vi } from 'vitest'
import { encodeId } from '../../../src/graph/node.js'
import { startBusiness } from '../../support.js'
import { addProduct, addUser, order } from './goods.js'

/** Whether a statement on orders says whose they are, or that it is meant for every shard. */
function namesItsShard(text: string): boolean {
  const concerned = /\border(s|_items)\b/.test(text)
  const insert = /insert into "order(s|_items)" \([^)]*"user_id"/.test(text)
  // A value, or the keys that a batch is asked for; not another column.
  const bound = /"user_id" = (\$\d|'|"asked"\."user_id"|parent\.key)/.test(text)
  return !concerned || insert || bound || text.startsWith('-- all shards\n')
}

test('a statement on orders is told apart by whether it names its shard', () => {
  expect(namesItsShard('select "orders"."user_id" from "orders" where "orders"."id" = $1')).toBe(false)
  expect(namesItsShard('select "orders"."id" from "orders" where "orders"."user_id" = $1')).toBe(true)
  expect(namesItsShard('select 1 from "orders" inner join "order_items" on "a"."user_id" = "b"."user_id"')).toBe(false)
  expect(namesItsShard('update "orders" set "status" = $1 where "id" = $2')).toBe(false)
  expect(namesItsShard('insert into "order_items" ("order_id") values ($1)')).toBe(false)
  expect(namesItsShard('-- all shards\nselect count(*) from "orders"')).toBe(true)
  expect(namesItsShard('select "posts"."id" from "posts"')).toBe(true)
})

test('every statement on orders names its shard, or says that it concerns all of them', async () => {
  await using api = await startBusiness()
  const user = await addUser(api)
  const admin = await addUser(api, 'ADMIN')
  const product = await addProduct(api)
  const texts = new Set<string>()
  const original = Client.prototype.query
  const spy = vi.spyOn(Client.prototype, 'query').mockImplementation(function (this: Client, ...args: unknown[]) {
    const [query] = args as [string | { text: string }]
    texts.add(typeof query === 'string' ? query : query.text)
    return original.apply(this, args as never)
  } as never)
  try {
    const items = [{ productId: product, quantity: 1 }]
    const { order: placed } = await order(api, user, items, 'key')
    await order(api, user, items, 'key')
    const list = (args: string) =>
      `orders(${args}) { edges { cursor } nodes { id total items { quantity product { name } } user { name } } pageInfo { endCursor } totalCount { count } }`
    const { data } = await api.query(
      `query ($order: ID!, $user: ID!) {
        order(id: $order) { status items { unitPrice } }
        nodes(ids: [$order]) { id }
        user(id: $user) { first: ${list('first: 1')} last: ${list('last: 1')} }
      }`,
      { order: placed.id, user: encodeId('User', user.id) },
      { as: user },
    )
    const { endCursor } = data.user.first.pageInfo
    await api.query(
      `query ($user: ID!, $cursor: String) { user(id: $user) { after: ${list('after: $cursor')} before: ${list('before: $cursor')} } }`,
      { user: encodeId('User', user.id), cursor: endCursor },
      { as: user },
    )
    const cancelled = await api.query(
      'mutation ($id: ID!) { cancelOrder(input: { id: $id }) { order { status } } }',
      { id: placed.id },
      { as: user },
    )
    expect(cancelled.data.cancelOrder.order.status).toBe('CANCELLED')
    const dashboard = await api.query(
      '{ dashboard { userCount postCountToday orderCountToday revenueToday { amount currency } } }',
      {},
      { as: admin },
    )
    expect(dashboard.errors).toBeUndefined()
  } finally {
    spy.mockRestore()
  }
  const onOrders = [...texts].filter((text) => /\border(s|_items)\b/.test(text))
  expect(onOrders.filter((text) => text.startsWith('-- all shards'))).toHaveLength(2)
  expect(onOrders.some((text) => text.startsWith('insert into "orders"'))).toBe(true)
  expect(onOrders.some((text) => text.startsWith('update "orders"'))).toBe(true)
  expect(onOrders.length).toBeGreaterThan(12)
  expect(onOrders.filter((text) => !namesItsShard(text))).toEqual([])
})
