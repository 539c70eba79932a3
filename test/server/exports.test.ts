import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Environment } from '../../src/core/config.js'
import { type Facts, fact } from '../../src/core/events.js'
import { currentRequest } from '../../src/core/request.js'
import { encodeId } from '../../src/graph/node.js'
import { startHouse, type TestApp, tokenFor } from '../support.js'
import { exporting } from './numbers.js'

const admin = { authorization: `Bearer ${await tokenFor({ id: randomUUID(), role: 'ADMIN' })}` }
const start = (config: Environment = {}) => startHouse(config, [exporting])

const ask = (house: TestApp, path: string, options: RequestInit = {}) =>
  fetch(`${house.app.url}/exports/${path}`, options)
const linesOf = async (response: Response) =>
  (await response.text())
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
const refusal = async (response: Response) => {
  const [{ message, extensions }] = (await response.json()).errors
  return [response.status, extensions.code, message]
}

/** The connections of exports, as the database sees them. */
const connectionsOf = (house: TestApp) =>
  house.sql<{ state: string }>(
    `select state from pg_stat_activity where datname = current_database() and application_name = 'plumbline export'`,
  )
const hasConnections = (house: TestApp, count: number, timeout = 1_000) =>
  expect.poll(async () => (await connectionsOf(house)).length, { timeout, interval: 20 }).toBe(count)

/** An answer that nobody reads yet. */
async function openUnread(house: TestApp, path: string, headers = {}): Promise<IncomingMessage> {
  const request = get(`${house.app.url}/exports/${path}`, { headers })
  // Where its connection is reset, the response says so too.
  request.on('error', () => {})
  const [response] = await once(request, 'response')
  response.on('error', () => {})
  return response
}

