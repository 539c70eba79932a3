import { ArgsType, Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql'
import { connectionOf, OrderDirection, PageArgs } from '../../graph/connection.js'
import { Payload } from '../../graph/payload.js'
import { Post, PostStatus } from './post.entity.js'

export const PostConnection = connectionOf(() => Post, 'Post', 'newest publication first')

export enum PostOrderField {
  PUBLISHED_AT = 'PUBLISHED_AT',
  CREATED_AT = 'CREATED_AT',
  TITLE = 'TITLE',
}
registerEnumType(PostOrderField, {
  name: 'PostOrderField',
  description: 'By what posts can be ordered.',
  valuesConfig: {
    PUBLISHED_AT: { description: 'By publication; what is not published counts as newest.' },
    CREATED_AT: { description: 'By when they were written.' },
    TITLE: { description: 'By headline.' },
  },
})

@InputType({ description: 'An order of posts.' })
export class PostOrder {
  @Field(() => PostOrderField, { description: 'By what.' })
  readonly field!: PostOrderField

  @Field(() => OrderDirection, { description: 'Which end first.' })
  readonly direction!: OrderDirection
}

@InputType({ description: 'Which posts; every given part must fit.' })
export class PostFilter {
  @Field(() => String, { nullable: true, description: 'The slug of a tag they carry.' })
  readonly tag?: string | null

  @Field(() => ID, { nullable: true, description: 'The id of their author.' })
  readonly author?: string | null

  @Field(() => PostStatus, {
    nullable: true,
    description: 'PUBLISHED unless given; others for their author and administrators.',
  })
  readonly status?: PostStatus | null

  @Field(() => String, {
    nullable: true,
    description: 'Words in title or body, as one types them into a search engine: at most 200 characters.',
  })
  readonly text?: string | null
}

@ArgsType()
export class PostsOfParentArgs extends PageArgs {
  @Field(() => PostOrder, { nullable: true, description: 'The order; newest publication first when not given.' })
  readonly orderBy?: PostOrder | null
}

@ArgsType()
export class PostsArgs extends PostsOfParentArgs {
  @Field(() => PostFilter, { nullable: true, description: 'Which posts.' })
  readonly filter?: PostFilter | null
}

@InputType({ description: 'A new draft.' })
export class CreatePostInput {
  @Field({ description: 'The headline: 1 to 200 characters.' })
  readonly title!: string

  @Field({ description: 'The text: up to 50,000 characters.' })
  readonly body!: string

  @Field(() => [String], { defaultValue: [], description: 'Slugs of up to 10 tags.' })
  readonly tags!: string[]
}

@InputType({ description: 'Changes to a post; what is not given stays.' })
export class UpdatePostInput {
  @Field(() => ID, { description: 'The id of the post.' })
  readonly id!: string

  @Field(() => String, { nullable: true, description: 'The new headline: 1 to 200 characters.' })
  readonly title?: string | null

  @Field(() => String, { nullable: true, description: 'The new text: up to 50,000 characters.' })
  readonly body?: string | null

  @Field(() => [String], { nullable: true, description: 'Slugs of up to 10 tags, in place of those it has.' })
  readonly tags?: string[] | null
}

/** What a mutation of one post that needs nothing but its id takes. */
@InputType()
abstract class PostIdInput {
  @Field(() => ID, { description: 'The id of the post.' })
  readonly id!: string
}

@InputType({ description: 'Which post to publish.' })
export class PublishPostInput extends PostIdInput {}

@InputType({ description: 'Which post to archive.' })
export class ArchivePostInput extends PostIdInput {}

@InputType({ description: 'Which post to delete.' })
export class DeletePostInput extends PostIdInput {}

/** What a mutation that leaves a post answers. */
@ObjectType()
abstract class PostPayload extends Payload {
  @Field(() => Post, { nullable: true, description: 'The post as it is now; null where there are errors.' })
  readonly post?: Post | null
}

@ObjectType({ description: 'The new draft.' })
export class CreatePostPayload extends PostPayload {}

@ObjectType({ description: 'The changed post.' })
export class UpdatePostPayload extends PostPayload {}

@ObjectType({ description: 'The published post.' })
export class PublishPostPayload extends PostPayload {}

@ObjectType({ description: 'The archived post.' })
export class ArchivePostPayload extends PostPayload {}

@ObjectType({ description: 'What was deleted.' })
export class DeletePostPayload extends Payload {
  @Field(() => ID, { nullable: true, description: 'The id that the post had; null where there are errors.' })
  readonly deletedId?: string | null
}
