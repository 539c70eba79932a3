import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Viewer } from '../../src/graph/context.js'
import { encodeId } from '../../src/graph/node.js'
import { startBusiness, type TestApp } from '../support.js'

let app: TestApp
const author: Viewer = { id: randomUUID(), role: 'USER' }
const reader: Viewer = { id: randomUUID(), role: 'USER' }
const admin: Viewer = { id: randomUUID(), role: 'ADMIN' }
const viewers = { anonymous: undefined, reader, author, admin }

beforeAll(async () => {
  app = await startBusiness()
  for (const { id, role } of [author, reader, admin])
    await app.sql(
      "insert into users (id, name, email, role, active, password_hash, joined_at) values ($1, 'N', $2, $3, true, '', now())",
      [id, `${id}@example.com`, role],
    )
  for (const slug of ['node', 'sql', 'graphql'])
    await app.sql('insert into tags (id, name, slug) values ($1, $2, $2)', [randomUUID(), slug])
})
afterAll(() => app[Symbol.asyncDispose]())

const fields = 'id title body status publishedAt tags { slug } author { id }'
const create = `mutation ($input: CreatePostInput!) { createPost(input: $input) { post { ${fields} } errors { code message field } } }`
const update = `mutation ($input: UpdatePostInput!) { updatePost(input: $input) { post { ${fields} } errors { code field } } }`
const publish =
  'mutation ($input: PublishPostInput!) { publishPost(input: $input) { post { status publishedAt } errors { code } } }'
const archive =
  'mutation ($input: ArchivePostInput!) { archivePost(input: $input) { post { status } errors { code } } }'
const remove = 'mutation ($input: DeletePostInput!) { deletePost(input: $input) { deletedId errors { code } } }'
const comment =
  'mutation ($input: AddCommentInput!) { addComment(input: $input) { comment { id body post { id } author { id } } errors { code } } }'

async function draft(input: Record<string, unknown> = {}): Promise<string> {
  const { data } = await app.query(create, { input: { title: 'T', body: 'B', ...input } }, { as: author })
  return data.createPost.post.id
}

async function published(input: Record<string, unknown> = {}): Promise<string> {
  const id = await draft(input)
  await app.query(publish, { input: { id } }, { as: author })
  return id
}

const as = (viewer: Viewer | undefined) => (viewer ? { as: viewer } : {})

