import { fill } from '../../graph/fill.js'
import { defineRandom, timeText } from '../../graph/random.js'
import type { Seeding } from '../../graph/slice.js'
import { NewsletterStatus, NewsletterTable, nobody } from './newsletter.entity.js'
import { seedSubscribers, subscriberCount, timeOfCount } from './subscriber.seed.js'

const random = defineRandom('newsletter')

/** Fills subscribers and newsletters. */
export async function seedNewsletter(seeding: Seeding): Promise<void> {
  await seedSubscribers(seeding)
  const of = Math.max(2, Math.round(24 * seeding.scale))
  await fill(seeding, {
    table: NewsletterTable,
    columns: {
      id: 'uuid',
      subject: 'text',
      text: 'text',
      status: 'text',
      sent: 'int',
      failed: 'int',
      total: 'int',
      last_subscriber: 'uuid',
      idempotency_key: 'text',
      created_at: 'timestamptz',
    },
    of,
    rows: newsletters(seeding, of),
  })
}

/** All of them sent, at equal distances. */
function* newsletters(seeding: Seeding, count: number) {
  for (let index = 0; index < count; index++) {
    const total = Math.floor((subscriberCount(seeding) * (index + 1)) / (count + 1))
    const time = timeOfCount(seeding, total)
    const draw = random(index)
    const failed = Math.floor((total * draw.unit()) / 100)
    yield {
      id: draw.uuid(time),
      subject: `News, number ${index + 1}`,
      text: 'What was written, what was asked, and what is new in the shop.',
      status: NewsletterStatus.SENT,
      sent: total - failed,
      failed,
      total,
      last_subscriber: nobody,
      idempotency_key: `seed-${index}`,
      created_at: timeText(time),
    }
  }
}
