import { buildSchema, parse } from 'graphql'
import { expect, test } from 'vitest'
import { findPaths } from '../../src/graph/paths.js'

const schema = buildSchema(`
  interface Node { id: ID! }
  type Post implements Node { id: ID! author: User related: [Post] }
  type User implements Node { id: ID! name: String posts: [Post] }
  type Query { posts: [Post] node: Node user: User }
`)
const paths = (document: string, coordinate: string) => findPaths(schema, parse(document), coordinate)

test('a field is found wherever it is selected, by the names of the answer', () => {
  const document = '{ posts { author { name } related { writer: author { name } } } user { posts { author { id } } } }'
  expect(paths(document, 'Post.author')).toEqual(['posts.author', 'posts.related.writer', 'user.posts.author'])
  expect(paths(document, 'Query.posts')).toEqual(['posts'])
  expect(paths(document, 'User.posts')).toEqual(['user.posts'])
})

test('in a fragment its path begins with the fragment', () => {
  const document = '{ posts { ...Parts } } fragment Parts on Post { author { name } }'
  expect(paths(document, 'Post.author')).toEqual(['...Parts.author'])
})

test('through an interface it is found for each type behind it', () => {
  expect(paths('{ node { id ... on Post { author { name } } } }', 'Post.id')).toEqual(['node.id'])
  expect(paths('{ node { id ... on Post { author { name } } } }', 'Post.author')).toEqual(['node.author'])
})

test('what is not selected, or not there, is nowhere', () => {
  expect(paths('{ posts { id } }', 'Post.author')).toEqual([])
  expect(paths('{ posts { id } }', 'Nothing.at')).toEqual([])
})
