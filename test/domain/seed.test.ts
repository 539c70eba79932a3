import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadConfig } from '../../src/core/config.js'
import { verifyPassword } from '../../src/core/password.js'
import { slices } from '../../src/domain/index.js'
import { seedDatabase } from '../../src/tools/seed.js'
import { jwtSecret } from '../settings.js'
import { createTestDatabase } from '../support.js'

const tables = slices.flatMap((slice) => slice.entities.map((entity) => entity.meta.tableName))
let seeded: Awaited<ReturnType<typeof createSeeded>>

beforeAll(async () => {
  seeded = await createSeeded(new Date('2026-03-04T05:06:07Z'))
})
afterAll(() => seeded.drop())

test('every count is proportional to the scale, that of tags to its root, and there are two newsletters at least', async () => {
  const counts: Record<string, number> = {}
  for (const table of tables) counts[table] = await seeded.one(`select count(*)::int from ${table}`)
  expect(counts).toMatchObject({
    users: 200,
    tags: 28,
    posts: 2_000,
    post_tags: 6_000,
    comments: 10_000,
    products: 100,
    orders: 1_000,
    order_items: expect.toSatisfy((items: number) => items > 2_900 && items <= 3_000),
    subscribers: 400,
    newsletters: 2,
  })
})

test('the same scale and day give the same rows, another day others', async () => {
  const checksum = await seeded.checksum()
  await using later = await createSeeded(new Date('2026-03-04T23:59:59Z'))
  expect(await later.checksum()).toBe(checksum)
  await using tomorrow = await createSeeded(new Date('2026-03-05T00:00:00Z'))
  expect(await tomorrow.checksum()).not.toBe(checksum)
})

test.each(['admin@example.com', 'user@example.com'])('%s can sign in', async (email) => {
  const hash = await seeded.one<string>(`select password_hash from users where email = '${email}' and active`)
  expect(await verifyPassword('correct horse battery', hash)).toBe(true)
})

test.each([
  ['nine posts in ten are published', "select count(*) between 1700 and 1900 from posts where status = 'PUBLISHED'"],
  ['drafts are not', "select count(*) > 0 and count(published_at) = 0 from posts where status = 'DRAFT'"],
  [
    'tags tell the publication of what is published',
    `select bool_and(${taggingAgrees()}) from post_tags join posts on id = post_id`,
  ],
  ['some posts are published at one instant', 'select count(distinct published_at) < count(published_at) from posts'],
  ['times have microseconds', 'select bool_or(extract(microseconds from created_at)::int % 1000 > 0) from posts'],
  [
    'ids tell the time',
    "select bool_and(uuid_extract_timestamp(id) = date_trunc('milliseconds', created_at)) from comments",
  ],
  [
    'nobody writes before joining',
    'select bool_and(created_at > joined_at) from posts join users on users.id = author_id',
  ],
  [
    'nobody buys before joining',
    'select bool_and(created_at > joined_at) from orders join users on users.id = user_id',
  ],
  [
    'comments follow the post',
    `select bool_and(c.created_at > published_at and status = 'PUBLISHED') from comments c join posts on posts.id = post_id`,
  ],
  ['an order costs what its items cost', `select bool_and(total = (${costOfItems()})) from orders`],
  [
    'an order has one currency',
    `select bool_and(p.currency = o.currency and p.created_at < o.created_at) ${orderedProducts()}`,
  ],
  [
    'what is settled was sold',
    `select bool_and(sold_count = (${piecesIn('SETTLED')})) and max(sold_count) > 0 from products`,
  ],
  [
    'what is placed is reserved',
    `select bool_and(reserved = (${piecesIn('PLACED')})) and max(reserved) > 0 from products`,
  ],
  ['today has orders', "select count(*) >= 3 from orders where created_at between '2026-03-04' and '2026-03-04 00:01'"],
  [
    'newsletters went to those who had subscribed',
    `select bool_and(status = 'SENT' and total = sent + failed and total > 0 and total = (${subscribersBefore()})) from newsletters`,
  ],
  ['nothing comes later', "select max(created_at) < '2026-03-04 00:01' from orders"],
  ['few authors write much', `select ${shareOfTop(20, 'posts', 'author_id')} > 0.4`],
  ['few posts gather many comments', `select ${shareOfTop(200, 'comments', 'post_id')} > 0.3`],
  [
    'one has ten times what most have',
    `select max(n) > 10 * percentile_disc(0.5) within group (order by n) from (${countsBy('comments', 'post_id')})`,
  ],
  ['the newest posts have some', `select count(*) > 40 from comments where post_id in (${newestPosts()})`],
  [
    'most posts have few',
    `select percentile_disc(0.5) within group (order by n) < 6 from (${countsBy('comments', 'post_id')})`,
  ],
  ['few products sell much', `select ${shareOfTop(10, 'order_items', 'product_id')} > 0.3`],
  ['few tags are on many posts', `select ${shareOfTop(3, 'post_tags', 'tag_id')} > 0.25`],
  [
    'every table is vacuumed and analyzed',
    `select count(*) = ${tables.length} from pg_stat_user_tables where last_vacuum is not null and last_analyze is not null`,
  ],
])('%s', async (_what, question) => {
  expect(await seeded.one(question)).toBe(true)
})

function taggingAgrees() {
  return "post_tags.published_at is not distinct from case when status = 'PUBLISHED' then posts.published_at end"
}

function costOfItems() {
  return 'select sum(quantity * unit_price) from order_items where user_id = orders.user_id and order_id = orders.id'
}

function orderedProducts() {
  return 'from order_items i join orders o on o.user_id = i.user_id and o.id = i.order_id join products p on p.id = product_id'
}

function piecesIn(status: string) {
  return `select coalesce(sum(quantity), 0) ${orderedProducts().replace('join products p on p.id = product_id', '')}
    where status = '${status}' and product_id = products.id`
}

function newestPosts() {
  return "select id from posts where status = 'PUBLISHED' order by published_at desc limit 20"
}

function subscribersBefore() {
  return 'select count(*) from subscribers where subscribed_at <= newsletters.created_at'
}

function countsBy(table: string, column: string) {
  return `select count(*) as n from ${table} group by ${column}`
}

function shareOfTop(count: number, table: string, column: string) {
  return `(select sum(n) from (${countsBy(table, column)} order by n desc limit ${count})) / (select count(*) from ${table})`
}

async function createSeeded(today: Date) {
  const { url, drop } = await createTestDatabase('template_business')
  const config = loadConfig({ DATABASE_URL: url, JWT_SECRET: jwtSecret, LOG_LEVEL: 'silent' })
  await seedDatabase(config, { scale: 0.02, today })
  const client = new Client({ connectionString: url })
  await client.connect()
  const one = async <Value>(question: string): Promise<Value> =>
    (await client.query({ text: question, rowMode: 'array' })).rows[0]?.[0]
  const close = () => client.end().then(drop)
  return {
    one,
    checksum: async () => {
      const sums: string[] = []
      for (const table of tables)
        sums.push(await one(`select md5(string_agg(t::text, '|' order by t::text)) from ${table} t`))
      return sums.join()
    },
    drop: close,
    [Symbol.asyncDispose]: close,
  }
}
