import { expect, test } from 'vitest'
import { tablesIn } from '../../src/db/tables.js'

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
])('nobody knows when the answer to %s changes', (text) => {
  expect(tablesIn(text, known)).toBeUndefined()
})
