import { LockMode } from '@mikro-orm/core'
import type { InferKyselyDB } from '@mikro-orm/postgresql'
import { type Kysely, sql } from 'kysely'
import { v7 } from 'uuid'
import { anyOf, param } from '../../db/statement.js'
import type { Transaction } from '../../db/transaction.js'
import { type Context, isSelfOrAdmin, type Viewer } from '../../graph/context.js'
import { definePage, type Keyset, type Scope } from '../../graph/keyset.js'
import { defineLoader } from '../../graph/loader.js'
import { Refused } from '../../graph/payload.js'
import { enqueue } from '../../jobs/enqueue.js'
import { CommentTable } from './comment.entity.js'
import { type PostRow, PostStatus, PostTable } from './post.entity.js'
import { warmPost } from './post.jobs.js'
import { PostTagTable, TagTable } from './tag.entity.js'

type Tables = InferKyselyDB<typeof PostTable | typeof PostTagTable | typeof TagTable | typeof CommentTable>

export const postById = defineLoader({
  name: 'postById',
  entity: PostTable,
  key: 'id',
  also: ['status', 'authorId'],
  cached: ['posts.id'],
  statement: (query: Kysely<Tables>, select) =>
    query.selectFrom('posts').select(select('posts')).where('posts.id', '=', anyOf<string>('keys')),
})

/** The post of that id, or null where the viewer may not see it. */
export async function visiblePost(ctx: Context, id: string): Promise<PostRow | null> {
  const post = await ctx.load(postById, id)
  if (!post || post.status === PostStatus.PUBLISHED) return post
  return isSelfOrAdmin(ctx, post.authorId) ? post : null
}

const id = ['posts.id', 'uuid'] as const
const orders = {
  PUBLISHED_AT: [[sql`coalesce(posts.published_at, 'infinity'::timestamptz)`, 'timestamptz'], id],
  CREATED_AT: [['posts.created_at', 'timestamptz'], id],
  TITLE: [['posts.title', 'text'], id],
} satisfies Record<string, Keyset<Tables>>

/** Posts of one status (a filter named after it: PUBLISHED when none is given), by `author`, with `text`. */
export const posts = definePage({
  name: 'posts',
  entity: PostTable,
  alias: 'posts',
  from: (query: Kysely<Tables>, scope) => {
    const rows = query.selectFrom('posts').where('posts.status', '=', statusOf(scope))
    const authored = scope.has('author') ? rows.where('posts.author_id', '=', param<string>('author')) : rows
    return scope.has('text') ? authored.where(matchesText) : authored
  },
  orders,
  defaultOrder: ['PUBLISHED_AT', 'DESC'],
  slowFilters: ['text'],
})

export const postsOfAuthor = definePage({
  name: 'postsOfAuthor',
  entity: PostTable,
  alias: 'posts',
  cached: ['posts.authorId'],
  from: (query: Kysely<Tables>, scope) =>
    query.selectFrom('posts').where('posts.author_id', '=', scope.parent).where('posts.status', '=', statusOf(scope)),
  orders,
  defaultOrder: ['PUBLISHED_AT', 'DESC'],
})

/** Published posts that carry a tag; by publication they are a range of the tag's index. */
export const postsOfTag = definePage({
  name: 'postsOfTag',
  entity: PostTable,
  alias: 'posts',
  cached: ['post_tags.tagId', 'posts'],
  from: (query: Kysely<Tables>, scope) => {
    const rows = query
      .selectFrom('post_tags')
      .innerJoin('posts', 'posts.id', 'post_tags.post_id')
      .where('post_tags.tag_id', '=', scope.parent)
      .where('post_tags.published_at', 'is not', null)
    const authored = scope.has('author') ? rows.where('posts.author_id', '=', param<string>('author')) : rows
    return scope.has('text') ? authored.where(matchesText) : authored
  },
  orders: {
    ...orders,
    PUBLISHED_AT: [
      ['post_tags.published_at', 'timestamptz'],
      ['post_tags.post_id', 'uuid'],
    ],
  },
  defaultOrder: ['PUBLISHED_AT', 'DESC'],
  slowFilters: ['text'],
})

const matchesText = sql<boolean>`to_tsvector('simple', posts.title || ' ' || posts.body) @@ websearch_to_tsquery('simple', ${param<string>('text')})`

/** Stands in the text, never as a parameter: the partial indexes need the constant. */
function statusOf(scope: Scope) {
  const status = Object.values(PostStatus).find((name) => scope.has(name)) ?? PostStatus.PUBLISHED
  return sql.lit(status)
}

/** What a post is written from; `tags` are slugs. */
export interface PostInput {
  readonly title: string
  readonly body: string
  readonly tags: readonly string[]
}

