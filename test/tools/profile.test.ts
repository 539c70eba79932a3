import type { Profiler } from 'node:inspector'
import { expect, test } from 'vitest'
import { parseOperation, readOperation, valuesAt } from '../../src/tools/operation-file.js'
import { sharesByPackage } from '../../src/tools/package-shares.js'

const frame = (functionName: string, url = '') => ({ functionName, url, scriptId: '0', lineNumber: 0, columnNumber: 0 })

test('a profile is told by package, what is built in with its caller, and without idle time', () => {
  const profile: Profiler.Profile = {
    nodes: [
      { id: 1, callFrame: frame('(root)'), children: [2, 3, 5, 6, 7] },
      { id: 2, callFrame: frame('(idle)') },
      { id: 3, callFrame: frame('query', 'file:///house/node_modules/pg/lib/client.js'), children: [4] },
      { id: 4, callFrame: frame('get'), hitCount: 1 },
      { id: 5, callFrame: frame('load', 'file:///house/dist/graph/loader.js') },
      { id: 6, callFrame: frame('run', 'file:///house/node_modules/a/node_modules/@scope/b/index.js') },
      { id: 7, callFrame: frame('writev', 'node:net') },
    ],
    startTime: 0,
    endTime: 160,
    samples: [2, 3, 4, 5, 6, 7, 2],
    timeDeltas: [0, 60, 20, 30, 10, 30, 10],
  }
  expect(sharesByPackage(profile)).toEqual([
    { name: 'pg', share: 0.5 },
    { name: '@scope/b', share: 0.3 },
    { name: 'this: graph', share: 0.1 },
    { name: 'node', share: 0.1 },
  ])
})

test('an operation may say how it is sent', () => {
  const document = '# from: { a { b { id } } }\n# each: a.b\n# as: ADMIN\nquery Q($id: ID!) { c(id: $id) }\n'
  expect(parseOperation(document)).toEqual({
    document,
    from: '{ a { b { id } } }',
    each: 'a.b',
    as: 'ADMIN',
    documents: 1,
  })
  expect(parseOperation('# documents: 7\nquery Q { a }')).toMatchObject({ from: undefined, documents: 7 })
})

test('variables are found in lists of lists', () => {
  const answer = { a: [{ b: [{ id: 1 }, { id: 2 }] }, { b: null }, null, { b: [{ id: 3 }] }] }
  expect(valuesAt(answer, 'a.b')).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }])
})

test('an operation that there is not is refused', async () => {
  await expect(readOperation('nothing')).rejects.toThrow('There is no operation "nothing"')
})
