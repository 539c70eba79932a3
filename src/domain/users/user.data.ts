import type { InferKyselyDB } from '@mikro-orm/postgresql'
import { type Kysely, sql } from 'kysely'
import { v7 } from 'uuid'
import { hashPassword, verifyPassword } from '../../core/password.js'
import { violatedConstraint } from '../../db/failure.js'
import { anyOf, param } from '../../db/statement.js'
import type { Context, Viewer } from '../../graph/context.js'
import { defineLoader } from '../../graph/loader.js'
import { Refused } from '../../graph/payload.js'
import { defineQuery } from '../../graph/query.js'
import { Role, UserTable } from './user.entity.js'

type Tables = InferKyselyDB<typeof UserTable>

export const userById = defineLoader({
  name: 'userById',
  entity: UserTable,
  key: 'id',
  cached: ['users.id'],
  statement: (query: Kysely<Tables>, select) =>
    query.selectFrom('users').select(select('users')).where('users.id', '=', anyOf<string>('keys')),
})

const activeUserByEmail = defineQuery('activeUserByEmail', (query: Kysely<Tables>) =>
  query
    .selectFrom('users')
    .select(['users.id', 'users.role', 'users.password_hash as passwordHash'])
    .where('users.email', '=', param<string>('email'))
    .where('users.active', '=', sql.lit(true)),
)

const activeUserById = defineQuery('activeUserById', (query: Kysely<Tables>) =>
  query
    .selectFrom('users')
    .select(['users.id', 'users.role'])
    .where('users.id', '=', param<string>('id'))
    .where('users.active', '=', sql.lit(true)),
)

/** The new account's viewer. @throws Refused TAKEN where the e-mail has an account. */
export async function createUser(
  ctx: Context,
  input: { name: string; email: string; password: string },
): Promise<Viewer> {
  const { name, email, password } = input
  const viewer = { id: v7(), role: Role.USER }
  const passwordHash = await hashPassword(password)
  try {
    await ctx.write(async (tx) => {
      const joinedAt = new Date().toISOString()
      tx.em.create(UserTable, { ...viewer, name, email, active: true, passwordHash, joinedAt })
    })
  } catch (error) {
    if (violatedConstraint(error) !== 'users_email_unique') throw error
    throw new Refused('TAKEN', 'This e-mail address has an account already.', ['email'])
  }
  return viewer
}

/** The viewer of that e-mail and password; null where they fit no active account. */
export async function findViewer(ctx: Context, email: string, password: string): Promise<Viewer | null> {
  const [user] = await activeUserByEmail(ctx, { email })
  const known = await verifyPassword(password, user?.passwordHash)
  return known && user ? { id: user.id, role: user.role } : null
}

/** That viewer as the table knows it now; null where the account is no longer active. */
export async function renewViewer(ctx: Context, id: string): Promise<Viewer | null> {
  const [user] = await activeUserById(ctx, { id })
  return user ?? null
}
