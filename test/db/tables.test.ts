import { expect, test } from 'vitest'
import { fact } from '../../src/core/events.js'
import { tablesIn } from '../../src/db/tables.js'
import { encodeId } from '../../src/graph/node.js'
import { houseOperations } from '../graph/house-operations.js'
import { fillThings } from '../graph/things.js'
import { startHouse } from '../support.js'

const known = ['posts', 'post_tags', 'tags', 'users']

test.each<[string, string[]]>([
  [
    'select "posts"."id" as "id" from "posts" where "posts"."id" = any($1) order by "posts"."id", "posts"."title"',
    ['posts'],
  ],
  ['select * from "post_tags" inner join "tags" on "tags"."id" = "post_tags"."tag_id"', ['post_tags', 'tags']],
  [
    'select parent.key as parent, page.* from unnest($1::uuid[]) as parent(key) cross join lateral (select * from "posts") as page',
    ['posts'],
  ],
  ['select count(*)::int as count from (select 1 from "posts" limit 10001) as counted', ['posts']],
  ['with "some" as (select * from "posts") select * from "some"', ['posts']],
  ['with some as not materialized (select * from only posts) select * from some', ['posts']],
  ["select * from posts where title = 'the age of now() and of today'", ['posts']],
  ['select * from posts, users as u', ['posts', 'users']],
  ['select * from (posts join users on users.id = posts.author_id)', ['posts', 'users']],
  ['select lower(title), COUNT(*) filter (where id in ($1, $2)) over (partition by title) from posts', ['posts']],
  ['select extract(epoch from published_at), substring(title from 1 for 2) from posts', ['posts']],
  ['select * from posts where title is not distinct from slug and exists (select 1 from tags)', ['posts', 'tags']],
  ['with recursive some(id) as (select id from posts union all select id from some) select id from some', ['posts']],
  ['select p.* from generate_series(1, 3) with ordinality as day(n, at), posts as p', ['posts']],
  ["select '1'::numeric(12, 3), cast(id as varchar(3)) from posts where (id, title) > ($1, $2)", ['posts']],
  ['select posts.table, "lower"(title) as "note_count" from only (posts)', ['posts']],
  ['select * from (values (1), (2)) as v(id) join posts using (id)', ['posts']],
])('%s reads what it names', (text, tables) => {
  expect(tablesIn(text, known)).toEqual(tables)
})

test.each([
  'select 1',
  'select * from secrets',
  'select * from posts, secrets',
  'select * from "posts" as "p", secrets',
  'select * from posts p , secrets',
  'select * from posts cross join secrets',
  'select * from posts where id in (select id from "other"."posts")',
  'select * from graphile_worker.jobs',
  'select * from posts where published_at < now()',
  'select * from posts where published_at < current_timestamp',
  "select * from posts where published_at < 'now'::timestamptz",
  "select * from posts where published_at >= 'today'",
  "select * from posts where published_at >= timestamptz 'yesterday 12:00'",
  'select age(published_at) from posts',
  'select * from posts order by random()',
  'select nextval($1) from posts',
  'select note_count(posts.id) from posts',
  'select NOTE_COUNT (posts.id) from posts',
  'select "note_count"("posts"."id") from "posts"',
  'select distinct on (id) note_count(id) from posts',
  'select other.lower(title) from posts',
  'select * from posts, note_count($1)',
  'select * from posts cross join lateral note_count(posts.id) as noted(count)',
  'select * from notes($1)',
  'select * from other.notes($1)',
  'select * from rows from (notes($1))',
  'select * from posts where exists (table secrets)',
  'table posts',
  'select * from posts tablesample system (10)',
  'select * from posts join users on users.id = posts.author_id, secrets',
  'select * from posts join users using (id, title), secrets',
  'select * from posts join users on users.where = posts.id, secrets',
  'select * from unnest($1::int[]) with ordinality as u, secrets',
  'select * from (posts join secrets using (id))',
  'select * from posts where id = any(array(select id from secrets))',
  'select distinct from secrets, posts',
  'select extract(epoch from (select at from secrets)) from posts',
  'select * from posts join /* of others */ secrets using (id)',
  "select * from posts where title = e'\\' from ' or id in (select id from secrets) or title = ''",
  'select * from "secrets", posts',
  'select 1. from secrets join posts using (id)',
  'select posts.as from secrets join posts using (id)',
  'select posts.id as as from secrets join posts using (id)',
  'with "my secrets" as (select 1) select * from secrets join posts using (id)',
])('nobody knows when the answer to %s changes', (text) => {
  expect(tablesIn(text, known)).toBeUndefined()
})

test('what the house writes around a noun is known to read its tables', async () => {
  await using house = await startHouse()
  const [box = ''] = await fillThings(house, [{ box: 0, size: 7, weight: '1.000', seenAt: null }])
  const [thing] = await house.sql<{ id: string }>('select id from things')
  const texts = new Map<string, string>()
  const stop = fact('statement.finished').listen(({ statement, text }) => texts.set(text, statement))
  const ids = { thing: encodeId('Thing', thing?.id ?? ''), box: encodeId('Box', box), cursor: '' }
  for (const [document, variables] of houseOperations(ids)) await house.query(document, variables)
  stop()
  const unknown = [...texts].filter(([text]) => !tablesIn(text, ['boxes', 'things'])).map(([, statement]) => statement)
  expect(texts.size - unknown.length).toBeGreaterThan(20)
  // They read none.
  expect([...new Set(unknown)].sort()).toEqual(['divide', 'sleep'])
})
