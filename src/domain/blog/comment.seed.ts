import { fill } from '../../graph/fill.js'
import { defineRandom, timeText } from '../../graph/random.js'
import type { Seeding } from '../../graph/slice.js'
import { pickUser } from '../users/user.seed.js'
import { CommentTable } from './comment.entity.js'
import { writeComment } from './prose.seed.js'
import { blogSpan, pickPost } from './publishing.seed.js'

const random = defineRandom('comment')

/** Fills comments, in the order they were written: those of one post stand apart on the disk, as they do in life. */
export async function seedComments(seeding: Seeding): Promise<void> {
  const of = Math.round(500_000 * seeding.scale)
  await fill(seeding, {
    table: CommentTable,
    columns: { id: 'uuid', post_id: 'uuid', author_id: 'uuid', body: 'text', created_at: 'timestamptz' },
    of,
    rows: comments(seeding, of),
  })
}

function* comments(seeding: Seeding, count: number) {
  for (let index = 0; index < count; index++) {
    const draw = random(index)
    const time = Math.floor(seeding.day - blogSpan * (1 - ((index + draw.unit()) / count) ** 0.6))
    const post = pickPost(seeding, draw, time)
    const createdAt = Math.max(time, (post.publishedAt ?? 0) + 1)
    yield {
      id: draw.uuid(createdAt),
      post_id: post.id,
      author_id: pickUser(seeding, draw, createdAt, 0.9),
      body: writeComment(draw),
      created_at: timeText(createdAt),
    }
  }
}
