import { Arg, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql'
import { z } from 'zod'
import { text } from '../../core/text.js'
import { Context, type Loaded, requireSelfOrAdmin, requireViewer, type Viewer } from '../../graph/context.js'
import { decodeId } from '../../graph/node.js'
import { payload, Refused, valid } from '../../graph/payload.js'
import { Needs } from '../../graph/projection.js'
import type { Slice } from '../../graph/slice.js'
import { createUser, findViewer, renewViewer, userById } from './user.data.js'
import { Role, User, type UserRow, UserTable } from './user.entity.js'
import { seedUsers } from './user.seed.js'
import { RenewTokenPayload, SignInInput, SignInPayload, SignUpInput, SignUpPayload } from './user.type.js'

const signUpInput = z.object({
  name: text().trim().min(1, 'A name has 1 to 100 characters.').max(100, 'A name has 1 to 100 characters.'),
  email: z.email('That is no e-mail address.').max(254, 'An e-mail address has at most 254 characters.').toLowerCase(),
  password: text().min(10, 'A password has at least 10 characters.').max(200, 'A password has at most 200 characters.'),
})

@Resolver(() => User)
class UserResolver {
  @Query(() => User, { nullable: true, description: 'Who you are; null without a token.' })
  async viewer(@Ctx() ctx: Context): Promise<UserRow | null> {
    return ctx.viewer && ctx.load(userById, ctx.viewer.id)
  }

  @Query(() => User, { nullable: true, description: 'The user of that id.' })
  user(
    @Arg('id', () => ID, { description: 'The id of a User.' }) id: string,
    @Ctx() ctx: Context,
  ): Loaded<UserRow | null> {
    return ctx.load(userById, decodeId('User', id))
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: 'The e-mail address; for the user and administrators only.',
  })
  @Needs<UserRow>('id', 'email')
  email(@Root() user: UserRow, @Ctx() ctx: Context): string {
    requireSelfOrAdmin(ctx, user.id)
    return user.email
  }

  @FieldResolver(() => Role, { nullable: true, description: 'What they may do; for the user and administrators only.' })
  @Needs<UserRow>('id', 'role')
  role(@Root() user: UserRow, @Ctx() ctx: Context): Role {
    requireSelfOrAdmin(ctx, user.id)
    return user.role
  }

  @Mutation(() => SignUpPayload, { description: 'Makes an account and signs in.' })
  signUp(@Arg('input', { description: 'Name, e-mail and password.' }) input: SignUpInput, @Ctx() ctx: Context) {
    return payload(async () => startSession(ctx, await createUser(ctx, valid(signUpInput, input))))
  }

  @Mutation(() => SignInPayload, { description: 'Answers a token for an e-mail and its password.' })
  signIn(@Arg('input', { description: 'E-mail and password.' }) input: SignInInput, @Ctx() ctx: Context) {
    return payload(async () => {
      const viewer = await findViewer(ctx, input.email.toLowerCase(), input.password)
      if (!viewer) throw new Refused('INVALID', 'E-mail and password fit no account.')
      return startSession(ctx, viewer)
    })
  }

  @Mutation(() => RenewTokenPayload, { description: 'Answers a new token for one that is still valid.' })
  renewToken(@Ctx() ctx: Context) {
    const { id } = requireViewer(ctx)
    return payload(async () => {
      const viewer = await renewViewer(ctx, id)
      if (!viewer) throw new Refused('NOT_ALLOWED', 'This account is not active.')
      return startSession(ctx, viewer)
    })
  }
}

async function startSession(ctx: Context, viewer: Viewer) {
  return { ...(await ctx.signIn(viewer)), user: await ctx.load(userById, viewer.id) }
}

export const users: Slice = {
  name: 'users',
  entities: [UserTable],
  resolvers: [UserResolver],
  nodes: [{ type: 'User', key: ['id'], find: (ctx, key) => ctx.load(userById, key) }],
  seed: seedUsers,
}
