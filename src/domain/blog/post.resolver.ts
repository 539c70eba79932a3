import { Arg, Args, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql'
import { z } from 'zod'
import { Failure } from '../../core/errors.js'
import { text } from '../../core/text.js'
import { readSearch } from '../../db/search.js'
import { Context, type Loaded, requireSelfOrAdmin, requireViewer } from '../../graph/context.js'
import { decodeId } from '../../graph/node.js'
import { loadPage, loadPageOf, type Page } from '../../graph/page.js'
import { payload, valid } from '../../graph/payload.js'
import { Needs } from '../../graph/projection.js'
import type { Slice } from '../../graph/slice.js'
import { userById } from '../users/user.data.js'
import { User, type UserRow } from '../users/user.entity.js'
import { CommentTable } from './comment.entity.js'
import { CommentResolver, commentNode, PostCommentsResolver } from './comment.resolver.js'
import {
  archivePost,
  createPost,
  deletePost,
  postById,
  posts,
  postsOfAuthor,
  postsOfTag,
  publishPost,
  updatePost,
  visiblePost,
} from './post.data.js'
import { Post, type PostRow, PostStatus, PostTable } from './post.entity.js'
import { warmPost } from './post.jobs.js'
import { seedBlog } from './post.seed.js'
import {
  ArchivePostInput,
  ArchivePostPayload,
  CreatePostInput,
  CreatePostPayload,
  DeletePostInput,
  DeletePostPayload,
  PostConnection,
  PostsArgs,
  PostsOfParentArgs,
  PublishPostInput,
  PublishPostPayload,
  UpdatePostInput,
  UpdatePostPayload,
} from './post.type.js'
import { exportPosts } from './post-export.data.js'
import { warmRecentPosts } from './recent-post.data.js'
import { tagBySlug } from './tag.data.js'
import { PostTagTable, Tag, type TagRow, TagTable } from './tag.entity.js'
import { PostTagsResolver, TagResolver, tagNode } from './tag.resolver.js'

const title = text().trim().min(1, 'A title has 1 to 200 characters.').max(200, 'A title has 1 to 200 characters.')
const body = text().max(50_000, 'A body has at most 50,000 characters.')
const tags = z.array(text()).max(10, 'A post has at most 10 tags.')
const createInput = z.object({ title, body, tags })
// An explicit null is an absent value: nothing here can be emptied but by an empty one.
const given = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => value ?? undefined, schema.optional())
const updateInput = z.object({ title: given(title), body: given(body), tags: given(tags) })

@Resolver(() => Post)
class PostResolver {
  @Query(() => Post, { nullable: true, description: 'The post of that id.' })
  post(
    @Arg('id', () => ID, { description: 'The id of a Post.' }) id: string,
    @Ctx() ctx: Context,
  ): Promise<PostRow | null> {
    return visiblePost(ctx, decodeId('Post', id))
  }

  @Query(() => PostConnection, { description: 'Published posts; with a filter, those that fit it.' })
  async posts(@Args(() => PostsArgs) args: PostsArgs, @Ctx() ctx: Context): Promise<Page<PostRow>> {
    const { tag: slug, status, author: authorId } = args.filter ?? {}
    const words = readSearch(args.filter?.text)
    const author = typeof authorId === 'string' ? decodeId('User', authorId) : undefined
    const isTagged = typeof slug === 'string'
    if (status && status !== PostStatus.PUBLISHED) {
      if (isTagged) throw new Failure('BAD_USER_INPUT', 'Only published posts can be filtered by tag.')
      return loadPage(ctx, posts, args, { [status]: true, author: unpublishedBy(ctx, author), text: words })
    }
    if (!isTagged) return loadPage(ctx, posts, args, { author, text: words })
    const tag = await ctx.load(tagBySlug, slug)
    // No tag has the nil UUID: an unknown slug is an empty page, with its arguments checked like any other's.
    return loadPage(ctx, postsOfTag, args, {
      parent: tag?.id ?? '00000000-0000-0000-0000-000000000000',
      author,
      text: words,
    })
  }

  @FieldResolver(() => String, { description: 'The beginning of the body, cut at a word.' })
  @Needs<PostRow>('body')
  excerpt(
    @Root() post: PostRow,
    @Arg('length', () => Int, { defaultValue: 160, description: 'At most so many characters: 1 to 1,000.' })
    length: number,
  ): string {
    if (length < 1 || length > 1000) throw new Failure('BAD_USER_INPUT', '`length` takes 1 to 1000.')
    return excerptOf(post.body, length)
  }

  @FieldResolver(() => User, { description: 'Who wrote it.' })
  @Needs<PostRow>('authorId')
  author(@Root() post: PostRow, @Ctx() ctx: Context): Loaded<UserRow | null> {
    return ctx.load(userById, post.authorId)
  }

