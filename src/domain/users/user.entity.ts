import { defineEntity, p } from '@mikro-orm/core'
import { Field, ObjectType, registerEnumType } from 'type-graphql'
import { type Row, timestamp } from '../../db/row.js'
import { Node } from '../../graph/node.js'
import { DateTime } from '../../graph/scalars.js'

export enum Role {
  USER = 'USER',
  ADMIN = 'ADMIN',
}
registerEnumType(Role, {
  name: 'Role',
  description: 'What a user may do.',
  valuesConfig: { USER: { description: 'Their own things.' }, ADMIN: { description: 'Everything.' } },
})

export const UserTable = defineEntity({
  name: 'User',
  tableName: 'users',
  properties: {
    id: p.uuid().primary(),
    name: p.text(),
    email: p.text(),
    role: p.enum(() => Role),
    active: p.boolean().hidden(),
    passwordHash: p.text().hidden(),
    joinedAt: timestamp(),
  },
  uniques: [{ name: 'users_email_unique', properties: ['email'] }], // signUp's check
  indexes: [
    // activeUserByEmail, which reads nothing but this index
    {
      name: 'users_active_email',
      expression: 'create index users_active_email on users (email) include (id, role, password_hash) where active',
    },
  ],
})
export type UserRow = Row<typeof UserTable>

@ObjectType({ implements: Node, description: 'Somebody with an account.' })
export class User extends Node implements Pick<UserRow, 'name' | 'joinedAt'> {
  @Field({ description: 'The name shown to others.' })
  readonly name!: string

  @Field(() => DateTime, { description: 'When the account was made.' })
  readonly joinedAt!: string
}
