import { Arg, Args, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql'
import { connectionOf, PageArgs } from '../../graph/connection.js'
import { Context, type Loaded } from '../../graph/context.js'
import type { NodeDefinition } from '../../graph/node.js'
import { loadPage, type Page } from '../../graph/page.js'
import { Needs } from '../../graph/projection.js'
import { Post, type PostRow } from './post.entity.js'
import { tagById, tagBySlug, tags, tagsOfPost } from './tag.data.js'
import { Tag, type TagRow } from './tag.entity.js'

const TagConnection = connectionOf(() => Tag, 'Tag', 'by name')

@Resolver(() => Tag)
export class TagResolver {
  @Query(() => Tag, { nullable: true, description: 'The tag of that slug.' })
  tag(
    @Arg('slug', { description: 'The name in addresses.' }) slug: string,
    @Ctx() ctx: Context,
  ): Loaded<TagRow | null> {
    return ctx.load(tagBySlug, slug)
  }

  @Query(() => TagConnection, { description: 'All tags.' })
  tags(@Args(() => PageArgs) args: PageArgs, @Ctx() ctx: Context): Promise<Page<TagRow>> {
    return loadPage(ctx, tags, args)
  }
}

@Resolver(() => Post)
export class PostTagsResolver {
  @FieldResolver(() => [Tag], { description: 'What it is about, by name.' })
  @Needs<PostRow>('id')
  tags(@Root() post: PostRow, @Ctx() ctx: Context): Loaded<TagRow[]> {
    return ctx.load(tagsOfPost, post.id)
  }
}

export const tagNode: NodeDefinition = { type: 'Tag', key: ['id'], find: (ctx, key) => ctx.load(tagById, key) }
