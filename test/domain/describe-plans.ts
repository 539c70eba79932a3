import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dropCancelled } from '../../src/domain/shop/order-settlement.data.js'
import type { Viewer } from '../../src/graph/context.js'
import { encodeId } from '../../src/graph/node.js'
import type { TestApp } from '../support.js'
import { type Executed, explain, nodesOf, startSeeded } from './plans.js'

const admin: Viewer = { id: '00000000-0000-0000-0000-000000000000', role: 'ADMIN' }

const feed = `query Feed { posts(first: 20) { edges { node {
  title author { name } tags { name } comments(first: 5) { edges { node { body author { name } } } }
} } } }`

const connections = {
  posts: ['PUBLISHED_AT', 'CREATED_AT', 'TITLE'],
  products: ['PRICE', 'POPULARITY', 'NEWEST'],
}

/**
 * The filters whose rows an index holds in an offered order: such a page reads what it answers and no more. Every other
 * combination sorts or filters what its best index finds, and ends in TIMEOUT where that takes too long.
 */
const inOrder: Record<string, readonly string[]> = {
  'posts by PUBLISHED_AT': ['', 'author', 'tag'],
  'posts by CREATED_AT': ['', 'author', 'status', 'author+status'],
  'posts by TITLE': ['', 'author'],
  'products by PRICE': ['', 'inStock'].flatMap((stock) =>
    ['', 'minPrice', 'maxPrice', 'maxPrice+minPrice'].map((range) => [stock, range].filter(Boolean).join('+')),
  ),
  'products by POPULARITY': ['', 'inStock'],
  'products by NEWEST': ['', 'inStock', 'active'],
}

/** How the business's statements run on seeded data of that scale, with pages of `size` rows, `depth` rows deep where there are as many. */
export function describePlans({ scale, depth, size }: { scale: number; depth: number; size: number }): void {
  let app: TestApp
  beforeAll(async () => {
    app = await startSeeded(scale)
  }, 600_000)
  afterAll(() => app[Symbol.asyncDispose]())

  test('a page of posts with authors, tags and comments is five index scans of the columns it needs', async () => {
    for (let run = 0; run < 9; run++) await app.query(feed)
    let statements = 0
    const executed = await explain(app, async () => {
      const answer = await app.query(feed)
      expect(answer.data.posts.edges.length).toBe(20)
      statements = answer.statements.length
    })
    expect(statements).toBe(5)
    for (const { plan } of executed) {
      const reads = nodesOf(plan).filter((node) => node['Relation Name'])
      expect(reads.length).toBeGreaterThan(0)
      for (const node of reads) expect(node['Node Type']).toMatch(/^Index (Only )?Scan$/)
    }
    expect(executed.map(({ text }) => answeredColumns(text)).sort()).toEqual([
      ['id', 'authorId', 'title'],
      ['id', 'name'],
      ['parent', 'authorId', 'body'],
      ['postId', 'name'],
    ])
  })

  describe.each(Object.entries(connections))('%s', (connection, orders) => {
    const cases = orders.flatMap((field) => ['ASC', 'DESC'].map((direction) => [field, direction]))
    test.each(cases)('by %s %s: a deep page costs what the first one costs, both ways', async (field, direction) => {
      const document = `query ($first: Int, $after: String, $last: Int, $before: String) {
        ${connection}(first: $first, after: $after, last: $last, before: $before, orderBy: { field: ${field}, direction: ${direction} }) {
          nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        }
      }`
      const buffersOf = async (variables: Record<string, unknown>) => {
        const [page] = await explain(app, () => app.query(document, variables))
        return (page as Executed).buffers
      }
      const cursor = await walk(app, document, connection, depth)
      expect(await buffersOf({ first: size, after: cursor })).toBeLessThanOrEqual(
        2 * (await buffersOf({ first: size })),
      )
      expect(await buffersOf({ last: size, before: cursor })).toBeLessThanOrEqual(2 * (await buffersOf({ last: size })))
    })
  })

  test.each(Object.keys(inOrder))('%s: an index has the order of exactly the listed filters', async (name) => {
    const [connection = '', , order = ''] = name.split(' ')
    const served: string[] = []
    for (const [filters, filter] of await filtersOf(app, connection)) {
      const executed = await explain(app, async () => {
        const document = `query ($filter: ${connection === 'posts' ? 'PostFilter' : 'ProductFilter'}) {
          ${connection}(filter: $filter, orderBy: { field: ${order}, direction: DESC }) { nodes { id } }
        }`
        const { errors } = await app.query(document, { filter }, { as: admin })
        expect(errors).toBeUndefined()
      })
      const page = executed.find(({ text }) => text.includes(' limit $')) as Executed
      const wasteful = nodesOf(page.plan).some((node) => node['Node Type'].includes('Sort') || node.Filter)
      if (!wasteful) served.push(filters)
    }
    expect(served.sort()).toEqual([...(inOrder[name] ?? [])].sort())
  })

  test('every other index is used too, or carries a foreign key', async () => {
    const [row] = await app.sql<{ user: string; email: string }>(
      'select user_id as user, email from orders join users on users.id = user_id limit 1',
    )
    const { user = '', email } = row ?? {}
    await app.query(
      '{ viewer { orders { nodes { items { product { name } } } } } }',
      {},
      { as: { id: user, role: 'USER' } },
    )
    await app.query('{ tags { nodes { name } } }')
    await app.query('{ dashboard { orderCountToday postCountToday } }', {}, { as: admin })
    await app.query('{ newsletters { nodes { sent } } }', {}, { as: admin })
    await app.query('mutation ($input: SignInInput!) { signIn(input: $input) { token } }', {
      input: { email, password: 'x' },
    })
    await app.app.db.write((tx) => dropCancelled(tx, 10_000, 1))
    const pool = await app.app.db.orm.em.getConnection().getNativeClient()
    await pool.query('select pg_stat_force_next_flush()')
    const unused = await app.sql<{ name: string }>(
      `select indexrelname as name from pg_stat_user_indexes join pg_index using (indexrelid)
       where schemaname = current_schema and idx_scan = 0 and not indisprimary and relname <> 'migrations' order by 1`,
    )
    expect(unused.map(({ name }) => name)).toEqual(foreignKeys)
  })
}

