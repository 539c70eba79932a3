import type { Pool } from 'pg'
import type { Log } from '../core/log.js'
import type { Database } from '../db/database.js'
import { plain } from '../db/statement.js'
import type { Transaction } from '../db/transaction.js'
import { everything } from './tag.js'

const schema = `
  create schema if not exists plumbline_cache;
  create table if not exists plumbline_cache.changes (
    id bigint generated always as identity primary key,
    tags text[] not null,
    written_at timestamptz not null default clock_timestamp()
  )`

/** Makes the table in which writes leave the tags they changed, until Redis knows of them. */
export async function migrateOutbox(pool: Pool): Promise<void> {
  await pool.query(schema)
}

/** Leaves word that everything may have changed, for whoever looks after Redis: for changes by no write of ours. */
export async function forgetEverything(pool: Pool): Promise<void> {
  await pool.query(insert, [[everything]])
}

/** How many rows one look takes. */
const mostRows = 500

const insert = 'insert into plumbline_cache.changes (tags) values ($1) returning id'

const remove = 'delete from plumbline_cache.changes where id = any($1)'

/** Without a lock: who passed over what another is about to tell would take it for told. To tell twice does no harm. */
const select = `
  select id, tags from plumbline_cache.changes
  where written_at <= clock_timestamp() - $1 * interval '1 millisecond'
  order by id limit ${mostRows}`

/**
 * What writes changed, kept in their own transactions until Redis knows of it: a process that is killed after its commit,
 * or a Redis that cannot be reached, loses none of it.
 */
export class Outbox {
  private done: string[] = []

  constructor(
    private readonly db: Database,
    private readonly log: Log,
  ) {}

  /** Answers the row's id. */
  async put(tx: Transaction, tags: readonly string[]): Promise<string> {
    const [row] = await tx.sql(plain<{ id: string }>(insert, [tags]), [])
    return (row as { id: string }).id
  }

  /** Redis knows of it: the row may go, with the next ones. */
  check(id: string): void {
    this.done.push(id)
  }

  /** Hands over what was written so many ms ago or before and is still there; what `change` does not throw for is gone. */
  async sweep(age: number, change: (tags: string[]) => Promise<void>): Promise<void> {
    await this.clear()
    for (let taken = mostRows; taken === mostRows; ) {
      const rows = await this.db.write((tx) => tx.sql(plain<{ id: string; tags: string[] }>(select, [age]), []))
      taken = rows.length
      if (taken === 0) return
      await change([...new Set(rows.flatMap(({ tags }) => tags))])
      await this.remove(rows.map(({ id }) => id))
    }
  }

  private async clear(): Promise<void> {
    const ids = this.done.splice(0)
    if (ids.length === 0) return
    try {
      await this.remove(ids)
    } catch (error) {
      // They are told of once more, which changes nothing.
      this.log.debug({ err: error }, 'what Redis knows of was not cleared away')
    }
  }

  private async remove(ids: readonly string[]): Promise<void> {
    await this.db.write((tx) => tx.sql(plain(remove, [ids]), []))
  }
}
