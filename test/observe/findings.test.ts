import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PoolClient } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findPlanFaults } from '../../src/observe/findings.js'
import type { PlanNode } from '../../src/observe/plan-steps.js'
import { tokensOf } from '../../src/observe/redact.js'
import { startHouse, type TestApp } from '../support.js'

/** What is found in the recorded plans: kind, table, index, and the figure in one digit. */
const bad: Record<string, { estimated: string[]; analysed: string[]; fix: string | RegExp }> = {
  'no index': {
    estimated: ['full-scan posts 2000 cost'],
    analysed: ['full-scan posts 60000 rows'],
    fix: create('"posts" (((slug)::text), status)'),
  },
  'no index, in order': {
    estimated: ['full-scan posts 2000 cost'],
    analysed: ['full-scan posts 60000 rows'],
    fix: create('"posts" (status, score DESC) WHERE deleted_at IS NULL'),
  },
  'no index after a cursor': {
    estimated: ['full-scan posts 2000 cost'],
    analysed: ['full-scan posts 60000 rows'],
    fix: create('"posts" (score DESC, id DESC)'),
  },
  'no index for most rows': {
    estimated: ['full-scan posts 2000 cost'],
    analysed: ['full-scan posts 60000 rows'],
    fix: /^(No index follows|Read less)/,
  },
  'no index for a batch': {
    estimated: ['full-scan comments 4000 cost'],
    analysed: ['full-scan comments 100000 rows'],
    fix: create('"comments" (author_id)'),
  },
  'no index on what is computed': {
    estimated: ['full-scan posts 2000 cost'],
    analysed: ['full-scan posts 60000 rows'],
    fix: create('"posts" (lower(title))'),
  },
  'no index for a pattern': {
    estimated: ['full-scan posts 2000 cost'],
    analysed: ['full-scan posts 60000 rows'],
    fix: /^No index follows/,
  },
  'no index, in parallel': {
    estimated: ['full-scan comments 3000 cost'],
    analysed: ['full-scan comments 100000 rows'],
    fix: create('"comments" (body)'),
  },
  'no index in partitions': {
    estimated: ['full-scan events_2024_01 1000 cost'],
    analysed: ['full-scan events_2024_01 80000 rows'],
    fix: create('"events_2024_01" (actor_id) -- and on 3 partitions more'),
  },
  'no index for a part': {
    estimated: ['full-scan posts 2000 cost'],
    analysed: ['full-scan posts 60000 rows'],
    fix: create('"posts" (((slug)::text))'),
  },
  'an index of one of two columns': {
    estimated: ['rows-removed posts posts_category 3000 rows'],
    analysed: ['rows-removed posts posts_category 3000 rows'],
    fix: create('"posts" (category_id, ((slug)::text))'),
  },
  'an index in order only': {
    estimated: ['rows-removed posts posts_newest 4000 cost'],
    analysed: ['rows-removed posts posts_newest 60000 rows'],
    fix: 'Create an index on ((slug)::text), then the columns of posts_newest.',
  },
  'a page per parent without index': {
    estimated: ['rows-removed comments comments_pkey 5000 cost'],
    analysed: ['rows-removed comments comments_pkey 300000 rows'],
    fix: 'Create an index on author_id, then the columns of comments_pkey.',
  },
  'a join without index': {
    estimated: ['nested-loop countries 2000 loops'],
    analysed: ['nested-loop countries 2000 loops'],
    fix: create('"countries" (lower(name))'),
  },
  'a count per row': {
    estimated: ['nested-loop posts posts_author 2000 loops'],
    analysed: ['nested-loop posts posts_author 2000 loops'],
    fix: /^Answer all of it at once/,
  },
  'a total': {
    estimated: ['full-scan comments comments_pkey 100000 rows'],
    analysed: ['full-scan comments comments_pkey 100000 rows'],
    fix: /^Read less/,
  },
  'a large sort': {
    estimated: ['sort comments 20000 kB', 'full-scan comments 100000 rows'],
    analysed: ['sort comments 10000 kB', 'full-scan comments 100000 rows'],
    fix: create('"comments" (body)'),
  },
  'a large sort, in parallel': {
    estimated: ['sort comments 20000 kB', 'full-scan comments 100000 rows'],
    analysed: ['sort comments 10000 kB', 'full-scan comments 100000 rows'],
    fix: create('"comments" (body)'),
  },
  'the first of a large sort': {
    estimated: ['sort posts 60000 rows', 'full-scan posts 60000 rows'],
    analysed: ['sort posts 60000 rows', 'full-scan posts 60000 rows'],
    fix: create('"posts" (title)'),
  },
}

