import type { InferKyselyDB } from '@mikro-orm/postgresql'
import { type Kysely, sql } from 'kysely'
import { z } from 'zod'
import { param } from '../../db/statement.js'
import { defineExport } from '../../graph/export.js'
import { encodeId } from '../../graph/node.js'
import { DateTime, dateTime } from '../../graph/scalars.js'
import { PostStatus, type PostTable, publication } from './post.entity.js'

type Tables = InferKyselyDB<typeof PostTable>

/**
 * The published posts, newest publication first; with `since`, those published from then on. For anybody, as every one
 * of them is on the pages of `posts`.
 */
export const exportPosts = defineExport({
  name: 'posts',
  parameters: z.object({ since: dateTime().optional() }),
  mayRead: () => {},
  statement: (query: Kysely<Tables>, has) => {
    const published = sql<string>`${sql.raw(publication)}`
    const posts = query
      .selectFrom('posts')
      .select(['id', 'author_id as authorId', 'title', 'body', 'created_at as createdAt'])
      // Of what is published, it is the time of publication.
      .select(published.as('publishedAt'))
      .where('status', '=', sql.lit(PostStatus.PUBLISHED))
      .orderBy(published, 'desc')
      .orderBy('id', 'desc')
    return has('since') ? posts.where(published, '>=', param<string>('since')) : posts
  },
  line: ({ id, authorId, publishedAt, createdAt, ...post }) => ({
    id: encodeId('Post', id),
    authorId: encodeId('User', authorId),
    ...post,
    publishedAt: DateTime.serialize(publishedAt),
    createdAt: DateTime.serialize(createdAt),
  }),
})
