import type { InferKyselyDB } from '@mikro-orm/postgresql'
import type { Kysely } from 'kysely'
import { anyOf } from '../../db/statement.js'
import { definePage } from '../../graph/keyset.js'
import { defineListLoader, defineLoader } from '../../graph/loader.js'
import { PostTagTable, TagTable } from './tag.entity.js'

type Tables = InferKyselyDB<typeof TagTable | typeof PostTagTable>

export const tagById = defineLoader({
  name: 'tagById',
  entity: TagTable,
  key: 'id',
  cached: ['tags.id'],
  statement: (query: Kysely<Tables>, select) =>
    query.selectFrom('tags').select(select('tags')).where('tags.id', '=', anyOf<string>('keys')),
})

export const tagBySlug = defineLoader({
  name: 'tagBySlug',
  entity: TagTable,
  key: 'slug',
  cached: ['tags'],
  statement: (query: Kysely<Tables>, select) =>
    query.selectFrom('tags').select(select('tags')).where('tags.slug', '=', anyOf<string>('keys')),
})

export const tagsOfPost = defineListLoader({
  name: 'tagsOfPost',
  entity: TagTable,
  key: 'postId',
  cached: ['post_tags.postId', 'tags'],
  statement: (query: Kysely<Tables>, select) =>
    query
      .selectFrom('post_tags')
      .innerJoin('tags', 'tags.id', 'post_tags.tag_id')
      .select('post_tags.post_id as postId')
      .select(select('tags'))
      .where('post_tags.post_id', '=', anyOf<string>('keys'))
      .orderBy('tags.name')
      .orderBy('tags.id'),
})

export const tags = definePage({
  name: 'tags',
  entity: TagTable,
  alias: 'tags',
  from: (query: Kysely<Tables>) => query.selectFrom('tags'),
  orders: {
    NAME: [
      ['tags.name', 'text'],
      ['tags.id', 'uuid'],
    ],
  },
  defaultOrder: ['NAME', 'ASC'],
})
