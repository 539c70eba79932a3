import type { Pool, PoolClient } from 'pg'

export interface Explained {
  readonly text: string
  /** Given, the statement runs once more with them: only for one that changes nothing. */
  readonly values?: readonly unknown[] | undefined
  /** In ms: what takes longer has no plan. */
  readonly timeout: number
}

/**
 * The plan that connections keep for a statement, as PostgreSQL's JSON tells it: estimated, or with `values` as it went,
 * with its buffers. In a transaction that may not write.
 * @throws the driver's own error.
 */
export async function explain<Plan>(pool: Pool, { text, values, timeout }: Explained): Promise<Plan> {
  const client = await pool.connect()
  // As objects: statements given as texts are the business's, and told of.
  const run = (text: string) => client.query({ text })
  try {
    await run('begin transaction read only')
    await run(`set local statement_timeout = ${timeout}`)
    // Prepared as it is when it runs, so that the plan is the one for any values, on every version alike.
    await run(`prepare explained as ${text}`)
    const options = values ? 'analyze, buffers, format json' : 'format json'
    const { rows } = await run(`explain (${options}) execute explained${bind(client, text, values)}`)
    return rows[0]['QUERY PLAN'][0].Plan
  } finally {
    // The transaction and what it prepared end with the connection.
    client.release(true)
  }
}

function bind(client: PoolClient, text: string, values: readonly unknown[] | undefined): string {
  const count = Math.max(0, ...[...text.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)))
  if (count === 0) return ''
  const given = values ?? Array.from({ length: count }, () => null)
  return `(${given.map((value) => literalOf(client, value)).join(', ')})`
}

function literalOf(client: PoolClient, value: unknown): string {
  if (value === null) return 'null'
  return client.escapeLiteral(Buffer.isBuffer(value) ? `\\x${value.toString('hex')}` : String(value))
}