describe('an export', () => {
  let house: TestApp
  const box = randomUUID()
  beforeAll(async () => {
    house = await start()
    await house.sql("insert into boxes (id, label, secret) values ($1, 'a box', 'hidden')", [box])
    await house.sql(
      `insert into things (id, box_id, name, size, weight, seen_at)
        select gen_random_uuid(), $1, 'thing ' || n, n, n * 1.5, case when n < 2500 then timestamptz '2024-01-01Z' + n * interval '1 ms' end
        from generate_series(1, 2500) n`,
      [box],
    )
  })
  afterAll(() => house[Symbol.asyncDispose]())

  test('is a file of one JSON object a line, as the API shows it', async () => {
    const response = await ask(house, 'things', { headers: { ...admin, 'accept-encoding': 'identity' } })
    expect(response.headers.get('content-type')).toBe('application/x-ndjson')
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="things.ndjson"')
    expect(response.headers.get('content-encoding')).toBeNull()
    const lines = await linesOf(response)
    expect(lines).toHaveLength(2500)
    const [{ id }] = (await house.sql<{ id: string }>("select id from things where name = 'thing 7'")) as [
      { id: string },
    ]
    expect(lines).toContainEqual({
      id: encodeId('Thing', id),
      name: 'thing 7',
      weight: '10.500',
      seenAt: '2024-01-01T00:00:00.007000Z',
    })
    expect(lines.map((line) => line.id)).not.toEqual([...lines].reverse().map((line) => line.id))
    expect(
      (await house.query('query ($id: ID!) { thing(id: $id) { name } }', { id: lines[0].id })).data.thing.name,
    ).toBe(lines[0].name)
  })

  test.each(['zstd', 'br', 'gzip'])('is compressed by %s where the client takes it', async (encoding) => {
    const response = await ask(house, 'numbers?count=20000', { headers: { 'accept-encoding': encoding } })
    expect(response.headers.get('content-encoding')).toBe(encoding)
    expect(response.headers.get('vary')).toContain('accept-encoding')
    const lines = await linesOf(response)
    expect(lines).toHaveLength(20_000)
    expect(lines[19_999]).toMatchObject({ number: 20_000, amount: '5000.00' })
  })

  test('may be empty', async () => {
    const response = await ask(house, 'things?least=9999', { headers: admin })
    expect([response.status, await response.text()]).toEqual([200, ''])
  })

  test('takes the parameters it names, each where it is given', async () => {
    const count = async (query: string) =>
      (await linesOf(await ask(house, `things?${query}`, { headers: admin }))).length
    expect(await count('least=2401')).toBe(100)
    expect(await count('seenBefore=2024-01-01T00:00:00.011Z')).toBe(10)
    expect(await count('least=10&seenBefore=2024-01-01T00:00:00.011Z')).toBe(1)
  })

  test.each([
    ['least=x', '`least`: '],
    ['least=1&least=2', '`least`: '],
    ['seenBefore=yesterday', '`seenBefore`: A DateTime is written like 2024-01-31T12:00:00Z.'],
    ['most=1', 'There is no parameter `most`.'],
    ['__proto__=1', 'There is no parameter `__proto__`.'],
  ])('refuses %s', async (query, message) => {
    const [status, code, said] = await refusal(await ask(house, `things?${query}`, { headers: admin }))
    expect([status, code]).toEqual([400, 'BAD_USER_INPUT'])
    expect(said).toContain(message)
  })

  test('says which parameter is missing', async () => {
    expect(await refusal(await ask(house, 'numbers'))).toEqual([400, 'BAD_USER_INPUT', '`count`: is required.'])
  })

  test('is for whom its fields are', async () => {
    expect((await refusal(await ask(house, 'things'))).slice(0, 2)).toEqual([401, 'UNAUTHENTICATED'])
    const user = { authorization: `Bearer ${await tokenFor({ id: randomUUID(), role: 'USER' })}` }
    expect((await refusal(await ask(house, 'things', { headers: user }))).slice(0, 2)).toEqual([403, 'FORBIDDEN'])
    const forged = await ask(house, 'numbers?count=1', { headers: { authorization: 'Bearer a.b.c' } })
    expect((await refusal(forged)).slice(0, 2)).toEqual([401, 'UNAUTHENTICATED'])
  })

  test.each(['nothing', 'toString', '', '%00', 'things/1'])('there is none called "%s"', async (name) => {
    expect((await refusal(await ask(house, name, { headers: admin }))).slice(0, 2)).toEqual([404, 'NOT_FOUND'])
  })

  test('is not counted by HEAD, nor made by POST', async () => {
    for (const method of ['HEAD', 'POST']) expect((await ask(house, 'numbers?count=1', { method })).status).toBe(404)
  })

  test('refuses a consistency token that is not ours', async () => {
    const headers = { 'x-consistency-token': 'x' }
    expect((await refusal(await ask(house, 'numbers?count=1', { headers }))).slice(0, 2)).toEqual([
      400,
      'BAD_USER_INPUT',
    ])
  })

  test('that fails before its first row is answered as any failure', async () => {
    expect((await refusal(await ask(house, 'failing?at=1'))).slice(0, 2)).toEqual([500, 'INTERNAL'])
    expect(house.logged.splice(0)).toMatchObject([{ msg: 'request failed' }])
    await hasConnections(house, 0)
  })

  test.each(['identity', 'zstd', 'br', 'gzip'])(
    'that fails part way is never whole to its client (%s)',
    async (encoding) => {
      const finished = nextFinished('/exports/failing')
      const response = ask(house, 'failing?at=50000', { headers: { 'accept-encoding': encoding } })
      await expect(response.then((begun) => begun.text())).rejects.toThrow(/terminated|fetch failed/)
      expect((await finished).status).toBe(500)
      expect(house.logged.splice(0)).toMatchObject([{ msg: 'an export was cut', err: { message: 'division by zero' } }])
      await hasConnections(house, 0)
    },
  )

  test('that fails part way is not whole to HTTP/1.0 either, which knows no other end than the connection', async () => {
    const { hostname, port } = new URL(house.app.url)
    const socket = connect(Number(port), hostname)
    socket.write('GET /exports/failing?at=50000 HTTP/1.0\r\n\r\n')
    await expect(socket.toArray()).rejects.toThrow('ECONNRESET')
    house.logged.splice(0)
  })

  test('is told of as a request and as a statement of that request', async () => {
    const statements: (Facts['statement.finished'] & { requestId: string | undefined })[] = []
    const stop = fact('statement.finished').listen(
      (statement) => void statements.push({ ...statement, requestId: currentRequest()?.id }),
    )
    const finished = nextFinished('/exports/numbers')
    const response = await ask(house, 'numbers?count=100000')
    const requestId = response.headers.get('x-request-id')
    expect(await linesOf(response)).toHaveLength(100_000)
    expect(await finished).toMatchObject({
      status: 200,
      method: 'GET',
      route: '/exports/:name',
      request: { id: requestId },
    })
    stop()
    const told = { statement: 'numbersExport', rows: 100_000, pool: 'export', inTransaction: false, requestId }
    expect(statements).toMatchObject([told])
    expect(statements[0]?.error).toBeUndefined()
  })
})

test('a client that leaves has its statement cancelled and its connection freed within a second', async () => {
  await using house = await start()
  for (const path of ['seconds?each=0.1&count=10000', 'numbers?count=5000000']) {
    const finished = nextFinished(`/exports/${path.replace(/\?.*/, '')}`)
    const leave = new AbortController()
    const left = ask(house, path, { signal: leave.signal }).then((response) => response.text())
    left.catch(() => {})
    await hasConnections(house, 1)
    await sleep(100)
    leave.abort()
    await hasConnections(house, 0)
    expect((await finished).status).toBe(499)
  }
  expect(house.logged).toEqual([])
  expect((await linesOf(await ask(house, 'numbers?count=3'))).length).toBe(3)
})

