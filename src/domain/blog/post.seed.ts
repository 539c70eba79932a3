import { fill } from '../../graph/fill.js'
import { defineRandom, timeText } from '../../graph/random.js'
import type { Seeding } from '../../graph/slice.js'
import { pickUser } from '../users/user.seed.js'
import { seedComments } from './comment.seed.js'
import { PostTable } from './post.entity.js'
import { writeBody, writeTitle } from './prose.seed.js'
import { postCount, seededPost } from './publishing.seed.js'
import { seedTaggings, seedTags, tagNameOfPost } from './tag.seed.js'

const textRandom = defineRandom('post text')

/** Fills tags, posts, post_tags and comments. */
export async function seedBlog(seeding: Seeding): Promise<void> {
  await seedTags(seeding)
  await fill(seeding, {
    table: PostTable,
    columns: {
      id: 'uuid',
      author_id: 'uuid',
      status: 'text',
      title: 'text',
      body: 'text',
      published_at: 'timestamptz',
      created_at: 'timestamptz',
    },
    of: postCount(seeding),
    rows: posts(seeding),
  })
  await seedTaggings(seeding)
  await seedComments(seeding)
}

function* posts(seeding: Seeding) {
  for (let index = 0; index < postCount(seeding); index++) {
    const { id, createdAt, status, publishedAt, draw } = seededPost(seeding, index)
    const text = textRandom(index)
    yield {
      id,
      author_id: pickUser(seeding, draw, createdAt, 0.95),
      status,
      title: writeTitle(text, tagNameOfPost(seeding, index)),
      body: writeBody(text, Math.floor(400 + 2_600 * text.unit() ** 2.5)),
      published_at: publishedAt === null ? null : timeText(publishedAt),
      created_at: timeText(createdAt),
    }
  }
}
