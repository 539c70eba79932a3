import type { InferKyselyDB } from '@mikro-orm/postgresql'
import type { Kysely } from 'kysely'
import type { Transaction } from '../../db/transaction.js'
import { NewsletterStatus, type NewsletterTable } from './newsletter.entity.js'
import type { SubscriberTable } from './subscriber.entity.js'

type Tables = InferKyselyDB<typeof NewsletterTable | typeof SubscriberTable>

/** What is to be sent next, and to whom. */
export interface Chunk {
  readonly subject: string
  readonly text: string
  readonly subscribers: readonly { readonly id: string; readonly email: string }[]
}

/** The next subscribers of a newsletter that is being sent, at most `size`, by their ids; undefined for any other. */
export async function findChunk(tx: Transaction, id: string, size: number): Promise<Chunk | undefined> {
  const [newsletter] = await tx.sql(
    (query: Kysely<Tables>) =>
      query
        .selectFrom('newsletters')
        .select(['subject', 'text', 'last_subscriber as lastSubscriber', 'created_at as createdAt'])
        .where('id', '=', id)
        .where('status', '=', NewsletterStatus.SENDING),
    [],
  )
  if (!newsletter) return undefined
  const { subject, text, lastSubscriber, createdAt } = newsletter
  const subscribers = await tx.sql(
    (query: Kysely<Tables>) =>
      query
        .selectFrom('subscribers')
        .select(['id', 'email'])
        .where('id', '>', lastSubscriber)
        .where('subscribed_at', '<=', createdAt)
        .orderBy('id')
        .limit(size),
    [],
  )
  return { subject, text, subscribers }
}

/** Notes that this subscriber, and so everybody before, was written to or refused. */
export async function advance(tx: Transaction, id: string, subscriber: string, result: 'sent' | 'failed') {
  await tx.sql(
    (query: Kysely<Tables>) =>
      query
        .updateTable('newsletters')
        .set((row) => ({ [result]: row(result, '+', 1), last_subscriber: subscriber }))
        .where('id', '=', id),
    [{ table: 'newsletters', kind: 'update', rows: 1, keys: [{ id }] }],
  )
}

/** Nobody is left to write to. */
export async function endNewsletter(tx: Transaction, id: string): Promise<void> {
  await tx.sql(
    (query: Kysely<Tables>) =>
      query.updateTable('newsletters').set({ status: NewsletterStatus.SENT }).where('id', '=', id),
    [{ table: 'newsletters', kind: 'update', rows: 1, keys: [{ id }] }],
  )
}
