import { type Kysely, sql } from 'kysely'
import { z } from 'zod'
import { param } from '../../src/db/statement.js'
import { defineExport } from '../../src/graph/export.js'
import { encodeId } from '../../src/graph/node.js'
import { DateTime } from '../../src/graph/scalars.js'
import type { Slice } from '../../src/graph/slice.js'
import { fixture } from '../fixture/thing.resolver.js'

const whole = z.coerce.number().int()

/** As many as are asked for, each made when it is read: in `from` the database would make them all first. */
const series = sql<{ n: number }>`(select generate_series(1, ${param<number>('count')}::int) as n)`

/** Rows of no table, as many as are asked for, 160 bytes each; for anybody. */
const numbers = defineExport({
  name: 'numbers',
  parameters: z.object({ count: whole }),
  mayRead: () => {},
  statement: (query: Kysely<object>) =>
    query
      .selectFrom(series.as('g'))
      .select([
        'g.n as number',
        sql<string>`md5(g.n::text)`.as('hash'),
        sql<string>`(g.n * 0.25)::numeric(12, 2)`.as('amount'),
        sql<string>`timestamptz '2024-01-01Z' + g.n * interval '1 second'`.as('at'),
        sql<string>`'A text that is much the same in every row'`.as('text'),
      ]),
  line: (row) => row,
})

/** The table `stored`, which whoever asks for it fills. */
const stored = defineExport({
  name: 'stored',
  parameters: z.object({}),
  mayRead: () => {},
  statement: (query: Kysely<{ stored: Stored }>) => query.selectFrom('stored').selectAll().orderBy('id'),
  line: ({ id, seenAt, ...row }) => ({ id: encodeId('Stored', id), ...row, seenAt: DateTime.serialize(seenAt) }),
})

interface Stored {
  readonly id: string
  readonly name: string
  readonly size: number
  readonly weight: string
  readonly seenAt: string
  readonly note: string | null
}

/** Fills it with rows as those of a business are: 130 bytes each, in the order of their keys. */
export const storeRows = (count: number) => `
  create unlogged table stored as
    select lpad(to_hex(n), 8, '0')::text || substr(md5(n::text)::uuid::text, 9) as id, 'thing number ' || n as name,
      n % 1000 as size, (n * 0.25)::numeric(12, 2) as weight, timestamptz '2024-01-01Z' + n * interval '1 s' as "seenAt",
      case when n % 3 = 0 then 'seen by somebody' end as note
    from generate_series(1, ${count}) n;
  alter table stored add primary key (id);
  analyze stored`

/** A row every so many seconds. */
const seconds = defineExport({
  name: 'seconds',
  parameters: z.object({ each: z.coerce.number(), count: whole }),
  mayRead: () => {},
  statement: (query: Kysely<object>) =>
    query
      .selectFrom(series.as('g'))
      .select(['g.n', sql<string>`pg_sleep(${param<number>('each')}::float8)::text`.as('slept')]),
  line: ({ n }) => ({ n }),
})

/** Fails in the database at that row. */
const failing = defineExport({
  name: 'failing',
  parameters: z.object({ at: whole }),
  mayRead: () => {},
  statement: (query: Kysely<object>) =>
    query
      .selectFrom(sql<{ n: number }>`generate_series(1, 100000)`.as<'g'>(sql`g(n)`))
      .select(['g.n', sql<number>`1 / (g.n - ${param<number>('at')}::int)`.as('quotient')]),
  line: (row) => row,
})

/** Exports as large, as slow and as broken as a test wants them. */
export const exporting: Slice = {
  name: 'numbers',
  entities: [],
  resolvers: [],
  nodes: [],
  exports: [numbers, stored, seconds, failing],
}

/** What a server of a process of its own serves in place of a business. */
export const slices: readonly Slice[] = [fixture, exporting]
