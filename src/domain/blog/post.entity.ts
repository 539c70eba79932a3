import { defineEntity, p } from '@mikro-orm/core'
import { Field, ObjectType, registerEnumType } from 'type-graphql'
import { type Row, timestamp } from '../../db/row.js'
import { Node } from '../../graph/node.js'
import { DateTime } from '../../graph/scalars.js'
import { UserTable } from '../users/user.entity.js'

export enum PostStatus {
  DRAFT = 'DRAFT',
  PUBLISHED = 'PUBLISHED',
  ARCHIVED = 'ARCHIVED',
}
registerEnumType(PostStatus, {
  name: 'PostStatus',
  description: 'Who sees a post.',
  valuesConfig: {
    DRAFT: { description: 'Not published yet: its author and administrators.' },
    PUBLISHED: { description: 'Everybody.' },
    ARCHIVED: { description: 'No longer shown: its author and administrators.' },
  },
})

/** The order of publication as an expression that is never null: what is not published counts as newest. */
export const publication = "coalesce(published_at, 'infinity'::timestamptz)"

const published = "where status = 'PUBLISHED'"

export const PostTable = defineEntity({
  name: 'Post',
  tableName: 'posts',
  properties: {
    id: p.uuid().primary(),
    author: () => p.manyToOne(UserTable),
    status: p.enum(() => PostStatus),
    title: p.text(),
    body: p.text(),
    publishedAt: timestamp().nullable(),
    createdAt: timestamp(),
  },
  checks: [{ name: 'posts_published_when', expression: "status <> 'PUBLISHED' or published_at is not null" }],
  indexes: [
    // posts by PUBLISHED_AT
    {
      name: 'posts_published',
      expression: `create index posts_published on posts ((${publication}) desc, id desc) ${published}`,
    },
    // posts by CREATED_AT
    {
      name: 'posts_created',
      expression: `create index posts_created on posts (created_at desc, id desc) ${published}`,
    },
    // posts by TITLE
    { name: 'posts_title', expression: `create index posts_title on posts (title, id) ${published}` },
    // postsOfAuthor, and posts of an author, by PUBLISHED_AT
    {
      name: 'posts_author_published',
      expression: `create index posts_author_published on posts (author_id, (${publication}) desc, id desc) ${published}`,
    },
    // postsOfAuthor, and posts of an author, by CREATED_AT, in any status; the foreign key
    {
      name: 'posts_author_status_created',
      expression: 'create index posts_author_status_created on posts (author_id, status, created_at desc, id desc)',
    },
    // postsOfAuthor, and posts of an author, by TITLE
    {
      name: 'posts_author_title',
      expression: `create index posts_author_title on posts (author_id, title, id) ${published}`,
    },
    // posts that are not published, for administrators, by CREATED_AT
    {
      name: 'posts_status_created',
      expression:
        "create index posts_status_created on posts (status, created_at desc, id desc) where status <> 'PUBLISHED'",
    },
    // posts with a text
    {
      name: 'posts_text',
      expression: "create index posts_text on posts using gin (to_tsvector('simple', title || ' ' || body))",
    },
  ],
})
export type PostRow = Row<typeof PostTable>

@ObjectType({ implements: Node, description: 'An article.' })
export class Post extends Node implements Pick<PostRow, 'title' | 'body' | 'status' | 'publishedAt' | 'createdAt'> {
  @Field({ description: 'The headline.' })
  readonly title!: string

  @Field({ description: 'The text.' })
  readonly body!: string

  @Field(() => PostStatus, { description: 'Who sees it.' })
  readonly status!: PostStatus

  @Field(() => DateTime, { nullable: true, description: 'When it was published; null for a draft.' })
  readonly publishedAt!: string | null

  @Field(() => DateTime, { description: 'When it was written.' })
  readonly createdAt!: string
}