  @Mutation(() => CreatePostPayload, { description: 'Writes a draft.' })
  createPost(@Arg('input', { description: 'The draft.' }) input: CreatePostInput, @Ctx() ctx: Context) {
    const viewer = requireViewer(ctx)
    return payload(async () => answer(ctx, await createPost(ctx, viewer, valid(createInput, input))))
  }

  @Mutation(() => UpdatePostPayload, { description: 'Changes a post of yours; administrators, any.' })
  updatePost(@Arg('input', { description: 'The changes.' }) input: UpdatePostInput, @Ctx() ctx: Context) {
    requireViewer(ctx)
    const id = decodeId('Post', input.id)
    return payload(async () => answer(ctx, await updatePost(ctx, id, valid(updateInput, input))))
  }

  @Mutation(() => PublishPostPayload, { description: 'Shows a post of yours to everybody.' })
  publishPost(@Arg('input', { description: 'Which post.' }) input: PublishPostInput, @Ctx() ctx: Context) {
    requireViewer(ctx)
    const id = decodeId('Post', input.id)
    return payload(async () => answer(ctx, await publishPost(ctx, id)))
  }

  @Mutation(() => ArchivePostPayload, { description: 'Takes a post of yours out of every list but your own.' })
  archivePost(@Arg('input', { description: 'Which post.' }) input: ArchivePostInput, @Ctx() ctx: Context) {
    requireViewer(ctx)
    const id = decodeId('Post', input.id)
    return payload(async () => answer(ctx, await archivePost(ctx, id)))
  }

  @Mutation(() => DeletePostPayload, { description: 'Deletes a post of yours, with its comments.' })
  deletePost(@Arg('input', { description: 'Which post.' }) input: DeletePostInput, @Ctx() ctx: Context) {
    requireViewer(ctx)
    const id = decodeId('Post', input.id)
    return payload(async () => {
      await deletePost(ctx, id)
      return { deletedId: input.id }
    })
  }
}

@Resolver(() => User)
class UserPostsResolver {
  @FieldResolver(() => PostConnection, { description: 'Their posts.' })
  @Needs<UserRow>('id')
  posts(
    @Root() user: UserRow,
    @Args(() => PostsOfParentArgs) args: PostsOfParentArgs,
    @Arg('status', () => PostStatus, {
      defaultValue: PostStatus.PUBLISHED,
      description: 'Others than PUBLISHED are for the user and administrators.',
    })
    status: PostStatus,
    @Ctx() ctx: Context,
  ): Loaded<Page<PostRow>> {
    if (status !== PostStatus.PUBLISHED) requireSelfOrAdmin(ctx, user.id)
    return loadPageOf(ctx, postsOfAuthor, user.id, args, { [status]: true })
  }
}

@Resolver(() => Tag)
class TagPostsResolver {
  @FieldResolver(() => PostConnection, { description: 'The published posts that carry it.' })
  @Needs<TagRow>('id')
  posts(
    @Root() tag: TagRow,
    @Args(() => PostsOfParentArgs) args: PostsOfParentArgs,
    @Ctx() ctx: Context,
  ): Loaded<Page<PostRow>> {
    return loadPageOf(ctx, postsOfTag, tag.id, args)
  }
}

/** The text, or where it is longer its beginning and `…`: cut at a word, and only where that is too long within it. */
function excerptOf(text: string, length: number): string {
  if (text.length <= length) return text
  const beforeWord = text
    .slice(0, length)
    .match(/^.*(?=\s)/s)?.[0]
    .trimEnd()
  // Half of a surrogate pair is no character.
  const cut = beforeWord || text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, '')
  return `${cut}…`
}

/** Whose unpublished posts may be listed: the viewer's own, or for administrators whoever is asked for. */
function unpublishedBy(ctx: Context, author: string | undefined): string | undefined {
  const viewer = requireViewer(ctx)
  if (viewer.role === 'ADMIN') return author
  if (author) requireSelfOrAdmin(ctx, author)
  return viewer.id
}

async function answer(ctx: Context, id: string) {
  return { post: await ctx.load(postById, id) }
}

export const blog: Slice = {
  name: 'blog',
  entities: [PostTable, TagTable, PostTagTable, CommentTable],
  resolvers: [
    PostResolver,
    UserPostsResolver,
    TagPostsResolver,
    TagResolver,
    PostTagsResolver,
    CommentResolver,
    PostCommentsResolver,
  ],
  nodes: [{ type: 'Post', key: ['id'], find: visiblePost }, tagNode, commentNode],
  warm: [warmRecentPosts],
  jobs: [warmPost],
  exports: [exportPosts],
  seed: seedBlog,
}
