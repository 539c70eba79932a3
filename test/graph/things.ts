import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { encodeId } from '../../src/graph/node.js'
import type { TestApp } from '../support.js'

/** A thing as the table holds it; `box` is a number of a box. */
export interface ThingValues {
  readonly box: number
  readonly size: number
  readonly weight: string
  readonly seenAt: string | null
}

/** Few values of each, so that most rows tie with others in every order but NAME, which is unique. */
export const anyThing: fc.Arbitrary<ThingValues> = fc.record({
  box: fc.integer({ min: 0, max: 2 }),
  size: fc.constantFrom(-2147483648, -1, 0, 7, 2147483647),
  weight: fc.constantFrom('-999999999.999', '-0.001', '0', '1.000', '1.001', '999999999.999', 'NaN'),
  seenAt: fc.oneof(
    fc.constantFrom(null, null, 'infinity', '-infinity', '0001-01-01T00:00:00Z', '2024-02-29T23:59:59.999999Z'),
    fc.integer({ min: 0, max: 3 }).map((micros) => `2024-01-01T00:00:00.12345${micros}Z`),
  ),
})

/** Replaces what the tables hold; answers the boxes' ids. */
export async function fillThings(house: TestApp, values: readonly ThingValues[], boxes = 3): Promise<string[]> {
  await house.sql('truncate boxes, things')
  const ids = Array.from({ length: boxes }, () => randomUUID())
  await house.sql('insert into boxes (id, label, secret) select id, id::text, $2 from unnest($1::uuid[]) as id', [
    ids,
    'never shown',
  ])
  await insertThings(house, ids, values)
  return ids
}

/** Adds things under random names. */
export async function insertThings(
  house: TestApp,
  boxes: readonly string[],
  values: readonly ThingValues[],
): Promise<void> {
  await house.sql(
    `insert into things (id, box_id, name, size, weight, seen_at)
     select gen_random_uuid(), box, chr(64 + (random() * 60)::int) || gen_random_uuid(), size, weight, seen_at
     from unnest($1::uuid[], $2::int[], $3::numeric[], $4::timestamptz[]) as given (box, size, weight, seen_at)`,
    [
      values.map(({ box }) => boxes[box]),
      values.map(({ size }) => size),
      values.map(({ weight }) => weight),
      values.map(({ seenAt }) => seenAt),
    ],
  )
}

export const thingOrders = {
  SEEN_AT: `coalesce(seen_at, 'infinity'::timestamptz)`,
  NAME: 'name',
  SIZE: 'size',
  WEIGHT: 'weight',
} as const

export type ThingOrder = keyof typeof thingOrders
export const directions = ['ASC', 'DESC'] as const

export interface Listing {
  readonly field: ThingOrder
  readonly direction: (typeof directions)[number]
  /** A condition in SQL; `true` for all. */
  readonly where: string
}

/** Every order in both directions. */
export const orderings = (Object.keys(thingOrders) as ThingOrder[]).flatMap((field) =>
  directions.map((direction) => ({ field, direction })),
)

/** The global ids of a listing as the database itself orders it. */
export async function expectedIds(house: TestApp, { field, direction, where }: Listing): Promise<string[]> {
  const rows = await house.sql<{ id: string }>(
    `select id from things where ${where} order by ${thingOrders[field]} ${direction}, id ${direction}`,
  )
  return rows.map(({ id }) => encodeId('Thing', id))
}
