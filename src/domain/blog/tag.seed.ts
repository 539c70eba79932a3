import { fill } from '../../graph/fill.js'
import { defineRandom, spread, timeText } from '../../graph/random.js'
import type { Seeding } from '../../graph/slice.js'
import { PostStatus } from './post.entity.js'
import { blogSpan, postCount, seededPost } from './publishing.seed.js'
import { PostTagTable, TagTable } from './tag.entity.js'

const random = defineRandom('tag')
const taggingRandom = defineRandom('tags of post')

/** How many tags ten posts in a row have: three each, on average. */
const tagsOfTen = [3, 2, 4, 3, 1, 5, 3, 3, 2, 4]

/** Fills tags. */
export async function seedTags(seeding: Seeding): Promise<void> {
  await fill(seeding, {
    table: TagTable,
    columns: { id: 'uuid', name: 'text', slug: 'text' },
    of: tagCount(seeding),
    rows: tags(seeding),
  })
}

/** Fills post_tags. */
export async function seedTaggings(seeding: Seeding): Promise<void> {
  const posts = postCount(seeding)
  await fill(seeding, {
    table: PostTagTable,
    columns: { post_id: 'uuid', tag_id: 'uuid', published_at: 'timestamptz' },
    of: Array.from({ length: posts % 10 }, (_, index) => tagsOfTen[index] as number).reduce(
      (sum, tags) => sum + tags,
      Math.floor(posts / 10) * 30,
    ),
    rows: taggings(seeding),
  })
}

/** The name of the tag that says most about a post. */
export function tagNameOfPost(seeding: Seeding, index: number): string {
  const [first] = tagsOfPost(seeding, index)
  return tagName(first as number)
}

/** A vocabulary grows with the root of what is written in it. */
function tagCount({ scale }: Seeding): number {
  return Math.max(10, Math.round(200 * Math.sqrt(scale)))
}

function* tags(seeding: Seeding) {
  for (let index = 0; index < tagCount(seeding); index++) {
    const name = tagName(index)
    yield { id: tagId(seeding, index), name, slug: name.toLowerCase().replaceAll(' ', '-') }
  }
}

function* taggings(seeding: Seeding) {
  for (let index = 0; index < postCount(seeding); index++) {
    const { id, status, publishedAt } = seededPost(seeding, index)
    const shown = status === PostStatus.PUBLISHED && publishedAt !== null ? timeText(publishedAt) : null
    for (const tag of tagsOfPost(seeding, index))
      yield { post_id: id, tag_id: tagId(seeding, tag), published_at: shown }
  }
}

function tagId(seeding: Seeding, index: number): string {
  return random(index).uuid(seeding.day - blogSpan)
}

/** Which tags a post carries, each once; few tags are on many posts. */
function tagsOfPost(seeding: Seeding, index: number): Set<number> {
  const draw = taggingRandom(index)
  const count = tagCount(seeding)
  const chosen = new Set<number>()
  while (chosen.size < (tagsOfTen[index % 10] as number)) chosen.add(spread(draw.rank(count, 0.9), count))
  return chosen
}

/** The subjects alone first, then each with an aspect, then numbered. */
function tagName(index: number): string {
  const subject = subjects[index % subjects.length] as string
  const round = Math.floor(index / subjects.length)
  const aspect = aspects[round % aspects.length] as string
  const edition = Math.floor(round / aspects.length)
  return [subject, aspect, edition > 0 ? String(edition + 1) : ''].filter(Boolean).join(' ')
}

const subjects = [
  ...['Databases', 'Caching', 'Queues', 'Networks', 'Testing', 'Typography', 'Gardening', 'Cycling', 'Baking'],
  ...['Photography', 'Woodwork', 'Astronomy', 'Chess', 'Sailing', 'Ceramics', 'Weather', 'Maps', 'Radio', 'Robotics'],
  ...['Cartography', 'Bees', 'Rivers', 'Libraries', 'Clocks', 'Bridges'],
]

const aspects = ['', 'basics', 'tools', 'history', 'mistakes', 'at home', 'in winter', 'for teams']