/** The new draft's id. @throws Refused INVALID where a tag is unknown. */
export function createPost(ctx: Context, viewer: Viewer, input: PostInput): Promise<string> {
  return ctx.write(async (tx) => {
    const tags = await findTags(tx, input.tags)
    const id = v7()
    const post = tx.em.create(PostTable, {
      id,
      author: viewer.id,
      status: PostStatus.DRAFT,
      title: input.title,
      body: input.body,
      createdAt: new Date().toISOString(),
    })
    for (const tag of tags) tx.em.create(PostTagTable, { post, tag })
    return id
  })
}

/** Changes what `input` names. @throws Refused NOT_FOUND, NOT_ALLOWED, or INVALID where a tag is unknown. */
export function updatePost(ctx: Context, id: string, input: Partial<PostInput>): Promise<string> {
  return ctx.write(async (tx) => {
    const post = await findOwnPost(ctx, tx, id)
    if (input.title !== undefined) post.title = input.title
    if (input.body !== undefined) post.body = input.body
    if (input.tags) await replaceTags(tx, id, input.tags, publicationOf(post))
    return id
  })
}

/** Publishes a draft or an archived post; one that is published stays as it is. */
export function publishPost(ctx: Context, id: string): Promise<string> {
  return setStatus(ctx, id, PostStatus.PUBLISHED)
}

/** Takes a post out of every list but its author's; one that was never published is refused. */
export function archivePost(ctx: Context, id: string): Promise<string> {
  return setStatus(ctx, id, PostStatus.ARCHIVED)
}

/** Deletes a post with its comments. @throws Refused NOT_FOUND or NOT_ALLOWED. */
export function deletePost(ctx: Context, id: string): Promise<string> {
  return ctx.write(async (tx) => {
    const post = await findOwnPost(ctx, tx, id)
    await tx.sql(
      (query: Kysely<Tables>) =>
        query.deleteFrom('comments').where('post_id', '=', id).returning(['id', 'author_id as author']),
      (rows) => [
        { table: 'comments', kind: 'delete', rows: rows.length, keys: rows.map((row) => ({ ...row, post: id })) },
      ],
    )
    for (const tagging of await tx.em.find(PostTagTable, { post: id })) tx.em.remove(tagging)
    tx.em.remove(post)
    return id
  })
}

function setStatus(ctx: Context, id: string, status: PostStatus.PUBLISHED | PostStatus.ARCHIVED): Promise<string> {
  return ctx.write(async (tx) => {
    const post = await findOwnPost(ctx, tx, id)
    if (post.status === PostStatus.DRAFT && status === PostStatus.ARCHIVED)
      throw new Refused('NOT_ALLOWED', 'A draft cannot be archived: delete it, or publish it first.', ['id'])
    post.status = status
    post.publishedAt ??= new Date().toISOString()
    for (const tagging of await tx.em.find(PostTagTable, { post: id })) tagging.publishedAt = publicationOf(post)
    if (status === PostStatus.PUBLISHED) enqueue(tx, warmPost, { id })
    return id
  })
}

async function findOwnPost(ctx: Context, tx: Transaction, id: string) {
  const post = await tx.em.findOne(PostTable, id, { lockMode: LockMode.PESSIMISTIC_WRITE })
  const own = post && isSelfOrAdmin(ctx, post.author.id)
  if (post && own) return post
  if (post?.status === PostStatus.PUBLISHED) throw new Refused('NOT_ALLOWED', 'This post is not yours.', ['id'])
  throw new Refused('NOT_FOUND', 'There is no such post.', ['id'])
}

async function findTags(tx: Transaction, slugs: readonly string[]) {
  const tags = await tx.em.find(TagTable, { slug: { $in: [...new Set(slugs)] } })
  const known = new Set(tags.map((tag) => tag.slug))
  const unknown = slugs.find((slug) => !known.has(slug))
  if (unknown !== undefined) throw new Refused('INVALID', `There is no tag "${unknown}".`, ['tags'])
  return tags
}

async function replaceTags(tx: Transaction, postId: string, slugs: readonly string[], publishedAt: string | null) {
  const tags = await findTags(tx, slugs)
  const taggings = await tx.em.find(PostTagTable, { post: postId })
  for (const tagging of taggings) if (!tags.some((tag) => tag.id === tagging.tag.id)) tx.em.remove(tagging)
  for (const tag of tags)
    if (!taggings.some((tagging) => tagging.tag.id === tag.id))
      tx.em.create(PostTagTable, { post: postId, tag, publishedAt })
}

function publicationOf(post: { status: PostStatus; publishedAt?: string | null }): string | null {
  return post.status === PostStatus.PUBLISHED ? (post.publishedAt ?? null) : null
}
