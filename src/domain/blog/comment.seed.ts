import { fill } from '../../graph/fill.js'
import { defineRandom, timeText } from '../../graph/random.js'
import type { Seeding } from '../../graph/slice.js'
import { pickUser } from '../users/user.seed.js'
import { CommentTable } from './comment.entity.js'
import { writeComment } from './prose.seed.js'
import { pickPost } from './publishing.seed.js'

const random = defineRandom('comment')

const month = 30 * 86_400e6

/** Fills comments; those of one post stand apart on the disk, as they do in life. */
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
    const { id, publishedAt } = pickPost(seeding, draw)
    // Most is said in the first days; nothing before the post, nothing after today began.
    const createdAt = Math.floor(publishedAt + 1 + Math.min(month, seeding.day - publishedAt) * draw.unit() ** 3)
    yield {
      id: draw.uuid(createdAt),
      post_id: id,
      author_id: pickUser(seeding, draw, createdAt, 0.9),
      body: writeComment(draw),
      created_at: timeText(createdAt),
    }
  }
}
