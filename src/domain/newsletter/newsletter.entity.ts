import { defineEntity, p } from '@mikro-orm/core'
import { Field, Int, ObjectType, registerEnumType } from 'type-graphql'
import { type Row, timestamp } from '../../db/row.js'
import { Node } from '../../graph/node.js'
import { DateTime } from '../../graph/scalars.js'

export enum NewsletterStatus {
  SENDING = 'SENDING',
  SENT = 'SENT',
}
registerEnumType(NewsletterStatus, {
  name: 'NewsletterStatus',
  description: 'How far a newsletter is.',
  valuesConfig: {
    SENDING: { description: 'On its way: `sent` and `failed` rise.' },
    SENT: {
      description:
        'Every subscriber of its time was written to. Those whose server asked to be tried later are counted once that is settled, most often within a day.',
    },
  },
})

/** Before every subscriber: the nil UUID, which nobody has. */
export const nobody = '00000000-0000-0000-0000-000000000000'

export const NewsletterTable = defineEntity({
  name: 'Newsletter',
  tableName: 'newsletters',
  properties: {
    id: p.uuid().primary(),
    subject: p.text(),
    text: p.text(),
    status: p.enum(() => NewsletterStatus),
    sent: p.integer(),
    failed: p.integer(),
    total: p.integer(),
    /** Where it stands: whoever has an id up to this one was written to. */
    lastSubscriber: p.uuid().hidden(),
    idempotencyKey: p.text().hidden(),
    /** Who subscribed until then gets it. */
    createdAt: timestamp(),
  },
  uniques: [{ name: 'newsletters_idempotency', properties: ['idempotencyKey'] }], // createNewsletter
  indexes: [
    // newsletters
    {
      name: 'newsletters_created',
      expression: 'create index newsletters_created on newsletters (created_at desc, id desc)',
    },
  ],
})
export type NewsletterRow = Row<typeof NewsletterTable>

@ObjectType({ implements: Node, description: 'A text that goes to every subscriber, and how far it is.' })
export class Newsletter
  extends Node
  implements Pick<NewsletterRow, 'subject' | 'text' | 'status' | 'sent' | 'failed' | 'total' | 'createdAt'>
{
  @Field({ description: 'What mail programs show of it in a list.' })
  readonly subject!: string

  @Field({ description: 'The text itself: plain.' })
  readonly text!: string

  @Field(() => NewsletterStatus, { description: 'How far it is.' })
  readonly status!: NewsletterStatus

  @Field(() => Int, { description: 'How many subscribers it was sent to.' })
  readonly sent!: number

  @Field(() => Int, { description: 'How many addresses were refused, for good or for too long.' })
  readonly failed!: number

  @Field(() => Int, { description: 'How many subscribers there were when it was made: none that came later gets it.' })
  readonly total!: number

  @Field(() => DateTime, { description: 'When it was made.' })
  readonly createdAt!: string
}
