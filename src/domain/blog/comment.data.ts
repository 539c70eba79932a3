import { LockMode } from '@mikro-orm/core'
import type { InferKyselyDB } from '@mikro-orm/postgresql'
import type { Kysely } from 'kysely'
import { v7 } from 'uuid'
import { anyOf } from '../../db/statement.js'
import type { Context, Viewer } from '../../graph/context.js'
import { definePage } from '../../graph/keyset.js'
import { defineLoader } from '../../graph/loader.js'
import { Refused } from '../../graph/payload.js'
import { CommentTable } from './comment.entity.js'
import { PostStatus, PostTable } from './post.entity.js'

type Tables = InferKyselyDB<typeof CommentTable>

export const commentById = defineLoader({
  name: 'commentById',
  entity: CommentTable,
  key: 'id',
  also: ['postId'],
  cached: ['comments.id'],
  statement: (query: Kysely<Tables>, select) =>
    query.selectFrom('comments').select(select('comments')).where('comments.id', '=', anyOf<string>('keys')),
})

export const commentsOfPost = definePage({
  name: 'commentsOfPost',
  entity: CommentTable,
  alias: 'comments',
  cached: ['comments.postId'],
  from: (query: Kysely<Tables>, { parent }) => query.selectFrom('comments').where('comments.post_id', '=', parent),
  orders: {
    CREATED_AT: [
      ['comments.created_at', 'timestamptz'],
      ['comments.id', 'uuid'],
    ],
  },
  defaultOrder: ['CREATED_AT', 'DESC'],
})

/** The new comment's id. @throws Refused NOT_FOUND where the post is not published. */
export function addComment(ctx: Context, viewer: Viewer, input: { postId: string; body: string }): Promise<string> {
  return ctx.write(async (tx) => {
    const where = { id: input.postId, status: PostStatus.PUBLISHED }
    const post = await tx.em.findOne(PostTable, where, { lockMode: LockMode.PESSIMISTIC_READ })
    if (!post) throw new Refused('NOT_FOUND', 'There is no such post.', ['postId'])
    const id = v7()
    tx.em.create(CommentTable, { id, post, author: viewer.id, body: input.body, createdAt: new Date().toISOString() })
    return id
  })
}
