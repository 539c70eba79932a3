import type { InferKyselyDB } from '@mikro-orm/postgresql'
import { type Kysely, sql } from 'kysely'
import type { Transaction } from '../../db/transaction.js'
import type { UserTable } from '../users/user.entity.js'
import type { CommentTable } from './comment.entity.js'
import type { PostTable } from './post.entity.js'
import type { PostTagTable, TagTable } from './tag.entity.js'

type Tables = InferKyselyDB<
  typeof PostTable | typeof PostTagTable | typeof TagTable | typeof CommentTable | typeof UserTable
>

/** Reads whatever the page of a post shows, so that it is in the database's memory. */
export async function readPostPage(tx: Transaction, id: string): Promise<void> {
  await tx.sql(
    (query: Kysely<Tables>) =>
      query
        .selectFrom('posts')
        .innerJoin('users', 'users.id', 'posts.author_id')
        .leftJoin('post_tags', 'post_tags.post_id', 'posts.id')
        .leftJoin('tags', 'tags.id', 'post_tags.tag_id')
        .leftJoin('comments', 'comments.post_id', 'posts.id')
        .select(sql<number>`count(posts) + count(users) + count(tags) + count(comments)`.as('read'))
        .where('posts.id', '=', id),
    [],
  )
}