describe.each([15, 18])('plans of PostgreSQL %i', (version) => {
  const plans: Record<string, { text: string; estimated: PlanNode; analysed: PlanNode }> = JSON.parse(
    readFileSync(join(import.meta.dirname, `plans/pg${version}.json`), 'utf8'),
  )

  describe.each(['estimated', 'analysed'] as const)('%s', (form) => {
    test.each(Object.entries(plans))('%s', (name, { [form]: plan }) => {
      const { [form]: expected = [], fix = '' } = bad[name] ?? {}
      const found = findPlanFaults(plan)
      expect(found.map(inShort)).toEqual(expected)
      for (const finding of found) {
        expect(finding.estimated).toBe(form === 'estimated')
        expect(finding.fix).toEqual(typeof fix === 'string' ? fix : expect.stringMatching(fix))
      }
    })
  })

  test('no finding has what a statement says of rows', () => {
    for (const { text, estimated, analysed } of Object.values(plans)) {
      const told = JSON.stringify([estimated, analysed].map((plan) => findPlanFaults(plan)))
      for (const { kind, text: literal } of tokensOf(text))
        if (kind === 'literal' && literal.length > 2) expect(told).not.toContain(literal.replaceAll("'", ''))
    }
  })

  test('what is bad is there', () => expect(Object.keys(plans)).toEqual(expect.arrayContaining(Object.keys(bad))))
})

describe('what an estimated plan does not know is not told:', () => {
  const scan = (more: Partial<PlanNode>): PlanNode => ({
    'Node Type': 'Index Scan',
    'Parent Relationship': 'Outer',
    'Relation Name': 'posts',
    'Index Name': 'posts_newest',
    'Startup Cost': 0,
    'Total Cost': 4_000_000,
    'Plan Rows': 50_000,
    'Plan Width': 8,
    ...more,
  })
  const over = (type: string, input: PlanNode, more: Partial<PlanNode> = {}): PlanNode => ({
    'Node Type': type,
    'Startup Cost': 0,
    'Total Cost': 400_000,
    'Plan Rows': 5_000,
    Plans: [input],
    ...more,
  })

  test('a `limit $1` is a page, not a tenth of the table', () => {
    const filtered = scan({ Filter: '(status = $1)' })
    expect(findPlanFaults(filtered)).toMatchObject([{ kind: 'rows-removed', figure: 4_000_000, unit: 'cost' }])
    expect(findPlanFaults(over('Limit', filtered))).toMatchObject([{ kind: 'rows-removed', figure: 8_000 }])
    expect(findPlanFaults(over('Limit', { ...filtered, 'Total Cost': 400_000 }, { 'Total Cost': 40_000 }))).toEqual([])
  })

  test('rows above a parameter are not a third of all', () => {
    const sort = (condition: string) => over('Sort', scan({ 'Index Cond': condition }), { 'Sort Key': ['score'] })
    expect(findPlanFaults(sort('(author_id = $1)'))).toMatchObject([{ kind: 'sort', figure: 50_000, unit: 'rows' }])
    for (const unknown of ['(at > $1)', '((a = 1) AND (ROW(at, id) < ROW($1, $2)))', '(at >= (InitPlan 1).col1)'])
      expect(findPlanFaults(sort(unknown))).toEqual([])
  })
})

describe('on the PostgreSQL of the tests', () => {
  let house: TestApp
  let client: PoolClient
  beforeAll(async () => {
    house = await startHouse()
    client = await (await house.app.db.orm.em.getConnection().getNativeClient()).connect()
    await client.query(`
      create table readings (id int primary key, sensor varchar(80) not null, kind int not null, name text not null,
        broken boolean not null, at timestamptz not null);
      insert into readings select n, 'sensor ' || n % 500, n % 700, 'Name ' || n, n % 3 = 0,
        timestamptz '2024-01-01' + n * interval '1 minute' from generate_series(1, 60000) n`)
    await client.query('vacuum analyze readings')
  })
  afterAll(async () => {
    client.release()
    await house[Symbol.asyncDispose]()
  })

  test.each([
    [
      'sensor = $1 and not broken order by at desc limit 5',
      `'sensor 7'`,
      '(((sensor)::text), at DESC) WHERE NOT broken',
    ],
    [`kind = any($1) and at > '2024-01-20'`, `'{5,6}'`, '(kind, at)'],
    ['lower(name) = $1', `'name 77'`, '(lower(name))'],
  ])('its own fix mends %s', async (condition, values, columns) => {
    const statement = `select id from readings where ${condition}`
    const fix = create(`"public"."readings" ${columns}`)
    const before = await explain(statement, values)
    for (const plan of before)
      expect(findPlanFaults(plan)).toMatchObject([{ kind: 'full-scan', table: 'readings', fix }])
    await client.query(fix)
    await client.query('analyze readings')
    const after = await explain(statement, values)
    for (const plan of after) expect(findPlanFaults(plan)).toEqual([])
  })

  test('a lookup has nothing to mend', async () => {
    const plans = await explain('select * from readings where id = any($1)', `'{1,2,3}'`)
    expect(plans.map((plan) => findPlanFaults(plan))).toEqual([[], []])
  })

  async function explain(statement: string, values: string): Promise<PlanNode[]> {
    await client.query(`prepare explained as ${statement}`)
    const plans: PlanNode[] = []
    for (const options of ['verbose', 'verbose, analyze, buffers']) {
      const { rows } = await client.query(`explain (${options}, format json) execute explained(${values})`)
      plans.push(rows[0]['QUERY PLAN'][0].Plan)
    }
    await client.query('deallocate explained')
    return plans
  }
})

function inShort({ kind, table, index, figure, unit }: ReturnType<typeof findPlanFaults>[number]): string {
  return [kind, table, index, Number(figure.toPrecision(1)), unit].filter((part) => part !== undefined).join(' ')
}

function create(rest: string): string {
  return `CREATE INDEX CONCURRENTLY ON ${rest}`
}
