import { parse } from 'graphql'
import { expect, test, vi } from 'vitest'
import { createDocumentStore } from '../../src/server/documents.js'
import { startHouse } from '../support.js'

const document = (length: number) => parse('{ a }'.padEnd(length, '#'))

async function kept(store: ReturnType<typeof createDocumentStore>, keys: string): Promise<string> {
  const found = await Promise.all([...keys].map(async (key) => ((await store.get(key)) ? key : '')))
  return found.join('')
}

test('the longest unused documents go first, by the length of their source', async () => {
  const store = createDocumentStore(100)
  for (const key of 'abcd') await store.set(key, document(25))
  expect(await kept(store, 'bcda')).toBe('bcda')
  await store.set('e', document(50))
  expect(await kept(store, 'abcde')).toBe('ade')
  await store.set('a', document(10))
  await store.set('f', document(15))
  expect(await kept(store, 'adef')).toBe('adef')
  await store.delete('e')
  await store.set('g', document(50))
  expect(await kept(store, 'adfg')).toBe('adfg')
})

test('a document that is longer than all may be is not kept', async () => {
  const store = createDocumentStore(100)
  await store.set('a', document(101))
  await store.set('b', document(100))
  expect(await kept(store, 'ab')).toBe('b')
})

test('the server keeps its documents there: no other store measures them', async () => {
  await using house = await startHouse()
  const stringify = vi.spyOn(JSON, 'stringify')
  expect((await house.query('{ __typename }')).data).toEqual({ __typename: 'Query' })
  const measured = stringify.mock.calls.filter(([value]) => value?.kind === 'Document')
  stringify.mockRestore()
  expect(measured).toEqual([])
})
