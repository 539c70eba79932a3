import { setTimeout as sleep } from 'node:timers/promises'
import { zstdDecompressSync } from 'node:zlib'
import request from 'supertest'
import { Arg, Ctx, ID, Int, Mutation, Query, Resolver } from 'type-graphql'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fact } from '../../src/core/events.js'
import { Context, type Viewer } from '../../src/graph/context.js'
import { decodeId, encodeId } from '../../src/graph/node.js'
import type { Slice } from '../../src/graph/slice.js'
import { thingById } from '../fixture/thing.data.js'
import { Thing, ThingTable } from '../fixture/thing.entity.js'
import { fillThings } from '../graph/things.js'
import { startHouse, type TestApp, tokenFor } from '../support.js'

const anna = { id: '01900000-0000-7000-8000-00000000000a', role: 'USER' } as const
const bert = { id: '01900000-0000-7000-8000-00000000000b', role: 'USER' } as const
const root = { id: '01900000-0000-7000-8000-00000000000c', role: 'ADMIN' } as const

@Resolver()
class WhoResolver {
  @Query(() => String, { nullable: true, description: 'Who asks.' })
  who(@Ctx() ctx: Context): string | null {
    return ctx.viewer && `${ctx.viewer.role} ${ctx.viewer.id}`
  }

  @Query(() => Thing, { nullable: true, description: 'A thing; a large one is for administrators.' })
  async seen(@Arg('id', () => ID, { description: 'Which.' }) id: string, @Ctx() ctx: Context) {
    const thing = await ctx.load(thingById, decodeId('Thing', id))
    return thing && thing.size > 10 && ctx.viewer?.role !== 'ADMIN' ? null : thing
  }

  @Query(() => String, { description: 'A token for whoever asks.' })
  async token(@Ctx() ctx: Context): Promise<string> {
    return (await ctx.signIn(anna)).token
  }

  private writes = 0
  @Query(() => Int, { description: 'How often it was asked, each of which writes.' })
  async counted(@Ctx() ctx: Context): Promise<number> {
    await ctx.write(async () => {})
    return ++this.writes
  }

  @Mutation(() => String, { nullable: true, description: 'Makes a thing of another size.' })
  async resize(
    @Arg('id', () => ID, { description: 'Which.' }) id: string,
    @Arg('size', () => Number, { description: 'How large.' }) size: number,
    @Ctx() ctx: Context,
  ) {
    await ctx.write(async (tx) => {
      const thing = await tx.em.findOne(ThingTable, decodeId('Thing', id))
      if (thing) thing.size = size
    })
    return id
  }
}

const who: Slice = { name: 'who', entities: [], resolvers: [WhoResolver], nodes: [] }

let house: TestApp
let small: string
let large: string
let box: string
beforeAll(async () => {
  house = await startHouse({ CACHE: 'on' }, [who])
  const [boxId = ''] = await fillThings(house, [
    { box: 0, size: 1, weight: '1', seenAt: null },
    { box: 0, size: 11, weight: '2', seenAt: null },
    ...Array.from({ length: 60 }, () => ({ box: 1, size: 5, weight: '3', seenAt: null })),
  ])
  box = encodeId('Box', boxId)
  const rows = await house.sql<{ id: string }>('select id from things where box_id = $1 order by size', [boxId])
  ;[small = '', large = ''] = rows.map(({ id }) => encodeId('Thing', id))
})
afterAll(() => house[Symbol.asyncDispose]())

let nth = 0
/** A document that nothing was answered to yet. */
const fresh = (document: string) => `${document} #${++nth}`
const ofThing = (id: string) => `{ thing(id: "${id}") { name size box { label } } }`
const resize = (id: string, size: number, as: Viewer) =>
  house.query('mutation ($id: ID!, $size: Float!) { resize(id: $id, size: $size) }', { id, size }, { as })

/** How many whole answers were kept meanwhile, and how many given again. */
const countsOf = async (work: () => Promise<unknown>) => {
  const counts = { kept: 0, again: 0 }
  const stops = [
    fact('cache.filled').listen(({ cache, entries }) => {
      if (cache === 'response') counts.kept += entries
    }),
    fact('cache.read').listen(({ cache, missing }) => {
      if (cache === 'response' && missing === 0) counts.again++
    }),
  ]
  await work()
  for (const stop of stops) stop()
  return counts
}

