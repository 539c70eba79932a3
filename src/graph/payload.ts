import 'reflect-metadata'
import { Field, ObjectType, registerEnumType } from 'type-graphql'
import type { z } from 'zod'

/** Why a mutation did not do what was asked, where that is to be expected. */
export enum UserErrorCode {
  INVALID = 'INVALID',
  TAKEN = 'TAKEN',
  NOT_FOUND = 'NOT_FOUND',
  NOT_ALLOWED = 'NOT_ALLOWED',
  OUT_OF_STOCK = 'OUT_OF_STOCK',
  CONFLICT = 'CONFLICT',
}
registerEnumType(UserErrorCode, {
  name: 'UserErrorCode',
  description: 'Why a mutation did not do what was asked.',
  valuesConfig: {
    INVALID: { description: 'A value is not acceptable.' },
    TAKEN: { description: 'The value belongs to somebody else already.' },
    NOT_FOUND: { description: 'There is no such object, or none that you may see.' },
    NOT_ALLOWED: { description: 'The object is not in a state, or not yours, to do this with.' },
    OUT_OF_STOCK: { description: 'Not enough pieces are left.' },
    CONFLICT: { description: 'It contradicts what was done before.' },
  },
})

@ObjectType({ description: 'An expected failure of a mutation, as data.' })
export class UserError {
  @Field(() => UserErrorCode, { description: 'What kind of failure.' })
  readonly code!: UserErrorCode

  @Field({ description: 'The same in words, for people.' })
  readonly message!: string

  @Field(() => [String], { nullable: true, description: 'The path of the input field it is about.' })
  readonly field!: string[] | null
}

/** What every mutation's payload has beside its result, which is null where there are errors. */
@ObjectType()
export abstract class Payload {
  @Field(() => [UserError], { description: 'Why it was not done; empty when it was.' })
  readonly errors!: UserError[]
}

/** Thrown by a write to refuse what was asked: it rolls back, and {@link payload} answers it as data. */
export class Refused extends Error {
  readonly errors: readonly UserError[]

  constructor(code: keyof typeof UserErrorCode, message: string, field?: readonly (string | number)[])
  constructor(errors: readonly UserError[])
  constructor(
    errors: keyof typeof UserErrorCode | readonly UserError[],
    message = '',
    field?: readonly (string | number)[],
  ) {
    super(message)
    this.errors =
      typeof errors === 'string'
        ? [{ code: UserErrorCode[errors], message, field: field ? field.map(String) : null }]
        : errors
  }
}

/** The payload of what `work` answers, or of the errors it was {@link Refused} with. */
export async function payload<Result extends object>(
  work: () => Promise<Result>,
): Promise<Partial<Result> & { errors: readonly UserError[] }> {
  try {
    return { ...(await work()), errors: [] }
  } catch (error) {
    if (error instanceof Refused) return { errors: error.errors } as Partial<Result> & { errors: readonly UserError[] }
    throw error
  }
}

/** The input as `schema` makes of it; {@link Refused} with one INVALID per wrong field. */
export function valid<Schema extends z.ZodType>(schema: Schema, input: unknown): z.infer<Schema> {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  throw new Refused(
    result.error.issues.map(({ path, message }) => ({
      code: UserErrorCode.INVALID,
      message,
      field: path.map(String),
    })),
  )
}
