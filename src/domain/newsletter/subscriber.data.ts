import type { InferKyselyDB } from '@mikro-orm/postgresql'
import { type Kysely, sql } from 'kysely'
import { v7 } from 'uuid'
import type { Context } from '../../graph/context.js'
import type { SubscriberTable } from './subscriber.entity.js'

type Tables = InferKyselyDB<typeof SubscriberTable>

/** Enters an address; one that is entered already stays as it is. */
export async function addSubscriber(ctx: Context, email: string): Promise<void> {
  // The time of the insertion, by the database's clock: a newsletter, which holds the table, compares its own with it.
  const subscriber = { id: v7(), email, subscribed_at: sql<string>`clock_timestamp()` }
  await ctx.write((tx) =>
    tx.sql(
      (query: Kysely<Tables>) =>
        query
          .insertInto('subscribers')
          .values(subscriber)
          .onConflict((conflict) => conflict.column('email').doNothing())
          .returning('id'),
      (rows) => (rows.length > 0 ? [{ table: 'subscribers', kind: 'insert', rows: rows.length, keys: rows }] : []),
    ),
  )
}