describe('writing', () => {
  test('a draft carries its author and tags', async () => {
    const { data } = await app.query(
      create,
      { input: { title: ' Title ', body: 'Body', tags: ['sql', 'node', 'sql'] } },
      { as: author },
    )
    expect(data.createPost).toMatchObject({
      post: { title: 'Title', status: 'DRAFT', publishedAt: null, author: { id: encodeId('User', author.id) } },
      errors: [],
    })
    expect(data.createPost.post.tags).toEqual([{ slug: 'node' }, { slug: 'sql' }])
  })

  test('what is wrong with a draft is named, and nothing of it is written', async () => {
    const before = await app.sql('select count(*) from posts')
    const long = await app.query(create, { input: { title: '', body: 'x'.repeat(50_001) } }, { as: author })
    expect(long.data.createPost.errors.map(({ field }: { field: string[] }) => field)).toEqual([['title'], ['body']])
    const tagged = await app.query(create, { input: { title: 'T', body: 'B', tags: ['node', 'none'] } }, { as: author })
    expect(tagged.data.createPost).toMatchObject({ post: null, errors: [{ code: 'INVALID', field: ['tags'] }] })
    expect(await app.sql('select count(*) from posts')).toEqual(before)
  })

  test('an update changes what it names', async () => {
    const id = await draft({ tags: ['sql', 'node'] })
    const { data } = await app.query(
      update,
      { input: { id, title: 'New', body: null, tags: ['graphql', 'sql'] } },
      { as: author },
    )
    expect(data.updatePost.post).toMatchObject({
      title: 'New',
      body: 'B',
      tags: [{ slug: 'graphql' }, { slug: 'sql' }],
    })
    expect((await app.query(update, { input: { id, tags: [] } }, { as: author })).data.updatePost.post.tags).toEqual([])
  })

  test('publishing is seen everywhere, the tags’ lists included, and archiving ends it', async () => {
    const id = await draft({ tags: ['graphql'] })
    const lists = `query ($author: ID!) {
      tag(slug: "graphql") { posts(first: 100) { nodes { id } } }
      tagged: posts(first: 100, filter: { tag: "graphql" }) { nodes { id } }
      posts(first: 100) { nodes { id } }
      user(id: $author) { posts(first: 100) { nodes { id } } }
    }`
    const seen = async () => {
      const { data } = await app.query(lists, { author: encodeId('User', author.id) })
      return [data.tag.posts, data.tagged, data.posts, data.user.posts].map((page) =>
        page.nodes.some((node: { id: string }) => node.id === id),
      )
    }
    expect(await seen()).toEqual([false, false, false, false])
    const { data } = await app.query(publish, { input: { id } }, { as: author })
    expect(data.publishPost.post).toEqual({ status: 'PUBLISHED', publishedAt: expect.any(String) })
    expect(await seen()).toEqual([true, true, true, true])
    const again = await app.query(publish, { input: { id } }, { as: author })
    expect(again.data.publishPost.post.publishedAt).toBe(data.publishPost.post.publishedAt)
    await app.query(archive, { input: { id } }, { as: author })
    expect(await seen()).toEqual([false, false, false, false])
  })

  test('a draft cannot be archived', async () => {
    const { data } = await app.query(archive, { input: { id: await draft() } }, { as: author })
    expect(data.archivePost).toEqual({ post: null, errors: [{ code: 'NOT_ALLOWED' }] })
  })

  test('a deleted post is gone with its comments', async () => {
    const id = await published({ tags: ['sql'] })
    const { data } = await app.query(comment, { input: { postId: id, body: 'C' } }, { as: reader })
    expect((await app.query(remove, { input: { id } }, { as: author })).data.deletePost).toEqual({
      deletedId: id,
      errors: [],
    })
    const gone = await app.query('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', {
      ids: [id, data.addComment.comment.id],
    })
    expect(gone.data.nodes).toEqual([null, null])
  })

  test.each([
    ['updatePost', update],
    ['publishPost', publish],
    ['archivePost', archive],
    ['deletePost', remove],
  ])('%s is for the author and administrators', async (name, document) => {
    const [hidden, shown] = [await draft(), await published()]
    const errorsOf = async (id: string, viewer: Viewer) =>
      (await app.query(document, { input: { id } }, { as: viewer })).data[name].errors.map(
        ({ code }: { code: string }) => code,
      )
    expect(await errorsOf(hidden, reader)).toEqual(['NOT_FOUND'])
    expect(await errorsOf(shown, reader)).toEqual(['NOT_ALLOWED'])
    expect(await errorsOf(encodeId('Post', randomUUID()), author)).toEqual(['NOT_FOUND'])
    expect(await errorsOf(shown, admin)).toEqual([])
    const { errors } = await app.query(document, { input: { id: shown } })
    expect(errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }])
  })

  test('a write answers a consistency token, a read does not', async () => {
    const { headers, extensions } = await app.query(create, { input: { title: 'T', body: 'B' } }, { as: author })
    expect(headers['x-consistency-token']).toBe(extensions.consistencyToken)
    const read = await app.query(
      '{ posts { nodes { id } } }',
      {},
      {
        headers: { 'x-consistency-token': extensions.consistencyToken },
      },
    )
    expect(read.errors).toBeUndefined()
    expect(read.headers['x-consistency-token']).toBeUndefined()
    const damaged = await app.query('{ __typename }', {}, { headers: { 'x-consistency-token': 'a.b' } })
    expect(damaged).toMatchObject({ status: 400, errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] })
  })
})

describe('commenting', () => {
  test('a comment shows its author and post, newest first', async () => {
    const postId = await published()
    for (const body of ['one', 'two', 'three']) await app.query(comment, { input: { postId, body } }, { as: reader })
    const { data } = await app.query(
      'query ($id: ID!) { post(id: $id) { comments(first: 2) { nodes { body author { id } } totalCount { count precision } } } }',
      { id: postId },
    )
    expect(data.post.comments).toEqual({
      nodes: ['three', 'two'].map((body) => ({ body, author: { id: encodeId('User', reader.id) } })),
      totalCount: { count: 3, precision: 'EXACT' },
    })
  })

  test('only a published post is commented on, by somebody, with something', async () => {
    const [hidden, shown] = [await draft(), await published()]
    expect(
      (await app.query(comment, { input: { postId: hidden, body: 'C' } }, { as: author })).data.addComment.errors,
    ).toEqual([{ code: 'NOT_FOUND' }])
    expect(
      (await app.query(comment, { input: { postId: shown, body: '  ' } }, { as: author })).data.addComment.errors,
    ).toEqual([{ code: 'INVALID' }])
    expect((await app.query(comment, { input: { postId: shown, body: 'C' } })).errors).toMatchObject([
      { extensions: { code: 'UNAUTHENTICATED' } },
    ])
  })
})

