import { describe, expect, test } from 'vitest'
import { tagsOf } from '../../src/cache/changes.js'
import type { Change } from '../../src/core/events.js'

const tables: Record<string, Map<string, string>> = {
  posts: new Map([
    ['id', 'id'],
    ['author', 'authorId'],
    ['authorId', 'authorId'],
  ]),
}
const tags = (...changes: Change[]) => tagsOf(changes, (table) => tables[table]).sort()
const change = (keys?: Change['keys'], rows = 1): Change => ({
  table: 'posts',
  kind: 'update',
  rows,
  ...(keys && { keys }),
})

describe('what a change touches', () => {
  test('the table, and the rows by each key, old and new, by either name', () => {
    expect(
      tags(
        change([
          { id: 'p', author: 'a' },
          { id: 'p', authorId: 'b' },
        ]),
      ),
    ).toEqual(['posts', 'posts.authorId:a', 'posts.authorId:b', 'posts.id:p'])
  })

  test('everything, where it does not say which rows', () => {
    expect(tags(change())).toEqual(['*'])
    expect(tags(change([]))).toEqual(['*'])
    expect(tags({ ...change([{ id: 'x' }]), table: 'unknown' })).toEqual(['*'])
    expect(tags(change([{ id: 'p', author: 'a' }]), change())).toEqual(['*'])
  })

  test('everything, where one of its keys is not told: a list may have its rows by that', () => {
    expect(tags(change([{ id: 'p' }]))).toEqual(['*'])
    expect(tags(change([{ author: 'a' }]))).toEqual(['*'])
  })

  test('nothing, where no row was changed', () => {
    expect(tags(change(undefined, 0))).toEqual([])
  })

  test('rows by keys that are numbers', () => {
    expect(tags(change([{ id: 7, author: 8n }]))).toEqual(['posts', 'posts.authorId:8', 'posts.id:7'])
  })

  test('no rows by a key that is null, nor by what is no key', () => {
    expect(tags(change([{ id: 'p', author: null, title: 'x' }]))).toEqual(['posts', 'posts.id:p'])
  })

  test('everything, where it is more than 500 tags', () => {
    const keys = (count: number) => Array.from({ length: count }, (_, index) => ({ id: `p${index}`, author: null }))
    expect(tags(change(keys(499)))).toHaveLength(500)
    expect(tags(change(keys(500)))).toEqual(['*'])
  })
})
