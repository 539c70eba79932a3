import { fill } from '../../graph/fill.js'
import { defineRandom, type Random, spread, timeText } from '../../graph/random.js'
import type { Seeding } from '../../graph/slice.js'
import { Role, UserTable } from './user.entity.js'

const random = defineRandom('user')

/** Users have joined for so many days, in microseconds, more and more of them. */
const span = 4 * 365 * 86_400e6

/** Everybody's password is "correct horse battery": hashing one takes long on purpose, ten thousand a minute. */
const passwordHash = '$scrypt$ln=15,r=8,p=3$liptBA96wKcGLbh7uLPAsQ$o_8sc-Kc_NGSZ5DBazyU6sYc_ddVDSweXwlSFc7GdiY'

/** The first two have addresses to sign in with: an administrator, and the user with the most posts and orders. */
const known = ['admin@example.com', 'user@example.com']

/** Fills users. */
export async function seedUsers(seeding: Seeding): Promise<void> {
  await fill(seeding, {
    table: UserTable,
    columns: {
      id: 'uuid',
      name: 'text',
      email: 'text',
      role: 'text',
      active: 'boolean',
      password_hash: 'text',
      joined_at: 'timestamptz',
    },
    of: userCount(seeding),
    rows: users(seeding),
  })
}

export function userCount({ scale }: Seeding): number {
  return Math.max(known.length, Math.round(10_000 * scale))
}

/** A user who had joined by that time (microseconds since 1970); few come often, `steepness` says how often. */
export function pickUser(seeding: Seeding, draw: Random, time: number, steepness: number): string {
  const count = userCount(seeding)
  const joined = Math.floor(count * ((time - seeding.day + span) / span) ** 1.5)
  let index = spread(draw.rank(count, steepness), count)
  for (let tries = 0; index >= joined && tries < 100; tries++) index = spread(draw.rank(count, steepness), count)
  return seededUser(seeding, index < joined ? index : 0).id
}

function* users(seeding: Seeding) {
  for (let index = 0; index < userCount(seeding); index++) {
    const { id, joinedAt, draw } = seededUser(seeding, index)
    const [first, last] = [draw.pick(firstNames), draw.pick(lastNames)]
    const host = draw.pick(['example.com', 'example.org', 'example.net'])
    yield {
      id,
      name: `${first} ${last}`,
      email: known[index] ?? `${first}.${last}.${index}@${host}`.toLowerCase(),
      role: index === 0 || draw.whole(1, 2_000) === 1 ? Role.ADMIN : Role.USER,
      active: index < known.length || draw.whole(1, 100) > 3,
      password_hash: passwordHash,
      joined_at: timeText(joinedAt),
    }
  }
}

function seededUser(seeding: Seeding, index: number) {
  const draw = random(index)
  const place = (index + (index < known.length ? 0 : draw.unit())) / userCount(seeding)
  const joinedAt = Math.floor(seeding.day - span + span * place ** (2 / 3))
  return { id: draw.uuid(joinedAt), joinedAt, draw }
}

const firstNames = (
  'Ada Amir Anna Anouk Bela Bruno Carla Chidi Clara Dario Dilara Edda Elif Emil Esra Farah Felix Finn Greta Hana Hugo ' +
  'Ida Ines Ivan Jana Joao Jonas Kaito Karim Lena Leo Lina Luca Maja Malik Marta Mateo Mina Nadia Nils Noor Olga Omar ' +
  'Paula Pavel Priya Rahel Ravi Rosa Samir Sofia Sven Tara Theo Uma Vera Wanda Yara Yusuf Zoe'
).split(' ')

const lastNames = (
  'Adeyemi Almeida Andersen Bauer Becker Bianchi Castro Chen Costa Dahl Demir Dubois Eriksen Farkas Ferrari Fischer ' +
  'Garcia Haddad Hansen Herrera Ibrahim Ivanova Jansen Kaya Keller Khan Kovacs Larsen Lindgren Lopez Marino Mbeki ' +
  'Meyer Moreau Nakamura Nguyen Novak Okafor Olsen Park Patel Petrova Ramos Rossi Sato Schmid Silva Singh Soto Suzuki ' +
  'Tanaka Vargas Varga Vogel Weber Wolf Yilmaz Zhang Ziegler Zimmer'
).split(' ')
