import { Arg, Ctx, Field, InputType, Mutation, ObjectType, Resolver } from 'type-graphql'
import { z } from 'zod'
import { Context } from '../../graph/context.js'
import { Payload, payload, valid } from '../../graph/payload.js'
import { addSubscriber } from './subscriber.data.js'

@InputType({ description: 'Where the newsletter goes.' })
class SubscribeInput {
  @Field({ description: 'The e-mail address.' })
  readonly email!: string
}

@ObjectType({ description: 'Where the newsletter goes from now on.' })
class SubscribePayload extends Payload {
  @Field(() => String, { nullable: true, description: 'The e-mail address; null where there are errors.' })
  readonly email?: string | null
}

const subscribeInput = z.object({
  email: z.email('That is no e-mail address.').max(254, 'An e-mail address has at most 254 characters.').toLowerCase(),
})

@Resolver()
export class SubscriberResolver {
  @Mutation(() => SubscribePayload, {
    description: 'Subscribes to the newsletter; answers the same for an address that is subscribed already.',
  })
  subscribe(@Arg('input', { description: 'Where it goes.' }) input: SubscribeInput, @Ctx() ctx: Context) {
    return payload(async () => {
      const { email } = valid(subscribeInput, input)
      await addSubscriber(ctx, email)
      return { email }
    })
  }
}
