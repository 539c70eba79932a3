import { defineEntity, p } from '@mikro-orm/core'
import { Field, ObjectType } from 'type-graphql'
import { type Row, timestamp } from '../../db/row.js'
import { Node } from '../../graph/node.js'
import { DateTime } from '../../graph/scalars.js'
import { UserTable } from '../users/user.entity.js'
import { PostTable } from './post.entity.js'

export const CommentTable = defineEntity({
  name: 'Comment',
  tableName: 'comments',
  properties: {
    id: p.uuid().primary(),
    post: () => p.manyToOne(PostTable),
    author: () => p.manyToOne(UserTable).index('comments_author'), // the foreign key
    body: p.text(),
    createdAt: timestamp(),
  },
  indexes: [
    // commentsOfPost, and the foreign key
    {
      name: 'comments_post_created',
      expression: 'create index comments_post_created on comments (post_id, created_at desc, id desc)',
    },
  ],
})
export type CommentRow = Row<typeof CommentTable>

@ObjectType({ implements: Node, description: 'What somebody said about a post.' })
export class Comment extends Node implements Pick<CommentRow, 'body' | 'createdAt'> {
  @Field({ description: 'The text.' })
  readonly body!: string

  @Field(() => DateTime, { description: 'When it was written.' })
  readonly createdAt!: string
}
