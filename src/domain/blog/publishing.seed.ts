import { defineRandom, type Random, spread } from '../../graph/random.js'
import type { Seeding } from '../../graph/slice.js'
import { PostStatus } from './post.entity.js'

const random = defineRandom('post')

const day = 86_400e6
const week = 7 * day

/** Posts have been written for so long, in microseconds, a little more of them every day. */
export const blogSpan = 3 * 365 * day

export function postCount({ scale }: Seeding): number {
  return Math.max(1, Math.round(100_000 * scale))
}

/** What other rows need of a post; times in microseconds since 1970. */
export function seededPost(seeding: Seeding, index: number) {
  const draw = random(index)
  const place = (index + draw.unit()) / postCount(seeding)
  const createdAt = Math.floor(seeding.day - blogSpan * (1 - place ** 0.8))
  const status = statusAt(index, draw.unit())
  const publishedAt = status === PostStatus.DRAFT ? null : publication(seeding, createdAt, draw.unit(), draw.unit())
  return { id: draw.uuid(createdAt), createdAt, status, publishedAt, draw }
}

/** A published post: half of the time any, old or new, else one of the few that are picked often. */
export function pickPost(seeding: Seeding, draw: Random) {
  const count = postCount(seeding)
  for (let tries = 0; tries < 100; tries++) {
    const index = draw.unit() < 0.5 ? draw.whole(0, count - 1) : spread(draw.rank(count, 0.9), count)
    const { status, publishedAt, id } = seededPost(seeding, index)
    if (status === PostStatus.PUBLISHED && publishedAt !== null) return { id, publishedAt }
  }
  throw new Error('No post is published.')
}

/** The first post is always there: no scale is without one. */
function statusAt(index: number, chance: number): PostStatus {
  if (index === 0 || chance < 0.9) return PostStatus.PUBLISHED
  return chance < 0.97 ? PostStatus.DRAFT : PostStatus.ARCHIVED
}

/** Up to three days after it was written, most sooner; one in twenty waits for Monday at nine, beside others. */
function publication(seeding: Seeding, createdAt: number, delay: number, chance: number): number {
  const ready = Math.floor(createdAt + Math.min(3 * day, seeding.day - createdAt) * delay ** 3)
  // 1970 began on a Thursday.
  const monday = 4 * day + 9 * 3_600e6
  const slot = Math.ceil((ready - monday) / week) * week + monday
  return chance < 0.05 && slot < seeding.day ? slot : ready
}
