import { Field, ObjectType } from 'type-graphql'
import { Decimal } from '../../graph/scalars.js'

@ObjectType({ description: 'The house in figures, for administrators; a day begins at midnight UTC.' })
export class Dashboard {}

@ObjectType({ description: 'An amount of one currency.' })
export class Money {
  @Field(() => Decimal, { description: 'How much.' })
  readonly amount!: string

  @Field({ description: 'Of which currency: ISO 4217.' })
  readonly currency!: string
}
