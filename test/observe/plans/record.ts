// Records the plans of findings.test.ts: `node test/observe/plans/record.ts <URL of a database>`, then `npm run format`.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'

/** As the house connects, and what a server of another configuration would decide otherwise. */
const settings = {
  search_path: 'recorded',
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  jit: 'off',
  work_mem: '4MB',
  max_parallel_workers_per_gather: 0,
}

const schema = `
  drop schema if exists recorded cascade;
  create schema recorded;
  set search_path = recorded;
  create table countries (id int primary key, name text not null);
  insert into countries select n, 'country ' || n from generate_series(1, 50) n;
  create table members (id int primary key, email varchar(255) not null, country_id int not null, active boolean not null);
  insert into members select n, 'Member' || n || '@example.org', n % 50 + 1, n % 5 > 0 from generate_series(1, 2000) n;
  create table posts (id int primary key, author_id int not null, category_id int not null,
    status text not null, slug varchar(80) not null,
    title text not null, score int not null, published_at timestamptz not null, deleted_at timestamptz);
  insert into posts select n, n % 2000 + 1, n % 20, (array['DRAFT', 'HIDDEN', 'PUBLISHED'])[n % 3 + 1], 'slug-' || n,
    'Title ' || md5(n::text), n * 7919 % 1000, timestamptz '2024-01-01' + n * interval '1 minute',
    case n % 100 when 0 then timestamptz '2025-01-01' end from generate_series(1, 60000) n;
  create index posts_author on posts (author_id);
  create index posts_category on posts (category_id);
  create index posts_newest on posts (published_at, id);
  create table comments (id int primary key, post_id int not null, author_id int not null, body text not null,
    created_at timestamptz not null);
  insert into comments select n, n % 20000 + 1, n % 2000 + 1, md5(n::text) || repeat(md5((n + 1)::text), 3),
    timestamptz '2024-01-01' + n * interval '1 minute' from generate_series(1, 100000) n;
  create index comments_post on comments (post_id, created_at, id);
  create table events (id int not null, actor_id int not null, at timestamptz not null) partition by range (at);
  ${[1, 2, 3, 4]
    .map(
      (month) => `create table events_2024_0${month} partition of events
      for values from ('2024-0${month}-01') to ('2024-0${month + 1}-01');`,
    )
    .join('\n')}
  insert into events select n, n % 5000, timestamptz '2024-01-01' + n * interval '2 minutes' from generate_series(1, 80000) n;`

interface Statement {
  readonly text: string
  readonly values?: string
  /** Settings of this statement alone. */
  readonly set?: string
}

const keys = `'{${Array.from({ length: 100 }, (_, n) => 20 * n + 1).join(',')}}'::int[]`
const parallel = `set enable_seqscan = on; set min_parallel_table_scan_size = 0; set parallel_setup_cost = 0;
  set parallel_tuple_cost = 0; set max_parallel_workers_per_gather = 2;`

