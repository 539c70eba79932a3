import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Viewer } from '../../../src/graph/context.js'
import { decodeId } from '../../../src/graph/node.js'
import { startBusiness, type TestApp } from '../../support.js'
import { addProduct, addUser, order } from './goods.js'

let api: TestApp
let user: Viewer
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mail-'))
  api = await startBusiness({ WORKER: 'on', MAIL_FOLDER: folder })
  user = await addUser(api)
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

const stockOf = async (product: string) =>
  (
    await api.sql('select stock, reserved, sold_count as sold from products where id = $1', [
      decodeId('Product', product),
    ])
  )[0]
const idle = () => expect.poll(() => api.sql('select * from graphile_worker.jobs')).toEqual([])
const partsOf = (id: string) => decodeId('Order', id, 2).split(':')
const addJob = (name: string) => api.sql(`select graphile_worker.add_job('${name}', '{}')`)

test('an order is settled, told of by mail, and its pieces are sold', async () => {
  const lamp = await addProduct(api, { name: 'Lamp', stock: 10 })
  const chair = await addProduct(api, { name: 'Chair\r\nBcc: x@example.com', stock: 5, price: '3.00' })
  const { order: placed } = await order(api, user, [
    { productId: lamp, quantity: 3 },
    { productId: chair, quantity: 1 },
  ])
  await idle()
  const { data } = await api.query('query ($id: ID!) { order(id: $id) { status } }', { id: placed.id }, { as: user })
  expect(data.order.status).toBe('SETTLED')
  expect(await stockOf(lamp)).toEqual({ stock: 7, reserved: 0, sold: 3 })
  expect(await stockOf(chair)).toEqual({ stock: 4, reserved: 0, sold: 1 })
  const mail = await readFile(join(folder, `order-${partsOf(placed.id)[1]}.eml`), 'utf8')
  expect(mail).toContain(`To: ${user.id}@example.com`)
  expect(mail).toContain(`Message-ID: <order-${partsOf(placed.id)[1]}@localhost>`)
  expect(mail).toContain('Total: 40.50 EUR')
  expect(mail.slice(0, mail.indexOf('\r\n\r\n'))).not.toContain('Bcc')
})

test('an address that is refused is not written to again, and the order goes on', async () => {
  const { id } = await addUser(api)
  await api.sql("update users set email = 'none' where id = $1", [id])
  const product = await addProduct(api, { stock: 1 })
  const before = api.logged.length
  await order(api, { id, role: 'USER' }, [{ productId: product, quantity: 1 }])
  await idle()
  expect(await stockOf(product)).toEqual({ stock: 0, reserved: 0, sold: 1 })
  expect(api.logged.slice(before).map(({ msg }) => msg)).toEqual(['an address was refused'])
})

test('settled orders are not cancelled, cancelled ones not settled', async () => {
  const cancel = 'mutation ($id: ID!) { cancelOrder(input: { id: $id }) { order { status } errors { code } } }'
  const product = await addProduct(api, { stock: 10 })
  const settled = await order(api, user, [{ productId: product, quantity: 2 }])
  await idle()
  const refused = await api.query(cancel, { id: settled.order.id }, { as: user })
  expect(refused.data.cancelOrder).toEqual({ order: null, errors: [{ code: 'NOT_ALLOWED' }] })

  // Whichever comes first.
  const before = (await readdir(folder)).length
  const { order: placed } = await order(api, user, [{ productId: product, quantity: 4 }])
  const { data } = await api.query(cancel, { id: placed.id }, { as: user })
  await idle()
  const status = data.cancelOrder.order?.status ?? 'SETTLED'
  const sold = status === 'SETTLED' ? 6 : 2
  expect(await stockOf(product)).toEqual({ stock: 10 - sold, reserved: 0, sold })
  expect((await readdir(folder)).length - before).toBe(status === 'SETTLED' ? 1 : 0)
})

test('what waits for the settlement is tried again after it', async () => {
  const product = await addProduct(api, { stock: 10 })
  const { order: placed } = await order(api, user, [{ productId: product, quantity: 1 }])
  await idle()
  const [userId, orderId] = partsOf(placed.id)
  await api.sql("update orders set status = 'PLACED', stock_moved_at = null where id = $1", [orderId])
  await api.sql('update products set stock = 10, reserved = 1, sold_count = 0 where id = $1', [
    decodeId('Product', product),
  ])
  const payload = JSON.stringify({ payload: { userId, orderId } })
  await api.sql(`select graphile_worker.add_job('update-inventory', $1::json)`, [payload])
  const failed = 'select last_error from graphile_worker.jobs where last_error is not null'
  await expect.poll(() => api.sql(failed)).toEqual([{ last_error: 'The order is not settled yet.' }])
  await api.sql(`select graphile_worker.add_job('settle-order', $1::json)`, [payload])
  await expect.poll(() => api.sql("select 1 from orders where status = 'PLACED'")).toEqual([])
  await api.sql('update graphile_worker._private_jobs set run_at = now()')
  await idle()
  expect(await stockOf(product)).toEqual({ stock: 9, reserved: 0, sold: 1 })
  // Again by mistake: it has been done.
  await api.sql(`select graphile_worker.add_job('update-inventory', $1::json)`, [payload])
  await idle()
  expect(await stockOf(product)).toEqual({ stock: 9, reserved: 0, sold: 1 })
})

test('every night what was sold is counted anew, and old cancelled orders go', async () => {
  const product = await addProduct(api, { stock: 10 })
  const { order: placed } = await order(api, user, [{ productId: product, quantity: 3 }])
  await idle()
  await api.sql('update products set sold_count = 77')
  await addJob('refresh-sold-counts')
  await idle()
  expect(await stockOf(product)).toEqual({ stock: 7, reserved: 0, sold: 3 })

  const [, orderId] = partsOf(placed.id)
  await api.sql("update orders set status = 'CANCELLED', created_at = now() - interval '89 days' where id = $1", [
    orderId,
  ])
  await addJob('drop-cancelled-orders')
  await idle()
  expect(await api.sql('select 1 from orders where id = $1', [orderId])).toHaveLength(1)
  await api.sql("update orders set created_at = now() - interval '91 days' where id = $1", [orderId])
  await addJob('drop-cancelled-orders')
  await idle()
  expect(await api.sql('select 1 from orders where id = $1', [orderId])).toEqual([])
  expect(await api.sql('select 1 from order_items where order_id = $1', [orderId])).toEqual([])
})

test('a post that is published is read once before its readers come', async () => {
  const author = await addUser(api)
  const draft = await api.query(
    'mutation { createPost(input: { title: "T", body: "B", tags: [] }) { post { id } } }',
    {},
    { as: author },
  )
  const { id } = draft.data.createPost.post
  await api.query('mutation ($id: ID!) { publishPost(input: { id: $id }) { post { status } } }', { id }, { as: author })
  await idle()
  expect(api.logged.filter(({ level }) => level === 'error')).toEqual([])
})
