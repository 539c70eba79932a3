import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test as plainTest } from 'vitest'
import { testWith } from '../needs.js'
import { ownRedis } from '../redis/server.js'
import type * as Model from './model/describe-model.js'
import { tell } from './model/describe-model.js'

const root = join(import.meta.dirname, '../..')

/** What a mistake would be: one text of a file, and what stands there instead. */
export interface Sabotage {
  readonly file: string
  readonly instead: readonly [text: string, of: string]
  /** What the model says of it. */
  readonly breaks: RegExp
}

export const sabotages = {
  'no fence': {
    file: 'src/cache/tag.ts',
    instead: ['|| tag.version !== versions[index] ', ''],
    breaks: /\((a|b)\)/,
  },
  'told before the commit': {
    file: 'src/db/transaction.ts',
    instead: [
      'this.committed.unshift(await follow(this, this.changes))',
      '{ await (await follow(this, this.changes))(); await new Promise((done) => setTimeout(done, 30)) }',
    ],
    breaks: /\((a|b)\)/,
  },
  'versions of after the reading': {
    file: 'src/cache/cache.ts',
    instead: [
      `const bases = missing.map(({ rests }) => basisOf(rests as Rests))
    const keys = missing.map(({ key }) => key)
    const values = await fetch(keys)`,
      `const keys = missing.map(({ key }) => key)
    const values = await fetch(keys)
    await new Promise((done) => setTimeout(done, 30))
    await this.options.tags.learn(missing.flatMap(({ rests }) => (rests as Rests).tags), [])
    const bases = missing.map(({ rests }) => basisOf(rests as Rests))`,
    ],
    breaks: /\((a|b)\)/,
  },
  // Whoever finds none where it was deleted begins to count anew.
  'versions that count from zero': {
    file: 'src/cache/tags.ts',
    instead: ['return this.prefix + (++this.count).toString(36)', "return this.prefix ? '0' : String(++this.count)"],
    breaks: /\((a|b)\)/,
  },
  'no viewer in the key': {
    file: 'src/server/responses.ts',
    instead: ['keyOf(question, isPrivate ? scope : everybody)', 'keyOf(question, everybody)'],
    breaks: /\(c\)/,
  },
  'no scope for who joins': {
    file: 'src/server/flights.ts',
    instead: ['landed?.scope === everybody || landed?.scope === asking.scope', 'true'],
    breaks: /\(c\)/,
  },
} satisfies Record<string, Sabotage>

const rarity = {
  file: 'src/cache/demand.ts',
  instead: ['{ misses: 256, share: 0.1 }', '{ misses: 4, share: 2 }'],
} as const

/** That each of them still can be made. */
export function describeTexts(): void {
  plainTest.each(Object.entries({ ...sabotages, rarity }))('%s has its place', async (_, { file, instead: [text] }) => {
    expect((await readFile(join(root, file), 'utf8')).split(text)).toHaveLength(2)
  })
}

/** The model must find each of these in a copy of the house within so many seconds, starting with that seed or another. */
export function describeSabotages(names: readonly (keyof typeof sabotages)[], within: number): void {
  const test = testWith(ownRedis)
  const chosen = process.env.SABOTAGE ? names.filter((name) => name === process.env.SABOTAGE) : names
  describe('the model finds', () => {
    for (const name of chosen)
      test(
        name,
        async () => {
          const { breaks, ...sabotage } = sabotages[name]
          await using copy = await copyHouse(sabotage)
          const seed = Number(process.env.MODEL_SEED ?? Math.floor(Math.random() * 2 ** 31))
          const { broken, sequences, seconds } = await copy.play(seed, { sequences: 100_000, within })
          console.log(
            `${name}: MODEL_SEED ${seed}, ${sequences} sequences, ${seconds.toFixed(1)} s: ${broken?.wrongs[0]}`,
          )
          expect(broken?.wrongs.join('\n')).toMatch(breaks)
        },
        (within + 60) * 1_000,
      )
  })
}

/** The model must find nothing in a house that soon takes all its values for such as are seldom asked for again. */
export function describeRarity(within: number): void {
  const test = testWith(ownRedis)
  test(
    'what is kept from its second asking on breaks no promise',
    async () => {
      await using copy = await copyHouse(rarity)
      const seed = Number(process.env.MODEL_SEED ?? Math.floor(Math.random() * 2 ** 31))
      const outcome = await copy.play(seed, { sequences: 100_000, within })
      console.log(tell(outcome))
      expect(outcome.broken?.wrongs ?? [], `MODEL_SEED=${seed}\n${outcome.broken?.log.join('\n')}`).toEqual([])
      expect(outcome.hits.inMemory + outcome.hits.inRedis).toBeGreaterThan(0)
    },
    (within + 60) * 1_000,
  )
}

async function copyHouse({ file, instead: [text, of] }: Pick<Sabotage, 'file' | 'instead'>) {
  await mkdir(join(root, '.data'), { recursive: true })
  const folder = await mkdtemp(join(root, '.data/sabotage-'))
  await using copied = new AsyncDisposableStack()
  copied.defer(() => rm(folder, { recursive: true, force: true }))
  // With the compiler's settings, by which decorators are known.
  const tests = ['cache/model', 'redis/server.ts', 'needs.ts', 'ports.ts', 'settings.ts', 'tsconfig.json']
  const parts = ['tsconfig.json', 'src', ...tests.map((part) => `test/${part}`)]
  for (const part of parts) await cp(join(root, part), join(folder, part), { recursive: true })
  const original = await readFile(join(folder, file), 'utf8')
  expect(original.split(text), `${file} has that text once`).toHaveLength(2)
  await writeFile(
    join(folder, file),
    original.replace(text, () => of),
  )
  // Types of one name would be in it twice.
  Object.assign(globalThis, { TypeGraphQLMetadataStorage: undefined })
  const { play }: typeof Model = await import(join(folder, 'test/cache/model/describe-model.ts'))
  const kept = copied.move()
  return { play, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}
