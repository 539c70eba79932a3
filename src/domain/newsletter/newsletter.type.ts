import { Field, InputType, ObjectType } from 'type-graphql'
import { connectionOf } from '../../graph/connection.js'
import { Payload } from '../../graph/payload.js'
import { Newsletter } from './newsletter.entity.js'

export const NewsletterConnection = connectionOf(() => Newsletter, 'Newsletter', 'newest first')

@InputType({ description: 'A new newsletter.' })
export class SendNewsletterInput {
  @Field({ description: 'What mail programs show of it in a list: one line of 1 to 200 characters.' })
  readonly subject!: string

  @Field({ description: 'The text itself, plain: 1 to 50,000 characters.' })
  readonly text!: string

  @Field({
    description:
      'A name of your choice for this newsletter, 1 to 100 characters: sent again with the same words, it answers the same newsletter instead of sending another.',
  })
  readonly idempotencyKey!: string
}

@ObjectType({ description: 'The newsletter that is being sent.' })
export class SendNewsletterPayload extends Payload {
  @Field(() => Newsletter, { nullable: true, description: 'How far it is; null where there are errors.' })
  readonly newsletter?: Newsletter | null
}