const statements: Record<string, Statement> = {
  'a row by its key': { text: 'select * from posts where id = $1', values: '17' },
  'a batch of keys': { text: 'select * from posts where id = any($1::int[])', values: keys },
  'a page per parent': {
    text: `select parent, page.id, page.body from unnest($1::int[]) as parent cross join lateral (
      select id, body, created_at from comments where post_id = parent order by created_at desc, id desc limit $2) as page`,
    values: `${keys}, 5`,
  },
  'a page after a cursor': {
    text: `select id, title from posts where (published_at, id) < ($1, $2) order by published_at desc, id desc limit $3`,
    values: `'2024-01-20', 1, 20`,
  },
  'a page of the published': {
    text: `select id, title from posts where status = 'PUBLISHED' order by published_at desc, id desc limit $1`,
    values: '20',
  },
  'a few of a large table': { text: 'select id from comments where author_id > $1 limit 20', values: '7' },
  'a small table': { text: 'select id, name from countries where name = $1', values: `'country 3'` },
  'a small sort': { text: 'select id, title from posts where author_id = $1 order by title', values: '5' },
  'rows with their parent': {
    text: `select p.id, m.email from posts p join members m on m.id = p.author_id
      order by p.published_at desc, p.id desc limit $1`,
    values: '50',
  },
  'a part that is read once': {
    text: `with newest as materialized (select id from posts order by published_at desc, id desc limit 10)
      select c.id, (select max(id) from members) from comments c join newest on newest.id = c.post_id`,
  },
  'a parent that is remembered': {
    text: `select c.id, m.email from comments c join members m on m.id = c.author_id where c.id <= 5000`,
    set: 'set enable_hashjoin = off; set enable_mergejoin = off;',
  },
  'a parent that is looked up': {
    text: `select c.id, m.email from comments c join members m on m.id = c.author_id where c.id <= 5000`,
    set: 'set enable_hashjoin = off; set enable_mergejoin = off; set enable_memoize = off;',
  },
  'no index': { text: `select id, title from posts where slug = $1 and status = 'PUBLISHED'`, values: `'slug-77'` },
  'no index, in order': {
    text: `select id, title from posts where status = 'DRAFT' and score > $1 and deleted_at is null
      order by score desc limit 20`,
    values: '995',
  },
  'no index after a cursor': {
    text: `select id, title from posts where (score, id) < ($1, $2) order by score desc, id desc limit 20`,
    values: '40, 7',
  },
  'no index for most rows': {
    text: `select id, title from posts where status <> 'DRAFT' and score >= $1`,
    values: '10',
  },
  'no index for a batch': {
    text: `select id, author_id from comments where author_id = any($1::int[])`,
    values: `'{3,5}'`,
  },
  'no index on what is computed': { text: 'select id from posts where lower(title) = $1', values: `'title x'` },
  'no index for a pattern': { text: `select id from posts where title ilike '%secretive%'` },
  'no index, in parallel': { text: `select id from comments where body = $1`, values: `'x'`, set: parallel },
  'no index in partitions': { text: 'select id from events where actor_id = $1', values: '77' },
  'no index for a part': {
    text: `with old as materialized (select id from posts where slug = $1)
      select count(*) from comments c join old on old.id = c.post_id`,
    values: `'slug-77'`,
  },
  'an index of one of two columns': {
    text: `select id, title from posts where category_id = $1 and slug = 'slug-20001'`,
    values: '1',
  },
  'an index in order only': {
    text: `select id, title from posts where slug = $1 order by published_at desc, id desc limit 20`,
    values: `'slug-3'`,
  },
  'a page per parent without index': {
    text: `select parent, page.id from unnest($1::int[]) as parent cross join lateral (
      select id from comments where author_id = parent order by id limit 5) as page`,
    values: `'{4001,4002,4003}'`,
  },
  'a join without index': {
    text: `select m.id, c.name from members m join countries c on lower(c.name) = lower(m.email)`,
    set: 'set enable_hashjoin = off; set enable_mergejoin = off;',
  },
  'a count per row': {
    text: `select m.id, (select count(*) from posts p where p.author_id = m.id and p.deleted_at is null) from members m`,
  },
  'a total': { text: 'select count(*) from comments' },
  'a large sort': { text: 'select id, body from comments order by body' },
  'a large sort, in parallel': { text: 'select id, post_id from comments order by body', set: parallel },
  'the first of a large sort': { text: 'select id, title from posts order by title limit 20' },
}

const noise = new Set(['Index Searches', 'Maximum Storage', 'Peak Memory Usage', 'Scan Direction', 'Storage'])

const [url = ''] = process.argv.slice(2)
const client = new Client({ connectionString: url })
await client.connect()
await client.query(schema)
await client.query('vacuum analyze')
const plans: Record<string, unknown> = {}
for (const [name, statement] of Object.entries(statements)) plans[name] = await record(statement)
const { rows } = await client.query('show server_version_num')
await client.query('drop schema recorded cascade')
await client.end()
const file = join(import.meta.dirname, `pg${Math.floor(rows[0].server_version_num / 10_000)}.json`)
await writeFile(file, `${JSON.stringify(plans, null, 2)}\n`)

async function record({ text, values, set = '' }: Statement) {
  await client.query('discard all')
  for (const [name, value] of Object.entries(settings)) await client.query(`set ${name} = '${value}'`)
  await client.query(set)
  await client.query(`prepare recorded as ${text}`)
  const execute = `execute recorded${values ? `(${values})` : ''}`
  return {
    text: text.replace(/\s+/g, ' '),
    estimated: await explain(`explain (format json) ${execute}`),
    analysed: await explain(`explain (analyze, buffers, timing off, summary off, format json) ${execute}`),
  }
}

async function explain(statement: string) {
  const { rows } = await client.query(statement)
  return withoutNoise(rows[0]['QUERY PLAN'][0].Plan)
}

/** Names and figures that say what a plan does and costs, without those that say what did not happen. */
function withoutNoise(node: Record<string, unknown>): unknown {
  const kept = Object.entries(node).filter(
    ([name, value]) => !noise.has(name) && value !== false && !(name.endsWith('Blocks') && value === 0),
  )
  return Object.fromEntries(
    kept.map(([name, value]) => [
      name,
      name === 'Plans' ? (value as Record<string, unknown>[]).map(withoutNoise) : value,
    ]),
  )
}
