import { expect, test } from 'vitest'
import type { RedisLevel, Said } from '../../src/cache/redis-level.js'
import { type Basis, stands, type Tag } from '../../src/cache/tag.js'
import { Tags } from '../../src/cache/tags.js'

/** A Redis that answers what `says` makes of the version offered to it; undefined where it does not answer. */
function levelOf(says: (offered: string) => string | undefined): RedisLevel {
  const read = async (keys: readonly string[], tags: readonly string[], fresh: string): Promise<Said | undefined> => {
    const version = says(fresh)
    return version === undefined ? undefined : { entries: keys.map(() => null), versions: tags.map(() => version) }
  }
  return { isUp: true, read } as RedisLevel
}

function basisOf(tag: Tag): Basis {
  return { at: Date.now(), tags: [tag], versions: [tag.version], decisive: 1 }
}

test('whoever holds a tag that was dropped does not learn by it any more', async () => {
  const tags = new Tags(
    levelOf(() => 'v1'),
    60_000,
  )
  const old = tags.get('posts.id:1')
  await tags.learn([old], [])
  const basis = basisOf(old)
  expect(stands(basis, performance.now())).toBe(true)
  tags.forgetAll()
  await tags.learn([old], [])
  // Redis says what it said. But of the next change the tag would not be told.
  tags.forget(['posts.id:1'])
  expect(stands(basis, performance.now())).toBe(false)
})

test('a version that Redis may yet be given by a late command is not one to go on with', async () => {
  let offered = ''
  const tags = new Tags(
    levelOf((fresh) => {
      if (offered) return offered
      offered = fresh
      return undefined
    }),
    0,
  )
  const tag = tags.get('posts')
  await tags.learn([tag], [])
  const { version } = tag
  await tags.learn([tag], [])
  expect(tag).toMatchObject({ version: offered, isShared: true })
  expect(version).not.toBe(offered)
})

test('a tag that was forgotten while its version was asked for stays unknown', async () => {
  const answer = Promise.withResolvers<Said>()
  const tags = new Tags({ isUp: true, read: () => answer.promise } as unknown as RedisLevel, 60_000)
  const tag = tags.get('posts')
  const learning = tags.learn([tag], [])
  tags.forget(['posts'])
  answer.resolve({ entries: [], versions: ['from before'] })
  await learning
  expect(tag.version).toBeUndefined()
})

test('what is being told is not asked of Redis, and is asked again once it is told', async () => {
  const tags = new Tags(
    levelOf(() => 'v1'),
    60_000,
  )
  const tag = tags.get('posts')
  tags.unsettle(['posts'])
  tags.unsettle(['posts'])
  for (let left = 2; left > 0; left--) {
    await tags.learn([tag], [])
    expect(tag).toMatchObject({ isShared: false })
    expect(tag.version).not.toBe('v1')
    tags.settle(['posts'])
  }
  await tags.learn([tag], [])
  expect(tag).toMatchObject({ version: 'v1', isShared: true })
})

test('versions of one’s own are never the same twice', async () => {
  const seen = new Set<string | undefined>()
  for (let process = 0; process < 3; process++) {
    const tags = new Tags(undefined, 0)
    for (let time = 0; time < 100; time++) {
      const tag = tags.get('posts')
      tags.forget(['posts'])
      await tags.learn([tag], [])
      seen.add(tag.version)
    }
  }
  expect(seen.size).toBe(300)
})
