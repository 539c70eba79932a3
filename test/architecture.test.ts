import { readdir, readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  findCycles,
  findFloorFaults,
  findHabits,
  findLongFiles,
  findNameFaults,
  findNamesakes,
  findSliceFaults,
  type Sources,
} from './architecture.js'

let sources: Sources
beforeAll(async () => {
  sources = await readSources()
})

describe('in the house', () => {
  test('files import from their own room or a lower floor', () => expect(findFloorFaults(sources)).toEqual([]))
  test('slices import those before them', () => expect(findSliceFaults(sources)).toEqual([]))
  test('no imports go in a circle, of types neither', () => expect(findCycles(sources)).toEqual([]))
  test('names are of one kind and say something', () => expect(findNameFaults(sources)).toEqual([]))
  test('queries, loaders, pages and computed values have names of their own', () =>
    expect(findNamesakes(sources)).toEqual([]))
  test('files are short', () => expect(findLongFiles(sources)).toEqual([]))
  test('nothing is done that costs every field or hides where it comes from', () =>
    expect(findHabits(sources)).toEqual([]))
})

describe('it would be found out', () => {
  const slices = (list: string) => `import { a } from './a/one.resolver.js'
import { b } from './b/two.resolver.js'
export const slices: readonly Slice[] = [${list}]`
  const files = (texts: Record<string, string>): Sources =>
    new Map([
      ...['core/a', 'db/a', 'cache/a', 'jobs/a', 'graph/a', 'server/a', 'app', 'main', 'tools/a'].map(
        (name) => [`src/${name}.ts`, ''] as const,
      ),
      ...['a/one.data', 'a/one.resolver', 'b/two.data', 'b/two.resolver'].map(
        (name) => [`src/domain/${name}.ts`, ''] as const,
      ),
      ['src/domain/index.ts', slices('a, b')],
      ...Object.entries(texts),
    ])

  test.each([
    ['src/core/a.ts', `import { x } from '../db/a.js'`],
    ['src/db/a.ts', `import type { X } from '../graph/a.js'`],
    ['src/db/a.ts', `import {\n  type X,\n  y,\n} from '../graph/a.js'`],
    ['src/cache/a.ts', `import '../jobs/a.js'`],
    ['src/graph/a.ts', `const x = await import('../server/a.js')`],
    ['src/server/a.ts', `import { x } from '../domain/a/one.data.js'`],
    ['src/app.ts', `import { slices } from './domain/index.js'`],
    ['src/app.ts', `import { x } from './tools/a.js'`],
    ['src/tools/a.ts', `import { x } from '../../test/support.js'`],
    ['src/tools/a.ts', `import { x } from '../../bench/run.js'`],
    ['src/tools/a.ts', `import { x } from '../core/missing.js'`],
    ['src/other/a.ts', `import { x } from '../core/a.js'`],
  ])('%s: %s', (path, text) => expect(findFloorFaults(files({ [path]: text }))).toHaveLength(1))

  test('but not where it is right', () => {
    const right = files({
      'src/main.ts': `import { x } from './tools/a.js'\nimport { slices } from './domain/index.js'`,
      'src/domain/b/two.data.ts': `import { x } from '../a/one.data.js'\nimport { y } from '../../graph/a.js'`,
      'src/core/a.ts': `import { z } from 'zod'`,
    })
    for (const find of [findFloorFaults, findSliceFaults, findCycles, findNameFaults, findHabits])
      expect(find(right)).toEqual([])
  })

  test('a slice that imports a later one', () => {
    const early = { 'src/domain/a/one.data.ts': `import { x } from '../b/two.data.js'` }
    expect(findSliceFaults(files(early))).toHaveLength(1)
    expect(findSliceFaults(files({ ...early, 'src/domain/index.ts': slices('b, a') }))).toEqual([])
    expect(findSliceFaults(files({ ...early, 'src/domain/index.ts': slices('a') }))).toHaveLength(1)
  })

  test('a circle', () => {
    const circle = {
      'src/graph/a.ts': `import { x } from './b.js'`,
      'src/graph/b.ts': `import type { X } from './c.js'`,
      'src/graph/c.ts': `import { x } from './a.js'`,
    }
    expect(findCycles(files(circle))).toEqual(['src/graph/a.ts → src/graph/b.ts → src/graph/c.ts → src/graph/a.ts'])
  })

  test.each([
    ['src/graph/aB.ts', ''],
    ['src/graph/a_b.ts', ''],
    ['src/graph/a.data.ts', ''],
    ['src/domain/a/one.service.ts', ''],
    ['src/domain/a/one.ts', ''],
    ['src/graph/date-utils.ts', ''],
    ['src/shared/date.ts', ''],
    ['src/graph/a.ts', 'export class OrderManager {}'],
    ['src/graph/a.ts', 'abstract class BaseThing {}'],
    ['src/graph/a.ts', 'export interface IThing {}'],
  ])('the name in %s %s', (path, text) => expect(findNameFaults(files({ [path]: text })).length).toBeGreaterThan(0))

  test.each([
    ['src/graph/a.ts', 'if (process.env.X) {}', 'reads process.env'],
    ['src/core/config.ts', `if (variables.NODE_ENV === 'test') {}`, 'asks for NODE_ENV'],
    ['src/domain/a/one.data.ts', 'const rows = await orm.em.find(T, {})', 'reads by entities'],
    ['src/domain/a/one.data.ts', 'const row = await em.findOne(T, 1)', 'reads by entities'],
    ['src/server/a.ts', '  async willResolveField() {}', 'wraps every field'],
    ['src/server/a.ts', '  plugins: [ApolloServerPluginCacheControl()]', 'wraps every field'],
    ['src/graph/a.ts', 'await buildSchema({ globalMiddlewares: [x] })', 'has a global middleware'],
    ['src/domain/a/one.data.ts', 'const rows = await ctx.rooms.db.read(statement, {})', 'goes around the context'],
    ['src/graph/a.ts', 'let count = 0', 'keeps state in the module'],
    ['src/graph/a.ts', 'const known = new Map<string, number>()', 'keeps state in the module'],
    ['src/graph/a.ts', `export { x } from './b.js'`, 'hands on what another file exports'],
  ])('in %s: %s', (path, text, says) => {
    expect(findHabits(files({ [path]: text }))).toEqual([`${path} ${says}`])
    expect(findHabits(files({ [path]: 'await tx.em.find(T, {})' }))).toEqual([])
  })

  test.each([
    [`defineQuery('x', (query) => query)`, `defineSlowQuery(\n  'x',`, 1],
    [`defineLoader({\n  name: 'x',`, `defineQuery('x',`, 1],
    [`defineLoader({\n  entity: T,\n  name: 'x',`, `defineListLoader({ name: 'x',`, 2],
    [`definePage({\n  name: 'x',`, `defineSlowQuery('xCount',`, 1],
    [`definePage({\n  name: 'x',`, `defineComputed({ name: 'x', seconds },`, 1],
    [`defineComputed(\n  { name: 'x', seconds },`, `defineQuery('x',`, 0],
    [`defineQuery('x',`, `defineQuery('y',`, 0],
  ])('the name of two: %s and %s', (one, other, count) => {
    const named = { 'src/domain/a/one.data.ts': one, 'src/domain/b/two.data.ts': other }
    expect(findNamesakes(files(named))).toHaveLength(count)
  })

  test('a file of 251 lines', () => {
    expect(findLongFiles(files({ 'src/graph/a.ts': 'x\n'.repeat(251) }))).toEqual(['src/graph/a.ts has 251 lines'])
    expect(findLongFiles(files({ 'src/graph/a.ts': 'x\n'.repeat(250) }))).toEqual([])
  })
})

async function readSources(): Promise<Sources> {
  const names = (await readdir('src', { recursive: true })).filter((name) => name.endsWith('.ts')).sort()
  const paths = names.map((name) => `src/${name.replaceAll('\\', '/')}`)
  return new Map(await Promise.all(paths.map(async (path) => [path, await readFile(path, 'utf8')] as const)))
}