describe('an answer is given again', () => {
  test('to everybody, where nothing read the viewer', async () => {
    const document = fresh(ofThing(small))
    const first = await house.query(document)
    expect(first.statements.map(({ statement }) => statement)).toEqual(['thingById', 'boxById'])
    for (const as of [undefined, anna, bert, root]) {
      const again = await house.query(document, {}, as ? { as } : {})
      expect([again.statements, again.data]).toEqual([[], first.data])
    }
  })

  test('to the same viewer in the same role only, where something read the viewer', async () => {
    const document = fresh('{ who }')
    for (const as of [anna, bert, anna, root, { ...anna, role: 'ADMIN' as const }, anna])
      expect((await house.query(document, {}, { as })).data).toEqual({ who: `${as.role} ${as.id}` })
    expect((await house.query(document)).data).toEqual({ who: null })
    expect(await countsOf(() => house.query(document, {}, { as: bert }))).toEqual({ kept: 0, again: 1 })
    expect(await countsOf(() => house.query(document))).toEqual({ kept: 0, again: 1 })
  })

  test('not to who may not see it, though what is kept of others is the same question', async () => {
    const document = fresh(`{ seen(id: "${large}") { size } }`)
    for (let round = 0; round < 2; round++) {
      expect((await house.query(document, {}, { as: root })).data.seen).toEqual({ size: 11 })
      expect((await house.query(document, {}, { as: anna })).data.seen).toBeNull()
      expect((await house.query(document)).data.seen).toBeNull()
    }
  })
})

test('an answer is kept from its second asking on, where answers to its document seldom are asked for again', async () => {
  const document = fresh('query ($id: ID!) { thing(id: $id) { name } }')
  const ask = (number: number) =>
    house.query(document, { id: encodeId('Thing', `01900000-0000-7000-9000-${String(number).padStart(12, '0')}`) })
  const ofMany = (from: number, count: number) => async () => {
    for (let number = from; number < from + count; number++) await ask(number)
  }
  expect(await countsOf(ofMany(0, 256))).toEqual({ kept: 256, again: 0 })
  expect(await countsOf(ofMany(2_000, 20))).toEqual({ kept: 0, again: 0 })
  expect(await countsOf(ofMany(2_000, 20))).toEqual({ kept: 20, again: 0 })
  expect(await countsOf(ofMany(2_000, 20))).toEqual({ kept: 0, again: 20 })
  const fill = () =>
    house.app.cache?.values.demands.fill(ofMany(3_000, 20)) ?? Promise.reject(new Error('There is no cache.'))
  expect(await countsOf(fill)).toEqual({ kept: 20, again: 0 })
  // Who keeps answers too asks once, and by the head of the answer.
  const id = encodeId('Thing', '01900000-0000-7000-9000-000000009999')
  const search = new URLSearchParams({ query: document, variables: JSON.stringify({ id }) })
  const { headers } = await request(house.app.http).get(`/graphql?${search}`).set('apollo-require-preflight', 'true')
  expect([headers.etag, headers['cache-control']]).toEqual([expect.any(String), 'public, max-age=0, must-revalidate'])
})

describe('an answer is not given again', () => {
  test('once a write has changed what it shows, itself or who may see it', async () => {
    const document = fresh(`{ seen(id: "${small}") { size } }`)
    expect((await house.query(document)).data.seen).toEqual({ size: 1 })
    await resize(small, 2, bert)
    expect((await house.query(document)).data.seen).toEqual({ size: 2 })
    await resize(small, 12, bert)
    expect((await house.query(document)).data.seen).toBeNull()
    expect((await house.query(document, {}, { as: root })).data.seen).toEqual({ size: 12 })
    await resize(small, 1, bert)
    expect((await house.query(document, {}, { as: anna })).data.seen).toEqual({ size: 1 })
  })

  test('once something came into a list or left it, an empty one too', async () => {
    const list = fresh(`{ things(filter: { name: "new" }) { nodes { name } totalCount { count } } }`)
    const page = fresh(`{ box(id: "${box}") { things(first: 100) { nodes { name } } } }`)
    expect((await house.query(list)).data.things).toEqual({ nodes: [], totalCount: { count: 0 } })
    await house.query(page)
    await house.query(`mutation { addThing(input: { boxId: "${box}", name: "znew" }) { thing { id } } }`)
    await house.query(`mutation { addThing(input: { boxId: "${box}", name: "new" }) { thing { id } } }`)
    expect((await house.query(list)).data.things).toEqual({ nodes: [{ name: 'new' }], totalCount: { count: 1 } })
    expect((await house.query(page)).data.box.things.nodes).toContainEqual({ name: 'znew' })
  })

  test('where it has errors, is a mutation, or shows what no write tells of', async () => {
    const kept = async (work: () => Promise<unknown>) => (await countsOf(work)).kept
    expect(await kept(() => house.query(fresh('{ things(first: -1) { nodes { id } } }')))).toBe(0)
    expect(await kept(() => house.query(fresh('{ divide(by: 0) thing(id: "x") { id } }')))).toBe(0)
    expect(await kept(() => house.query(fresh('{ sleep(seconds: 0) }')))).toBe(0)
    expect(await kept(() => house.query(fresh('{ jobCounts { name } }'), {}, { as: root }))).toBe(0)
    expect(await kept(() => resize(small, 1, anna))).toBe(0)
    expect(await kept(() => house.query(fresh('{ counted }')))).toBe(0)
    expect(await kept(() => house.query(fresh('{ token }')))).toBe(0)
    expect(await kept(() => house.query(fresh(ofThing(small))))).toBe(1)
  })

  test('to other variables or another operation of the document', async () => {
    const document = fresh('query A($id: ID!) { thing(id: $id) { size } } query B($id: ID!) { thing(id: $id) { id } }')
    const send = (operationName: string, id: string) =>
      request(house.app.http).post('/graphql').send({ query: document, operationName, variables: { id } })
    for (let round = 0; round < 2; round++) {
      expect((await send('A', small)).body.data.thing).toEqual({ size: 1 })
      expect((await send('B', small)).body.data.thing).toEqual({ id: small })
      expect((await send('A', large)).body.data.thing).toEqual({ size: 11 })
    }
  })
})