/** Scanned only when what they point to is deleted. */
const foreignKeys = ['comments_author']

/** The property names that a statement answers, in its order. */
function answeredColumns(text: string): string[] {
  return [...text.matchAll(/ as "?(\w+)"?(?=,| from)/g)]
    .map(([, name]) => name as string)
    .filter((name) => name !== 'page')
}

/** The cursor that many rows deep, or in the middle of fewer. */
async function walk(app: TestApp, document: string, connection: string, depth: number): Promise<string> {
  const [{ rows = 0 } = {}] = await app.sql<{ rows: number }>(
    `select count(*)::int as rows from ${connection} where ${connection === 'posts' ? "status = 'PUBLISHED'" : 'active'}`,
  )
  let cursor = ''
  for (let row = 0; row < Math.min(depth, rows / 2); row += 100) {
    const { data } = await app.query(document, { first: 100, ...(cursor ? { after: cursor } : {}) })
    cursor = data[connection].pageInfo.endCursor
  }
  return cursor
}

/** Every combination of a connection's filters that has a meaning, by the names of those given. */
async function filtersOf(app: TestApp, connection: string): Promise<[string, Record<string, unknown>][]> {
  const [row] = await app.sql<{ author: string; slug: string }>(
    `select posts.author_id as author, tags.slug from posts join post_tags on post_id = posts.id join tags on tags.id = tag_id
     where status = 'PUBLISHED' group by 1, 2 order by count(*) desc, 1, 2 limit 1`,
  )
  const all: Record<string, unknown> =
    connection === 'posts'
      ? { author: encodeId('User', row?.author ?? ''), tag: row?.slug, text: 'the', status: 'DRAFT' }
      : { minPrice: '10', maxPrice: '200', inStock: true, text: 'the', active: false }
  let sets: string[][] = [[]]
  for (const name of Object.keys(all)) sets = sets.flatMap((names) => [names, [...names, name]])
  return sets
    .filter((names) => !(names.includes('tag') && names.includes('status')))
    .map((names) => [[...names].sort().join('+'), Object.fromEntries(names.map((name) => [name, all[name]]))])
}
