import type { Pool } from 'pg'
import { type Change, type Facts, fact } from '../src/core/events.js'
import type { Database } from '../src/db/database.js'

/** Rows changed, as `table kind` → how many; what did not change is absent. */
export type Changed = Record<string, number>

/** What `work` changed by the transactions' own account, and by the database's, which counts every row. */
export async function compareChanges(
  db: Database,
  work: () => Promise<unknown>,
): Promise<{ declared: Changed; counted: Changed; transactions: Facts['transaction.committed'][] }> {
  const transactions: Facts['transaction.committed'][] = []
  const before = await countRows(db)
  const stop = fact('transaction.committed').listen((transaction) => transactions.push(transaction))
  await work().finally(stop)
  const after = await countRows(db)
  const counted = Object.fromEntries(
    Object.entries(after).flatMap(([name, rows]) => {
      const changed = rows - (before[name] ?? 0)
      return changed === 0 ? [] : [[name, changed]]
    }),
  )
  return { declared: sum(transactions.flatMap(({ changes }) => changes)), counted, transactions }
}

function sum(changes: readonly Change[]): Changed {
  const rows: Changed = {}
  for (const change of changes) {
    const name = `${change.table} ${change.kind}`
    rows[name] = (rows[name] ?? 0) + change.rows
  }
  return rows
}

/** The statistics of every connection of the pool, told to the database before they are read. */
async function countRows(db: Database): Promise<Changed> {
  const pool = (await db.orm.em.getConnection().getNativeClient()) as Pool
  const clients = await Promise.all(Array.from({ length: Math.max(1, pool.totalCount) }, () => pool.connect()))
  try {
    for (const client of clients) await client.query('select pg_stat_force_next_flush()')
    const { rows } = await (clients[0] as (typeof clients)[0]).query<Record<string, string>>(
      'select relname as table, n_tup_ins as insert, n_tup_upd as update, n_tup_del as delete from pg_stat_user_tables where schemaname = current_schema',
    )
    return Object.fromEntries(
      rows.flatMap(({ table, ...counts }) =>
        Object.entries(counts).map(([kind, count]) => [`${table} ${kind}`, Number(count)]),
      ),
    )
  } finally {
    for (const client of clients) client.release()
  }
}
