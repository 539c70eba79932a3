import { v7 } from 'uuid'
import type { Viewer } from '../../../src/graph/context.js'
import { encodeId } from '../../../src/graph/node.js'
import type { TestApp } from '../../support.js'

/** Somebody with an account. */
export async function addUser(api: TestApp, role: Viewer['role'] = 'USER'): Promise<Viewer> {
  const id = v7()
  await api.sql(
    `insert into users (id, name, email, role, active, password_hash, joined_at) values ($1, 'Somebody', $2, $3, true, '', now())`,
    [id, `${id}@example.com`, role],
  )
  return { id, role }
}

/** A product's global id; it has 10 pieces and costs 12.50 EUR unless said otherwise. */
export async function addProduct(api: TestApp, columns: Record<string, unknown> = {}): Promise<string> {
  const id = v7()
  const row = {
    id,
    name: 'Lamp',
    description: 'It shines.',
    sku: id,
    price: '12.50',
    currency: 'EUR',
    stock: 10,
    reserved: 0,
    sold_count: 0,
    active: true,
    created_at: '2026-01-01T00:00:00Z',
    ...columns,
  }
  const names = Object.keys(row)
  await api.sql(
    `insert into products (${names.join()}) values (${names.map((_, index) => `$${index + 1}`).join()})`,
    Object.values(row),
  )
  return encodeId('Product', row.id)
}

/** How many pieces of a product are reserved. */
export async function reservedOf(api: TestApp, product: string): Promise<number> {
  const { data } = await api.query('query ($id: ID!) { product(id: $id) { stock available } }', { id: product })
  return data.product.stock - data.product.available
}

/** Orders products as that viewer; answers the payload. */
export async function order(
  api: TestApp,
  as: Viewer,
  items: readonly { productId: string; quantity: number }[],
  idempotencyKey: string = v7(),
) {
  const { data, errors } = await api.query(
    `mutation ($input: CreateOrderInput!) {
      createOrder(input: $input) { order { id status total currency } errors { code message field } }
    }`,
    { input: { items, idempotencyKey } },
    { as },
  )
  if (!data) throw new Error(JSON.stringify(errors))
  return data.createOrder
}
