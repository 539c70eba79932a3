import { fill } from '../../graph/fill.js'
import { defineRandom, timeText } from '../../graph/random.js'
import type { Seeding } from '../../graph/slice.js'
import { SubscriberTable } from './subscriber.entity.js'

const random = defineRandom('subscriber')

/** The newsletter has been there for so long, in microseconds. */
const span = 2 * 365 * 86_400e6

/** Fills subscribers. */
export async function seedSubscribers(seeding: Seeding): Promise<void> {
  const of = subscriberCount(seeding)
  await fill(seeding, {
    table: SubscriberTable,
    columns: { id: 'uuid', email: 'text', subscribed_at: 'timestamptz' },
    of,
    rows: subscribers(seeding, of),
  })
}

export function subscriberCount({ scale }: Seeding): number {
  return Math.round(20_000 * scale)
}

/** When there were so many, and the next one was still to come; in microseconds since 1970. */
export function timeOfCount(seeding: Seeding, count: number): number {
  return Math.floor(seeding.day - span * (1 - count / subscriberCount(seeding)))
}

function* subscribers({ day }: Seeding, count: number) {
  for (let index = 0; index < count; index++) {
    const draw = random(index)
    const time = Math.floor(day - span * (1 - (index + draw.unit()) / count))
    const host = draw.pick(['example.com', 'example.org', 'example.net'])
    yield {
      id: draw.uuid(time),
      email: `${draw.pick(['reader', 'friend', 'office', 'hello', 'mail'])}.${index}@${host}`,
      subscribed_at: timeText(time),
    }
  }
}
