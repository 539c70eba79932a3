import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Change, fact } from '../../src/core/events.js'
import { fill } from '../../src/graph/fill.js'
import { defineRandom } from '../../src/graph/random.js'
import type { Seeding, Slice } from '../../src/graph/slice.js'
import { showProgress } from '../../src/tools/progress.js'
import { seed } from '../../src/tools/seed.js'
import { BoxTable } from '../fixture/thing.entity.js'
import { fixture } from '../fixture/thing.resolver.js'
import { startHouse, type TestApp } from '../support.js'

const random = defineRandom('box')
const boxes: Slice = {
  ...fixture,
  seed: (seeding) =>
    fill(seeding, {
      table: BoxTable,
      columns: { id: 'uuid', label: 'text', secret: 'text' },
      of: 5_000 * seeding.scale,
      rows: labels(seeding),
    }),
}

function* labels({ scale, day }: Seeding) {
  for (let index = 0; index < 5_000 * scale; index++)
    yield { id: random(index).uuid(day), label: `"{${index}},\\`, secret: '' }
}

let app: TestApp
beforeAll(async () => {
  app = await startHouse()
})
afterAll(() => app[Symbol.asyncDispose]())
beforeEach(() => app.sql('truncate boxes cascade'))

test('tables that hold rows are refused and left as they are', async () => {
  await seed(app.app.db, [boxes], { scale: 0.001 })
  const refused = seed(app.app.db, [boxes], { scale: 1 })
  await expect(refused).rejects.toThrow(/^The database holds rows \(boxes 5\) and was left as it is/)
  expect(await app.sql('select count(*)::int as n from boxes')).toEqual([{ n: 5 }])
})

test('reset empties them first', async () => {
  await seed(app.app.db, [boxes], { scale: 0.001 })
  await seed(app.app.db, [boxes], { scale: 0.002, reset: true })
  expect(await app.sql('select count(*)::int as n from boxes')).toEqual([{ n: 10 }])
})

test('a missing table says what to do', async () => {
  await app.sql('alter table boxes rename to crates')
  try {
    await expect(seed(app.app.db, [boxes], { scale: 0.001 })).rejects.toThrow('run "npm run db:migrate" first')
  } finally {
    await app.sql('alter table crates rename to boxes')
  }
})

test('every row is written as it was made, in chunks that are declared and told', async () => {
  const changes: Change[] = []
  const stop = fact('transaction.committed').listen((committed) => changes.push(...committed.changes))
  const told: [string, number, number][] = []
  await seed(app.app.db, [boxes], { scale: 1, progress: (...progress) => told.push(progress) })
  stop()

  const today = Math.floor(Date.now() / 86_400_000) * 86_400_000_000
  const made = [...labels({ scale: 1, day: today } as Seeding)]
  expect(await app.sql('select id, label, secret from boxes order by label')).toEqual(
    made.sort((a, b) => (a.label < b.label ? -1 : 1)),
  )
  expect(changes.sort((a, b) => b.rows - a.rows)).toEqual(
    [2_000, 2_000, 1_000].map((rows) => ({ table: 'boxes', kind: 'insert', rows })),
  )
  expect(told.map(([table, done]) => `${table} ${done}`)).toContain('boxes 5000')
})

test('a chunk that fails ends the seed', async () => {
  const twice: Slice = {
    ...boxes,
    seed: (seeding) => Promise.resolve(boxes.seed?.(seeding)).then(() => boxes.seed?.(seeding)),
  }
  await expect(seed(app.app.db, [twice], { scale: 0.001 })).rejects.toThrow('boxes_pkey')
})

test('progress is a bar on a terminal and a line a table elsewhere', () => {
  const written = (isTTY: boolean) => {
    const lines: string[] = []
    const progress = showProgress({ isTTY, write: (text: string) => Boolean(lines.push(text)) })
    progress('posts', 500, 2_000)
    progress('posts', 2_000, 2_000)
    return lines
  }
  expect(written(false)).toEqual(['posts: 2,000\n'])
  expect(written(true)).toEqual([
    expect.stringContaining(`posts           ${'█'.repeat(7)}${'░'.repeat(23)} 500 of 2,000`),
    expect.stringContaining(`posts           ${'█'.repeat(30)} 2,000 of 2,000`),
  ])
})
