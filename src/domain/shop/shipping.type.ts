import { Field, Int, ObjectType, registerEnumType } from 'type-graphql'
import type { RemoteReason } from '../../core/events.js'
import { Decimal } from '../../graph/scalars.js'

const ShippingFailureReason = {
  TIMEOUT: 'TIMEOUT',
  UNAVAILABLE: 'UNAVAILABLE',
  REFUSED: 'REFUSED',
  INVALID: 'INVALID',
} as const satisfies Record<RemoteReason, RemoteReason>
registerEnumType(ShippingFailureReason, {
  name: 'ShippingFailureReason',
  description: 'Why there is no quote of a carrier.',
  valuesConfig: {
    TIMEOUT: { description: 'It did not answer in time.' },
    UNAVAILABLE: { description: 'It cannot be reached now, or has failed so often that it is left alone for a while.' },
    REFUSED: { description: 'It does not take the parcel, or failed itself.' },
    INVALID: { description: 'Its answer cannot be understood.' },
  },
})

@ObjectType({ description: 'What a carrier takes for a parcel.' })
export class ShippingQuote {
  @Field({ description: 'Which carrier.' })
  readonly carrier!: string

  @Field(() => Decimal, { description: 'What it costs, in `currency`.' })
  readonly price!: string

  @Field({ description: 'The currency of the price: ISO 4217.' })
  readonly currency!: string

  @Field(() => Int, { description: 'How many days it takes.' })
  readonly days!: number
}

@ObjectType({ description: 'A carrier of which there is no quote.' })
export class ShippingFailure {
  @Field({ description: 'Which carrier.' })
  readonly carrier!: string

  @Field(() => ShippingFailureReason, { description: 'Why.' })
  readonly reason!: RemoteReason
}

@ObjectType({ description: 'What the carriers answered: each is in one of the two lists.' })
export class ShippingQuotes {
  @Field(() => [ShippingQuote], { description: 'The quotes there are.' })
  readonly quotes!: ShippingQuote[]

  @Field(() => [ShippingFailure], { description: 'Who gave none, and why.' })
  readonly failures!: ShippingFailure[]
}
