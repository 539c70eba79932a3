import { Arg, Args, Ctx, Field, FieldResolver, ID, InputType, Mutation, ObjectType, Resolver, Root } from 'type-graphql'
import { z } from 'zod'
import { text } from '../../core/text.js'
import { connectionOf, PageArgs } from '../../graph/connection.js'
import { Context, type Loaded, requireViewer } from '../../graph/context.js'
import { decodeId, type NodeDefinition } from '../../graph/node.js'
import { loadPageOf, type Page } from '../../graph/page.js'
import { Payload, payload, valid } from '../../graph/payload.js'
import { Needs } from '../../graph/projection.js'
import { userById } from '../users/user.data.js'
import { User, type UserRow } from '../users/user.entity.js'
import { addComment, commentById, commentsOfPost } from './comment.data.js'
import { Comment, type CommentRow } from './comment.entity.js'
import { visiblePost } from './post.data.js'
import { Post, type PostRow } from './post.entity.js'

const CommentConnection = connectionOf(() => Comment, 'Comment', 'newest first')

@InputType({ description: 'A new comment.' })
class AddCommentInput {
  @Field(() => ID, { description: 'The id of the post.' })
  readonly postId!: string

  @Field({ description: 'The text: 1 to 5,000 characters.' })
  readonly body!: string
}

@ObjectType({ description: 'The new comment.' })
class AddCommentPayload extends Payload {
  @Field(() => Comment, { nullable: true, description: 'The comment; null where there are errors.' })
  readonly comment?: Comment | null
}

const body = text()
  .trim()
  .min(1, 'A comment has 1 to 5,000 characters.')
  .max(5000, 'A comment has 1 to 5,000 characters.')

@Resolver(() => Comment)
export class CommentResolver {
  @FieldResolver(() => User, { description: 'Who said it.' })
  @Needs<CommentRow>('authorId')
  author(@Root() comment: CommentRow, @Ctx() ctx: Context): Loaded<UserRow | null> {
    return ctx.load(userById, comment.authorId)
  }

  @FieldResolver(() => Post, { nullable: true, description: 'What it is about; null where you may not see that.' })
  @Needs<CommentRow>('postId')
  post(@Root() comment: CommentRow, @Ctx() ctx: Context): Promise<PostRow | null> {
    return visiblePost(ctx, comment.postId)
  }

  @Mutation(() => AddCommentPayload, { description: 'Comments on a published post.' })
  addComment(@Arg('input', { description: 'The comment.' }) input: AddCommentInput, @Ctx() ctx: Context) {
    const viewer = requireViewer(ctx)
    const postId = decodeId('Post', input.postId)
    return payload(async () => {
      const id = await addComment(ctx, viewer, { postId, ...valid(z.object({ body }), input) })
      return { comment: await ctx.load(commentById, id) }
    })
  }
}

@Resolver(() => Post)
export class PostCommentsResolver {
  @FieldResolver(() => CommentConnection, { description: 'What was said about it.' })
  @Needs<PostRow>('id')
  comments(@Root() post: PostRow, @Args(() => PageArgs) args: PageArgs, @Ctx() ctx: Context): Loaded<Page<CommentRow>> {
    return loadPageOf(ctx, commentsOfPost, post.id, args)
  }
}

/** A comment is seen by whoever sees its post. */
async function visibleComment(ctx: Context, id: string): Promise<CommentRow | null> {
  const comment = await ctx.load(commentById, id)
  return comment && (await visiblePost(ctx, comment.postId)) ? comment : null
}

export const commentNode: NodeDefinition = { type: 'Comment', key: ['id'], find: visibleComment }