describe('who sees what is not published', () => {
  test.each(Object.entries(viewers))('a draft, as %s', async (name, viewer) => {
    const id = await draft()
    const visible = name === 'author' || name === 'admin'
    const { data } = await app.query(
      'query ($id: ID!) { post(id: $id) { id } node(id: $id) { id } }',
      { id },
      as(viewer),
    )
    expect(data).toEqual(visible ? { post: { id }, node: { id } } : { post: null, node: null })
  })

  test.each(Object.entries(viewers))('a comment of an archived post, as %s', async (name, viewer) => {
    const id = await published()
    const { data } = await app.query(comment, { input: { postId: id, body: 'C' } }, { as: reader })
    await app.query(archive, { input: { id } }, { as: author })
    const visible = name === 'author' || name === 'admin'
    const found = await app.query(
      'query ($id: ID!) { node(id: $id) { id } }',
      { id: data.addComment.comment.id },
      as(viewer),
    )
    expect(found.data.node !== null).toBe(visible)
  })

  test.each([
    ['anonymous', undefined, undefined, 'UNAUTHENTICATED'],
    ['reader', reader, author, 'FORBIDDEN'],
    ['reader, unfiltered', reader, undefined, 'none'],
    ['author', author, undefined, 'own'],
    ['admin', admin, author, 'own'],
  ] as const)('lists of drafts, as %s', async (_name, viewer, of, expected) => {
    const id = await draft()
    const filter = { status: 'DRAFT', author: of && encodeId('User', of.id) }
    const document = 'query ($filter: PostFilter) { posts(first: 100, filter: $filter) { nodes { id } } }'
    const { data, errors } = await app.query(document, { filter }, as(viewer))
    if (expected === 'own') expect(data.posts.nodes).toContainEqual({ id })
    else if (expected === 'none') expect(data.posts.nodes).toEqual([])
    else expect(errors).toMatchObject([{ extensions: { code: expected } }])
  })

  test('the drafts of a user, as somebody else, are refused', async () => {
    const document = 'query ($id: ID!) { user(id: $id) { posts(status: DRAFT) { nodes { id } } } }'
    const variables = { id: encodeId('User', author.id) }
    expect((await app.query(document, variables, { as: author })).data.user.posts.nodes.length).toBeGreaterThan(0)
    expect((await app.query(document, variables, { as: reader })).errors).toMatchObject([
      { extensions: { code: 'FORBIDDEN' } },
    ])
  })
})

describe('finding', () => {
  test('by words in title or body', async () => {
    const id = await published({ title: 'The zebra crossing', body: 'and a quokka' })
    const found = async (text: string) =>
      (await app.query('query ($text: String) { posts(filter: { text: $text }) { nodes { id } } }', { text })).data
        .posts.nodes
    for (const text of ['Zebra', 'quokka zebra', '"zebra crossing"', 'giraffe or quokka'])
      expect(await found(text)).toEqual([{ id }])
    for (const text of ['giraffe', 'zebra -quokka', '"crossing zebra"', '\'&|!()":*\\'])
      expect(await found(text)).toEqual([])
  })

  test('an excerpt ends at a word and keeps short texts whole', async () => {
    const id = await published({ body: 'one two three four' })
    const { data } = await app.query(
      'query ($id: ID!) { post(id: $id) { short: excerpt(length: 9) whole: excerpt } }',
      { id },
    )
    expect(data.post).toEqual({ short: 'one two…', whole: 'one two three four' })
    const { errors } = await app.query('query ($id: ID!) { post(id: $id) { excerpt(length: 0) } }', { id })
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
  })

  test.each([
    ['a text without spaces', '字'.repeat(500), 160, `${'字'.repeat(159)}…`],
    ['a word longer than that', `${'w'.repeat(500)} end`, 10, 'wwwwwwwww…'],
    ['a line', 'one\ntwo three', 9, 'one\ntwo…'],
    ['a text that begins with spaces', `   ${'w'.repeat(20)}`, 10, '   wwwwww…'],
    ['surrogate pairs', '😀'.repeat(100), 10, '😀😀😀😀…'],
    ['one character', 'one two', 1, '…'],
  ])('an excerpt of %s keeps to its length', async (_name, body, length, excerpt) => {
    const id = await published({ body })
    const document = 'query ($id: ID!, $length: Int!) { post(id: $id) { excerpt(length: $length) } }'
    expect((await app.query(document, { id, length })).data.post.excerpt).toBe(excerpt)
  })

  test.each(['none', ''])('the tag "%s" is unknown: null, its posts an empty page', async (slug) => {
    await published()
    const { data } = await app.query(
      `query ($slug: String!) {
        tag(slug: $slug) { id } posts(filter: { tag: $slug }) { nodes { id } totalCount { count } }
      }`,
      { slug },
    )
    expect(data).toEqual({ tag: null, posts: { nodes: [], totalCount: { count: 0 } } })
  })

  test.each(['PUBLISHED', 'DRAFT'])('an author without an id is no author, of what is %s too', async (status) => {
    const filter = { author: '', status }
    const { errors } = await app.query(
      'query ($filter: PostFilter) { posts(filter: $filter) { nodes { id } } }',
      { filter },
      { as: author },
    )
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
  })
})
