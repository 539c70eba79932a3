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

/** A message to one of them. */
export interface Letter {
  readonly subject: string
  readonly text: string
  readonly to: string
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

/** A newsletter's words, and where one subscriber gets them; undefined where one of the two is gone. */
export async function findLetter(tx: Transaction, id: string, subscriber: string): Promise<Letter | undefined> {
  const [found] = await tx.sql(
    (query: Kysely<Tables>) =>
      query
        .selectFrom(['newsletters', 'subscribers'])
        .select(['subject', 'text', 'email as to'])
        .where('newsletters.id', '=', id)
        .where('subscribers.id', '=', subscriber),
    [],
  )
  return found
}

/** What became of a letter, and of the chunk that it was the next one of. */
export interface Outcome {
  readonly result: 'sent' | 'failed' | 'deferred'
  readonly subscriber?: string
}

/** Counts a letter, and notes that everybody up to this subscriber had theirs, or has it later. */
export async function note(tx: Transaction, id: string, { result, subscriber }: Outcome): Promise<void> {
  await tx.sql(
    (query: Kysely<Tables>) =>
      query
        .updateTable('newsletters')
        .set((row) => ({
          ...(result !== 'deferred' && { [result]: row(result, '+', 1) }),
          ...(subscriber && { last_subscriber: subscriber }),
        }))
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
