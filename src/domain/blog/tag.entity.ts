import { defineEntity, p } from '@mikro-orm/core'
import { Field, ObjectType } from 'type-graphql'
import { type Row, timestamp } from '../../db/row.js'
import { Node } from '../../graph/node.js'
import { PostTable } from './post.entity.js'

export const TagTable = defineEntity({
  name: 'Tag',
  tableName: 'tags',
  properties: {
    id: p.uuid().primary(),
    name: p.text(),
    slug: p.text(),
  },
  uniques: [{ name: 'tags_slug_unique', properties: ['slug'] }], // tagBySlug
  indexes: [{ name: 'tags_name', expression: 'create index tags_name on tags (name, id)' }], // tags
})
export type TagRow = Row<typeof TagTable>

/** Which posts carry which tags, with the post's publication: a tag's page is then one range of one index. */
export const PostTagTable = defineEntity({
  name: 'PostTag',
  tableName: 'post_tags',
  primaryKeys: ['post', 'tag'],
  properties: {
    post: () => p.manyToOne(PostTable).primary().deleteRule('no action').updateRule('no action'), // tagsOfPost
    tag: () => p.manyToOne(TagTable).primary().deleteRule('no action').updateRule('no action'),
    /** The post's while it is PUBLISHED, else null. */
    publishedAt: timestamp().nullable(),
  },
  indexes: [
    // postsOfTag, and the foreign key
    {
      name: 'post_tags_tag_published',
      expression: 'create index post_tags_tag_published on post_tags (tag_id, published_at desc, post_id desc)',
    },
  ],
})

@ObjectType({ implements: Node, description: 'A subject that posts are about.' })
export class Tag extends Node implements Pick<TagRow, 'name' | 'slug'> {
  @Field({ description: 'The name to show.' })
  readonly name!: string

  @Field({ description: 'The name in addresses: lower case, unique.' })
  readonly slug!: string
}
