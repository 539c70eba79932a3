import type { InferKyselyDB } from '@mikro-orm/postgresql'
import { type Kysely, sql } from 'kysely'
import { v7 } from 'uuid'
import { anyOf, written } from '../../db/statement.js'
import type { Transaction } from '../../db/transaction.js'
import type { Context } from '../../graph/context.js'
import { definePage } from '../../graph/keyset.js'
import { defineLoader } from '../../graph/loader.js'
import { Refused } from '../../graph/payload.js'
import { enqueue } from '../../jobs/enqueue.js'
import { type NewsletterRow, NewsletterStatus, NewsletterTable, nobody } from './newsletter.entity.js'
import { sendNewsletterChunk } from './newsletter.jobs.js'
import type { SubscriberTable } from './subscriber.entity.js'

type Tables = InferKyselyDB<typeof NewsletterTable | typeof SubscriberTable>

export const newsletterById = defineLoader({
  name: 'newsletterById',
  entity: NewsletterTable,
  key: 'id',
  statement: (query: Kysely<Tables>, select) =>
    query.selectFrom('newsletters').select(select('newsletters')).where('newsletters.id', '=', anyOf<string>('keys')),
})

/** The newsletter of that id, or null where the viewer may not see it. */
export async function visibleNewsletter(ctx: Context, id: string): Promise<NewsletterRow | null> {
  return ctx.viewer?.role === 'ADMIN' ? ctx.load(newsletterById, id) : null
}

export const newsletters = definePage({
  name: 'newsletters',
  entity: NewsletterTable,
  alias: 'newsletters',
  from: (query: Kysely<Tables>) => query.selectFrom('newsletters'),
  orders: {
    CREATED_AT: [
      ['newsletters.created_at', 'timestamptz'],
      ['newsletters.id', 'uuid'],
    ],
  },
  defaultOrder: ['CREATED_AT', 'DESC'],
})

/** What a newsletter is made of. */
export interface NewsletterInput {
  readonly subject: string
  readonly text: string
  readonly idempotencyKey: string
}

/**
 * Begins to send it to everybody who has subscribed by now, and answers its id; for an idempotency key that was used
 * with the same words before, that newsletter's. @throws Refused CONFLICT for a key with other words.
 */
export function createNewsletter(ctx: Context, { subject, text, idempotencyKey }: NewsletterInput): Promise<string> {
  return ctx.write(async (tx) => {
    await holdSubscribers(tx)
    const made = await tx.em.findOne(NewsletterTable, { idempotencyKey })
    if (made && (made.subject !== subject || made.text !== text))
      throw new Refused('CONFLICT', 'This key has been used for a newsletter of other words.', ['idempotencyKey'])
    if (made) return made.id
    const id = v7()
    tx.em.create(NewsletterTable, {
      id,
      subject,
      text,
      status: NewsletterStatus.SENDING,
      sent: 0,
      failed: 0,
      ...(await countSubscribers(tx)),
      lastSubscriber: nobody,
      idempotencyKey,
    })
    enqueue(tx, sendNewsletterChunk, { newsletter: id })
    return id
  })
}

/**
 * Waits for who is just subscribing, and has others wait until the commit: without, somebody could be counted out and
 * yet be dated before. One newsletter at a time comes this far, so that a key is not used twice.
 */
async function holdSubscribers(tx: Transaction): Promise<void> {
  await tx.sql(written(sql`lock table subscribers in share row exclusive mode`), [])
}

async function countSubscribers(tx: Transaction): Promise<{ total: number; createdAt: string }> {
  const [counted] = await tx.sql(
    (query: Kysely<Tables>) =>
      query
        .selectFrom('subscribers')
        .select([sql<number>`count(*)::int`.as('total'), sql<string>`clock_timestamp()`.as('createdAt')]),
    [],
  )
  return counted as { total: number; createdAt: string }
}
