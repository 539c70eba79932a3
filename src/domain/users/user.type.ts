import { Field, InputType, ObjectType } from 'type-graphql'
import { Payload } from '../../graph/payload.js'
import { DateTime } from '../../graph/scalars.js'
import { User } from './user.entity.js'

@InputType({ description: 'What signUp needs.' })
export class SignUpInput {
  @Field({ description: 'The name shown to others: 1 to 100 characters.' })
  readonly name!: string

  @Field({ description: 'The e-mail address to sign in with.' })
  readonly email!: string

  @Field({ description: 'At least 10 characters.' })
  readonly password!: string
}

@InputType({ description: 'What signIn needs.' })
export class SignInInput {
  @Field({ description: 'The e-mail address of the account.' })
  readonly email!: string

  @Field({ description: 'Its password.' })
  readonly password!: string
}

/** A session: the token is sent as `Authorization: Bearer`. */
@ObjectType()
abstract class SessionPayload extends Payload {
  @Field(() => String, {
    nullable: true,
    description: 'To send as `Authorization: Bearer`; null where there are errors.',
  })
  readonly token?: string | null

  @Field(() => DateTime, { nullable: true, description: 'When the token ends; `renewToken` answers a new one before.' })
  readonly expiresAt?: string | null

  @Field(() => User, { nullable: true, description: 'Whose session it is.' })
  readonly user?: User | null
}

@ObjectType({ description: 'The session of a new account.' })
export class SignUpPayload extends SessionPayload {}

@ObjectType({ description: 'A new session.' })
export class SignInPayload extends SessionPayload {}

@ObjectType({ description: 'The session, prolonged.' })
export class RenewTokenPayload extends SessionPayload {}
