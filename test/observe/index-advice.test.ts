import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findPlanFaults } from '../../src/observe/findings.js'
import type { PlanNode } from '../../src/observe/plan-steps.js'

test('a finding is a sentence and a fix', () => {
  expect(findPlanFaults(reading(`(owner = 'Jane O''Hara'::text)`))).toEqual([
    {
      kind: 'full-scan',
      table: 'Things',
      index: undefined,
      figure: 50_001,
      unit: 'rows',
      estimated: false,
      message: 'Reads Things row by row, 50,001 rows, to keep 1 by (owner = ?::text).',
      fix: 'CREATE INDEX CONCURRENTLY ON "Things" (owner)',
    },
  ])
})

describe('the index that follows from a condition', () => {
  test.each([
    [`((a > 5) AND (b = $1) AND (c = 'x'::text) AND (d < 7))`, '(b, c, a)'],
    [`((a >= $1) AND (a <= $2))`, '(a)'],
    [`("Mixed Case" = ($1)::uuid)`, '("Mixed Case")'],
    [`(t."order" = 'a AND b'::text)`, '("order")'],
    [`($1 = a)`, '(a)'],
    [`((a = $0) AND (b = (InitPlan 1).col1))`, '(a, b)'],
    [`((a = ANY ('{1,2}'::integer[])) AND (b = ANY (ARRAY[$1, $2])) AND (c = 1))`, '(c, a, b)'],
    [`((a)::text = ANY (($1)::text[]))`, '(((a)::text))'],
    [`(lower((t.a)::text) < 'x'::text)`, '(lower((a)::text))'],
    [`(upper((a)::text) = upper(other.b))`, '(upper((a)::text))'],
    [`((at >= (now() - '1 day'::interval)) AND (at < CURRENT_DATE))`, '(at)'],
    [`(at < '2024-01-01 00:00:00'::timestamp(3) without time zone)`, '(at)'],
    [`(active AND (NOT hidden) AND (gone IS NULL) AND (a = $1))`, '(a) WHERE active AND NOT hidden AND gone IS NULL'],
    [`(ROW(a, b) > ROW($1, $2))`, '(a, b)'],
  ])('%s', (condition, columns) => {
    expect(findPlanFaults(reading(condition))[0]?.fix).toBe(index(`"Things" ${columns}`))
  })

  test.each([
    `((a = 1) OR (b = 2))`,
    `(a <> 1)`,
    `(a ~~ 'x%'::text)`,
    `(a = b)`,
    `(a = t.b)`,
    `(t.a = (t.b + 1))`,
    `((a + 1) = 2)`,
    `(NOT (a = 1))`,
    `((data ->> 'key'::text) = 'x'::text)`,
    `(my_function(a) = 1)`,
    `(a = (SubPlan 1))`,
    `(NOT (hashed SubPlan 1))`,
    `(a <> ALL ('{1,2}'::integer[]))`,
    `((a)::text[] @> '{x}'::text[])`,
    `(a IS DISTINCT FROM 1)`,
    `(active IS NOT TRUE)`,
    `CASE WHEN a THEN (b = 1) ELSE (c = 2) END`,
    `((price)::numeric < 5.00)`,
    `((at)::date = '2024-01-01'::date)`,
    `(a = 1) AND`,
    `((a = 1)`,
    `active`,
    `false`,
    ``,
  ])('none of %s', (condition) => {
    expect(findPlanFaults(reading(condition))[0]?.fix).not.toContain('CREATE')
  })

  test('ends with the order, where the index can have it', () => {
    const fixes = (condition: string, ...keys: string[]) =>
      findPlanFaults(sorting(condition, keys)).map(({ fix }) => fix)
    expect(fixes('(a = 1)', 't.b DESC NULLS LAST', 'a', 'lower(c)')).toEqual([
      index('"Things" (a, b DESC NULLS LAST, lower(c))'),
    ])
    expect(fixes('((b > 1) AND (c > 1))', 'c', 'd')).toEqual([index('"Things" (c, d)')])
    expect(fixes('((a = 1) AND (b > 1))', 'c')).toEqual([index('"Things" (a, b)')])
    expect(fixes('(a = ANY ($1))', 'c')).toEqual([index('"Things" (a)')])
    expect(fixes('(a = 1)', '(b || c)')).toEqual([expect.stringMatching(/^No index/)])
    expect(fixes('(a = 1)', 'other.b')).toEqual([expect.stringMatching(/^No index/)])
  })

  test('is of the table in its schema, and quoted', () => {
    const named = { ...reading('(a = 1)'), Schema: 'my "own"', 'Relation Name': 'Bad; Table' }
    expect(findPlanFaults(named)[0]?.fix).toBe(index('"my ""own"""."Bad; Table" (a)'))
  })
})

test('no condition makes it fail, or is told with its values', () => {
  const name = fc.constantFrom(
    'a',
    't.b',
    'other.c',
    '"Q"',
    'lower',
    'AND',
    'NOT',
    'IS NULL',
    'ANY',
    'ROW',
    '::text',
    '$1',
  )
  const sign = fc.constantFrom('(', ')', '=', '<', '[', ']', ',', '.', '::')
  const value = fc.constantFrom(`'hush 7531'`, `E'\\'hush'`, '7531', `'{hush,7531}'::text[]`)
  const end = fc.constantFrom('', `'hush`, '$hush$7531', '/* hush')
  fc.assert(
    fc.property(fc.array(fc.oneof(name, sign, value), { maxLength: 12 }), end, (pieces, last) => {
      const text = [...pieces, last].join(' ')
      const plans = [reading(text), sorting('(a = 1)', [text]), sorting(text, ['a', text])]
      expect(JSON.stringify(plans.map((plan) => findPlanFaults(plan)))).not.toMatch(/hush|7531/)
    }),
    { numRuns: 2000, examples: [[['<', 'a', 'AND', 'a'], '$hush$7531']] },
  )
})

/** A large table that is read for one row by that condition. */
function reading(condition: string): PlanNode {
  return {
    'Node Type': 'Seq Scan',
    'Relation Name': 'Things',
    Alias: 't',
    'Actual Rows': 1,
    'Actual Loops': 1,
    Filter: condition,
    'Rows Removed by Filter': 50_000,
  }
}

function sorting(condition: string, keys: readonly string[]): PlanNode {
  const input = { ...reading(condition), 'Parent Relationship': 'Outer' }
  return { 'Node Type': 'Sort', 'Sort Key': keys, 'Actual Rows': 1, 'Actual Loops': 1, Plans: [input] }
}

function index(on: string): string {
  return `CREATE INDEX CONCURRENTLY ON ${on}`
}
