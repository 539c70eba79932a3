import {
  Arg,
  Authorized,
  Ctx,
  createParameterDecorator,
  Field,
  FieldResolver,
  Int,
  type MiddlewareFn,
  type MiddlewareInterface,
  type NextFn,
  ObjectType,
  Query,
  Resolver,
  type ResolverData,
  Root,
  UseMiddleware,
} from 'type-graphql'
import { seen } from './inputs.js'

/** What the guards and resolvers of these schemas see of a request. */
export interface Asking {
  at: string
  readonly tenant: string
  readonly roles: readonly string[]
  /** Who was called, in order. */
  readonly log: string[]
}

/** An arrow, for TypeGraphQL takes what has a prototype for a class. */
export const checkRoles = ({ context, info }: ResolverData<Asking>, roles: string[]): boolean => {
  context.log.push(`roles of ${info.fieldName}`)
  return roles.length === 0 ? context.roles.length > 0 : roles.some((role) => context.roles.includes(role))
}

const shout: MiddlewareFn<Asking> = async ({ context, info }, next) => {
  context.log.push(`before ${info.fieldName}`)
  const answer: unknown = await next()
  context.log.push(`after ${info.fieldName}`)
  return typeof answer === 'string' ? answer.toUpperCase() : answer
}

class Counting implements MiddlewareInterface<Asking> {
  private count = 0

  async use({ context }: ResolverData<Asking>, next: NextFn): Promise<unknown> {
    context.log.push(`counted ${++this.count}`)
    return next()
  }
}

const instead: MiddlewareFn = async () => 'instead'
const Tenant = () => createParameterDecorator<Asking>(({ context }) => context.tenant)
const Doubled = () =>
  createParameterDecorator<Asking>(({ args }) => (args as { count: number }).count * 2, {
    arg: { name: 'count', typeFunc: () => Int },
  })
const refuseLong = (value: unknown) => {
  if (String(value).length > 3) throw new Error('Too long.')
}

@ObjectType()
class Vault {
  @Field()
  label!: string

  @Authorized()
  @Field(() => String, { nullable: true })
  code!: string

  @UseMiddleware(shout)
  @Field()
  motto!: string
}

@Authorized('KEEPER')
@ObjectType()
class Ledger {
  @Field(() => Int, { nullable: true })
  balance!: number
}

@Resolver(() => Vault)
export class VaultResolver {
  private calls = 0

  @Query(() => Vault)
  vault(): object {
    return { label: `vault ${++this.calls}`, code: '1234', motto: 'quiet' }
  }

  @Authorized('KEEPER')
  @Query(() => String, { nullable: true })
  keepers(@Ctx() { log }: Asking): string {
    log.push('keepers')
    return `for keepers ${++this.calls}`
  }

  @UseMiddleware(shout, Counting)
  @Query(() => String)
  loud(@Arg('text') text: string): string {
    return `${text} ${++this.calls}`
  }

  @UseMiddleware(instead)
  @Query(() => String)
  replaced(@Ctx() { log }: Asking): string {
    log.push('never')
    return 'never'
  }

  @Query(() => String)
  tenant(@Tenant() tenant: string): string {
    return tenant
  }

  @Query(() => String)
  doubled(@Doubled() count: number, @Ctx('tenant') tenant: string): string {
    return seen(count, tenant)
  }

  @Query(() => String, { nullable: true })
  short(@Arg('text', { validateFn: refuseLong }) text: string): string {
    return text
  }

  @Query(() => String)
  free(@Arg('text') text: string): string {
    return text
  }

  @Authorized('KEEPER')
  @FieldResolver(() => String, { nullable: true })
  inside(@Root() vault: { label: string }): string {
    return `inside ${vault.label}`
  }

  @FieldResolver(() => Ledger)
  ledger(): object {
    return { balance: 7 }
  }
}

@UseMiddleware(shout)
@Resolver()
export class LoudResolver {
  @Query(() => String)
  everyLoud(): string {
    return 'every'
  }
}

@Authorized()
@Resolver()
export class MembersResolver {
  @Query(() => String, { nullable: true })
  members(): string {
    return 'members'
  }
}
