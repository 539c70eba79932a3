import { createHash } from 'node:crypto'
import { Client, type QueryConfig } from 'pg'
import { vi } from 'vitest'
import { type Environment, loadConfig } from '../../src/core/config.js'
import { seedDatabase } from '../../src/tools/seed.js'
import { jwtSecret } from '../settings.js'
import { startBusiness, type TestApp } from '../support.js'

/**
 * The business on seeded data, on one connection, so that a statement is found where it was prepared: one that counts as
 * slow has its plan told, with which its connection ends.
 */
export async function startSeeded(scale: number, config: Environment = {}): Promise<TestApp> {
  const app = await startBusiness({ DATABASE_POOL_SIZE: '1', SLOW_STATEMENT_PLANS: 'off', ...config })
  await seedDatabase(loadConfig({ DATABASE_URL: app.url, JWT_SECRET: jwtSecret, LOG_LEVEL: 'silent' }), { scale })
  // The tests' database commits without waiting for the disk, and what is not there yet counts as invisible to others.
  await app.sql('checkpoint')
  await app.sql('vacuum (analyze)')
  return app
}

/** A plan in PostgreSQL's JSON. */
export interface Plan {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly Filter?: string
  readonly 'Shared Hit Blocks': number
  readonly 'Shared Read Blocks': number
  readonly Plans?: readonly Plan[]
}

/** A statement as it was executed, and the plan that its connection keeps for it. */
export interface Executed {
  readonly text: string
  readonly plan: Plan
  /** Pages read while the plan ran once more with the same values. */
  readonly buffers: number
}

/** What `work` executes outside transactions, each statement's last execution planned and run again. */
export async function explain(app: TestApp, work: () => Promise<unknown>): Promise<Executed[]> {
  const executed = new Map<string, QueryConfig>()
  const query = vi.spyOn(Client.prototype, 'query')
  await work()
  for (const [config] of query.mock.calls as unknown as [QueryConfig][])
    if (config?.text?.includes(' from ')) executed.set(config.text, config)
  query.mockRestore()
  return Promise.all([...executed.values()].map((config) => explainOne(app, config)))
}

async function explainOne(app: TestApp, config: QueryConfig): Promise<Executed> {
  const pool = await app.app.db.orm.em.getConnection().getNativeClient()
  const { text, values = [] } = config
  // A family that has all the names it may have runs the rest unnamed: those are prepared here.
  const name = config.name || `explained_${createHash('md5').update(text).digest('hex')}`
  if (!config.name) await pool.query({ name, text, values })
  const call = values.length > 0 ? `(${values.map(literal).join(', ')})` : ''
  const { rows } = await pool.query(`explain (analyze, buffers, timing off, format json) execute "${name}"${call}`)
  const [{ Plan: plan }] = rows[0]['QUERY PLAN']
  return { text, plan, buffers: plan['Shared Hit Blocks'] + plan['Shared Read Blocks'] }
}

function literal(value: unknown): string {
  if (Array.isArray(value)) return `'{${value.join(',')}}'`
  return typeof value === 'number' ? String(value) : `'${String(value).replaceAll("'", "''")}'`
}

/** Every node of a plan, from the top. */
export function nodesOf(plan: Plan): Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)]
}
