import fc from 'fast-check'
import type { Pool } from 'pg'
import { expect, test } from 'vitest'
import { bounds } from '../../src/db/statement.js'
import { encodeId } from '../../src/graph/node.js'
import { startHouse, type TestApp } from '../support.js'
import { anyThing, expectedIds, fillThings, orderings } from './things.js'

const selectable = ['name', 'size', 'weight', 'seenAt', 'box { id label }', 'box { things(first: 1) { nodes { id } } }']
const filters = [
  ['', 'true'],
  ['least: 0', 'size >= 0'],
  ['most: 0', 'size <= 0'],
  ['least: -1, most: 7', 'size between -1 and 7'],
  ['name: "nobody"', `name = 'nobody'`],
  ['name: "nobody", least: 0', 'false'],
] as const

/** So many operations, all different: every order, direction, end and filter, with as many selections as there are. */
function* operations(count: number) {
  const subsets = 2 ** selectable.length
  for (let index = 0; index < count; index++) {
    const ordering = orderings[index % orderings.length] as (typeof orderings)[number]
    const [filter, where] = filters[Math.floor(index / 8) % filters.length] as (typeof filters)[number]
    const end = Math.floor(index / 48) % 2 === 0 ? 'first' : 'last'
    const chosen = Math.floor(index / 96) % subsets
    const fields = ['id', ...selectable.filter((_, bit) => chosen & (1 << bit))].join(' ')
    const size = 1 + (index % 9)
    const orderBy = `{ field: ${ordering.field}, direction: ${ordering.direction} }`
    const args = `${end}: ${size}, orderBy: ${orderBy}, filter: { ${filter} }`
    yield { document: `{ things(${args}) { nodes { ${fields} } } }`, listing: { ...ordering, where }, end, size }
  }
}

test('3,000 different operations are answered right and stay within the bounds of a connection', async () => {
  await using house = await startHouse({ LOG_LEVEL: 'silent' })
  await fillThings(
    house,
    fc.sample(anyThing, { numRuns: 20, seed: 1 }).map((thing) => ({ ...thing, ...plain })),
  )
  const rows = new Map(
    (await house.sql<{ id: string; name: string; size: number; weight: string }>('select * from things')).map((row) => [
      encodeId('Thing', row.id),
      row,
    ]),
  )
  const orders = new Map<string, string[]>()
  const documents = new Set<string>()
  const check = async ({ document, listing, end, size }: Iterated) => {
    documents.add(document)
    const ids = orders.get(JSON.stringify(listing)) as string[]
    const { data, errors } = await house.query(document)
    expect(errors, document).toBeUndefined()
    const wanted = end === 'first' ? ids.slice(0, size) : ids.slice(Math.max(0, ids.length - size))
    expect(
      data.things.nodes.map((node: { id: string }) => node.id),
      document,
    ).toEqual(wanted)
    for (const { id, name, size, weight } of data.things.nodes) {
      const row = rows.get(id)
      expect({ name, size, weight }).toEqual({
        name: name && row?.name,
        size: size === undefined ? undefined : row?.size,
        weight: weight && row?.weight,
      })
    }
  }
  for (const { listing } of operations(48)) {
    const ids = await expectedIds(house, listing)
    orders.set(JSON.stringify(listing), ids)
  }
  const rest = operations(3_000)
  // As many at once as there are connections, so that all of them take part.
  await Promise.all(
    Array.from({ length: 5 }, async () => {
      for (const operation of rest) await check(operation)
    }),
  )
  expect(documents.size).toBe(3_000)

  const connections = await inspect(house)
  expect(connections).toHaveLength(5)
  expect(connections.some(({ names }) => names > 0)).toBe(true)
  for (const { names, families, bytes } of connections) {
    expect(names).toBeLessThanOrEqual(bounds.names)
    for (const [family, count] of Object.entries(families))
      expect(count, family).toBeLessThanOrEqual(bounds.namesPerFamily)
    if (names > 0) expect(bytes / names).toBeLessThan(40_000)
  }
})

test('without names nothing stays on a connection', async () => {
  await using house = await startHouse({ DB_STATEMENT_NAMES: 'off' })
  await fillThings(house, fc.sample(anyThing, 5))
  for (const { document } of operations(100)) expect((await house.query(document)).errors).toBeUndefined()
  expect((await inspect(house)).map(({ names }) => names)).toEqual([0, 0, 0, 0, 0])
})

const plain = { seenAt: '2024-01-01T00:00:00Z' }
type Iterated = ReturnType<typeof operations> extends Generator<infer Operation> ? Operation : never

/** What each connection of the pool holds. */
async function inspect(house: TestApp) {
  const pool = (await house.app.db.orm.em.getConnection().getNativeClient()) as Pool
  const clients = await Promise.all(Array.from({ length: pool.options.max }, () => pool.connect()))
  const connections = await Promise.all(
    clients.map(async (client) => {
      const prepared = await client.query<{ name: string }>('select name from pg_prepared_statements')
      const memory = await client.query<{ bytes: string }>(
        `select coalesce(sum(total_bytes), 0) as bytes from pg_backend_memory_contexts where name like 'CachedPlan%'`,
      )
      const families: Record<string, number> = {}
      for (const { name } of prepared.rows) {
        const family = name.slice(0, name.lastIndexOf('_'))
        families[family] = (families[family] ?? 0) + 1
      }
      return { names: prepared.rows.length, families, bytes: Number(memory.rows[0]?.bytes) }
    }),
  )
  for (const client of clients) client.release()
  return connections
}