test('a client that leaves an answer it does not read frees its connection, compressed or not', async () => {
  await using house = await start()
  for (const encoding of ['identity', 'zstd', 'br', 'gzip']) {
    const response = await openUnread(house, 'numbers?count=5000000', { 'accept-encoding': encoding })
    await sleep(100)
    expect(await connectionsOf(house)).toHaveLength(1)
    response.destroy()
    await hasConnections(house, 0)
  }
})

test('a reader that takes nothing is cut, and knows it', async () => {
  await using house = await start({ EXPORT_IDLE_TIMEOUT_MS: '300' })
  const finished = nextFinished('/exports/numbers')
  const response = await openUnread(house, 'numbers?count=5000000')
  await hasConnections(house, 1)
  await hasConnections(house, 0, 2_000)
  expect((await finished).status).toBe(500)
  expect(house.logged).toMatchObject([{ msg: 'an export was cut', err: { message: 'The reader took too long.' } }])
  await expect(response.toArray()).rejects.toThrow('aborted')
})

test('a reader that takes a little at a time has no longer than an export may take', async () => {
  await using house = await start({ EXPORT_IDLE_TIMEOUT_MS: '10000', EXPORT_TIMEOUT_MS: '3000' })
  const response = await openUnread(house, 'seconds?each=0.001&count=100000')
  await expect(response.toArray()).rejects.toThrow('aborted')
  expect(house.logged).toMatchObject([{ msg: 'an export was cut', err: { message: 'The export took too long.' } }])
  await hasConnections(house, 0)
})

test('a slow reader that keeps reading gets everything', async () => {
  await using house = await start({ EXPORT_IDLE_TIMEOUT_MS: '500', DATABASE_STATEMENT_TIMEOUT_MS: '500' })
  const response = await openUnread(house, 'numbers?count=100000')
  let size = 0
  const began = performance.now()
  for await (const chunk of response) {
    size += chunk.length
    await sleep(10)
  }
  expect(performance.now() - began).toBeGreaterThan(1_000)
  expect(size).toBeGreaterThan(15_000_000)
})

test('clients that leave while their token is checked free their connections too', async () => {
  await using house = await start({ EXPORT_CONNECTIONS: '2' })
  const { hostname, port } = new URL(house.app.url)
  for (let client = 0; client < 20; client++) {
    const token = await tokenFor({ id: randomUUID(), role: 'USER' })
    const socket = connect(Number(port), hostname).on('error', () => {})
    const request = `GET /exports/numbers?count=5000000 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`
    socket.write(request, () => socket.destroy())
    await once(socket, 'close')
    await sleep(5)
  }
  await hasConnections(house, 0)
  const answers = await Promise.all([1, 2].map(() => ask(house, 'numbers?count=1')))
  expect(answers.map(({ status }) => status)).toEqual([200, 200])
})

test('more than EXPORT_CONNECTIONS at once are refused, until one has ended', async () => {
  await using house = await start({ EXPORT_CONNECTIONS: '2' })
  const running = await Promise.all([1, 2].map(() => openUnread(house, 'numbers?count=5000000')))
  const refused = await ask(house, 'numbers?count=1')
  expect(refused.headers.get('retry-after')).toBe('5')
  expect((await refusal(refused)).slice(0, 2)).toEqual([503, 'OVERLOADED'])
  running[0]?.destroy()
  await hasConnections(house, 1)
  await expect.poll(async () => (await ask(house, 'numbers?count=1')).status).toBe(200)
  running[1]?.destroy()
})

test('a shutdown lets an export end in time', async () => {
  await using house = await start({ SHUTDOWN_TIMEOUT_MS: '5000' })
  const answer = ask(house, 'seconds?each=0.005&count=200').then(linesOf)
  await hasConnections(house, 1)
  const closed = house.app.close()
  expect(await answer).toHaveLength(200)
  await closed
})

test('a shutdown cuts an export that does not end in time, and its statement with it', async () => {
  await using house = await start({ SHUTDOWN_TIMEOUT_MS: '1500' })
  const answers = await Promise.all(
    ['seconds?each=0.005&count=10000', 'numbers?count=5000000'].map((path) => openUnread(house, path)),
  )
  const ended = answers.map((answer) => new Promise((resolve) => answer.once('close', resolve)))
  await hasConnections(house, 2)
  const began = performance.now()
  await house.app.close()
  expect(performance.now() - began).toBeLessThan(5_000)
  await hasConnections(house, 0)
  for (const answer of answers) answer.resume()
  await Promise.all(ended)
  expect(answers.map(({ complete }) => complete)).toEqual([false, false])
})

function nextFinished(path: string): Promise<Facts['request.finished']> {
  return new Promise((resolve) => {
    const stop = fact('request.finished').listen((finished) => {
      if (finished.path !== path) return
      stop()
      resolve(finished)
    })
  })
}