describe('by GET', () => {
  const get = (document: string, headers: Record<string, string> = {}) =>
    request(house.app.http)
      .get('/graphql')
      .query({ query: document })
      .set({ 'apollo-require-preflight': 'yes', ...headers })

  test('the first answer and the next have the same head, and a tag that makes the body unnecessary', async () => {
    const document = fresh(ofThing(small))
    const first = await get(document)
    const second = await get(document)
    for (const name of ['etag', 'cache-control', 'vary', 'content-type', 'content-length'])
      expect(second.headers[name], name).toBe(first.headers[name])
    expect(first.headers['cache-control']).toBe('public, max-age=0, must-revalidate')
    expect(second.text).toBe(first.text)
    const tag = first.headers.etag as string
    // One tag is for every coding, so it must be a weak one.
    expect(tag).toMatch(/^W\/"[\w-]{22}"$/)
    for (const given of [tag, tag.slice(2), `"x", ${tag}`, '*']) {
      const answer = await get(document, { 'if-none-match': given })
      expect([answer.status, answer.text, answer.headers.etag]).toEqual([304, '', tag])
    }
    expect((await get(document, { 'if-none-match': '"other"' })).status).toBe(200)
    const other = fresh(ofThing(small))
    for (let round = 0; round < 2; round++) {
      const unseen = await get(other, { 'if-none-match': tag })
      expect([unseen.status, unseen.text]).toEqual([304, ''])
      const said = Object.keys(unseen.headers).filter((name) => name !== 'connection' && name !== 'date')
      expect(said.sort()).toEqual(['cache-control', 'etag', 'vary', 'x-request-id'])
    }
  })

  test('what is for one viewer is private, and varies by who asks', async () => {
    const authorization = `Bearer ${await tokenFor(anna)}`
    const document = fresh('{ who }')
    for (let round = 0; round < 2; round++) {
      const answer = await get(document, { authorization })
      expect(answer.headers['cache-control']).toBe('private, max-age=0, must-revalidate')
      expect(answer.headers.vary).toContain('authorization')
    }
  })

  test('what is refused is refused, whatever is kept', async () => {
    const document = fresh(ofThing(small))
    await get(document)
    expect((await request(house.app.http).get('/graphql').query({ query: document })).status).toBe(400)
    expect((await get(document, { authorization: 'Bearer x.y.z' })).status).toBe(401)
    expect((await get(document, { accept: 'text/html' })).status).toBe(406)
    expect((await get(document, { 'x-consistency-token': 'x' })).status).toBe(400)
  })

  test('errors are not for others to keep', async () => {
    const answer = await get('{ nothing }')
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.headers.etag).toBeUndefined()
  })
})

describe('compression', () => {
  // Superagent undoes brotli itself.
  const decoders = { br: (body: Buffer) => body, zstd: zstdDecompressSync }
  const ask = (document: string, encoding: string) =>
    request(house.app.http)
      .post('/graphql')
      .set('accept-encoding', encoding)
      .send({ query: document })
      .buffer(true)
      .parse((response, done) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk) => chunks.push(chunk)).on('end', () => done(null, Buffer.concat(chunks)))
      })

  let long: string
  beforeEach(() => {
    long = fresh('{ things(first: 50) { nodes { id weight } } }')
  })

  test.each(['br', 'zstd'] as const)('%s, for the first answer and for those after it', async (encoding) => {
    const plain = await house.query(long)
    for (let round = 0; round < 3; round++) {
      const answer = await ask(long, encoding)
      expect(answer.headers['content-encoding']).toBe(encoding)
      expect(answer.headers.vary).toContain('accept-encoding')
      expect(Number(answer.headers['content-length'])).toBeLessThan(JSON.stringify(plain.data).length / 2)
      expect(JSON.parse(decoders[encoding](answer.body).toString()).data).toEqual(plain.data)
    }
  })

  test('none for small bodies, nor where none is taken', async () => {
    expect((await ask(fresh('{ __typename }'), 'br')).headers['content-encoding']).toBeUndefined()
    expect((await ask(long, 'identity')).headers['content-encoding']).toBeUndefined()
    expect((await ask(long, 'br;q=0')).headers['content-encoding']).toBeUndefined()
  })
})

test('many who ask the same at once are answered by one computation', async () => {
  const document = fresh(`{ things(first: 3) { nodes { name } } }`)
  const answers = await Promise.all(Array.from({ length: 500 }, () => house.query(document)))
  expect(answers.flatMap(({ statements }) => statements)).toHaveLength(1)
  for (const { data } of answers) expect(data).toEqual(answers[0]?.data)
})

test('answers to one document that are for one viewer, and others that are for all, are both found at once', async () => {
  const document = fresh('query ($id: ID!) { seen(id: $id) { size name } }')
  const ask = (id: string, as: Viewer) => house.query(document, { id }, { as })
  for (const [id, as] of [
    [small, anna],
    [large, anna],
    [large, bert],
  ] as const)
    await ask(id, as)
  const rounds = async () => {
    for (const [id, as] of [
      [small, bert],
      [large, anna],
      [small, root],
      [large, bert],
    ] as const)
      expect((await ask(id, as)).statements).toEqual([])
  }
  expect(await countsOf(rounds)).toEqual({ kept: 0, again: 4 })
})

/** Who waits for a table, in this database alone: others have tests of their own. */
const waiting =
  'select from pg_locks join pg_database on oid = database where not granted and datname = current_database()'

test('many who wait for the answer of somebody who leaves are answered all the same', async () => {
  const document = fresh('{ things(first: 4) { nodes { name } } }')
  await house.sql('begin')
  await house.sql('lock table things in access exclusive mode')
  const leaving = request(house.app.http).post('/graphql').send({ query: document })
  const left = leaving.then(
    () => 'answered',
    () => 'left',
  )
  await expect.poll(() => house.sql(waiting)).toHaveLength(1)
  const answers = Promise.all(Array.from({ length: 100 }, () => house.query(document)))
  await sleep(100)
  leaving.abort()
  await sleep(100)
  await house.sql('rollback')
  for (const { data } of await answers) expect(data.things.nodes).toHaveLength(4)
  expect(await Promise.race([left, sleep(10, 'left')])).toBe('left')
})

test('many who ask the same for themselves at once are each answered for themselves', async () => {
  const document = fresh('{ who things(first: 3) { nodes { name } } }')
  const viewers = Array.from({ length: 60 }, (_, index) => [anna, bert, root][index % 3] as Viewer)
  const answers = await Promise.all(viewers.map((as) => house.query(document, {}, { as })))
  for (const [index, { data }] of answers.entries())
    expect(data.who).toBe(`${viewers[index]?.role} ${viewers[index]?.id}`)
})

// It fills the table anew.
test('many who ask at once after a write had overtaken the last answer are answered by one computation', async () => {
  const [other] = await fillThings(house, [{ box: 0, size: 1, weight: '1', seenAt: null }])
  const [row] = await house.sql<{ id: string }>('select id from things where box_id = $1', [other])
  const id = encodeId('Thing', row?.id as string)
  const document = fresh(ofThing(id))
  await house.sql('begin')
  await house.sql('lock table boxes in access exclusive mode')
  const overtaken = house.query(document)
  await expect.poll(() => house.sql(waiting)).toHaveLength(1)
  await resize(id, 7, bert)
  await house.sql('rollback')
  expect((await overtaken).statements).toHaveLength(2)
  const answers = await Promise.all(Array.from({ length: 100 }, () => house.query(document)))
  expect(answers.flatMap(({ statements }) => statements).length).toBeLessThanOrEqual(2)
  for (const { data } of answers) expect(data.thing.size).toBe(7)
})
