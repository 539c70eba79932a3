import { once } from 'node:events'
import { request as send } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Environment } from '../../src/core/config.js'
import { type Facts, fact } from '../../src/core/events.js'
import { currentRequest } from '../../src/core/request.js'
import { startHouse, type TestApp } from '../support.js'

let house: TestApp
beforeAll(async () => {
  house = await startHouse({ CORS_ORIGINS: 'https://app.example.com', LIMIT_BODY_BYTES: '4096', GRAPHIQL: 'on' })
})
afterAll(() => house[Symbol.asyncDispose]())

const json = { 'content-type': 'application/json' }
const call = (path: string, init: RequestInit = {}) => fetch(house.app.url + path, init)
const post = (body: string, headers: Record<string, string> = json) =>
  call('/graphql', { method: 'POST', body, headers })
const codeOf = async (response: Response) => (await response.json()).errors[0].extensions.code
const typename = '/graphql?query={__typename}'

/** What the server answers to these bytes, until it closes the connection. */
async function sendText(text: string): Promise<string> {
  const socket = connect(Number(new URL(house.app.url).port), '127.0.0.1')
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk
  })
  socket.write(text)
  await once(socket, 'close')
  return answer
}

describe('a request', () => {
  test('keeps the id that it came with', async () => {
    const response = await call('/livez', { headers: { 'x-request-id': 'from-the_proxy-1' } })
    expect(response.headers.get('x-request-id')).toBe('from-the_proxy-1')
  })

  test.each(['', 'a b', 'x'.repeat(65), '<script>'])('gets an id of its own instead of "%s"', async (id) => {
    const response = await call('/livez', { headers: { 'x-request-id': id } })
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('is told of when it has ended, and the statements it ran know it', async () => {
    const told: Facts['request.finished'][] = []
    const stop = fact('request.finished').listen((value) => void told.push(value))
    const { statements } = await house.query('query Ask { things(first: 1) { nodes { name } } }')
    await expect.poll(() => told.length).toBe(1)
    stop()
    expect(told[0]).toMatchObject({ method: 'POST', path: '/graphql', scheme: 'http', status: 200 })
    expect(told[0]?.duration).toBeGreaterThan(0)
    expect(statements).toHaveLength(1)
  })

  test('is told of by the scheme that its client used, where the proxy is trusted', async () => {
    const schemesOf = async (config: Environment) => {
      await using asked = await startHouse(config)
      const told: string[] = []
      const names = ['request.started', 'request.finished'] as const
      const stops = names.map((name) => fact(name).listen(({ scheme }) => void told.push(scheme)))
      for (const proto of ['https', 'gopher'])
        await fetch(`${asked.app.url}/livez`, { headers: { 'x-forwarded-proto': proto } })
      await expect.poll(() => told.length).toBe(4)
      for (const stop of stops) stop()
      return told
    }
    expect(await schemesOf({ TRUST_PROXY: 'on' })).toEqual(['https', 'https', 'http', 'http'])
    expect(await schemesOf({})).toEqual(['http', 'http', 'http', 'http'])
  })

  test('is known to what it causes however slowly its body came', async () => {
    const ids: unknown[] = []
    const stop = fact('statement.finished').listen(() => void ids.push(currentRequest()?.id))
    const body = JSON.stringify({ query: '{ things(first: 1) { nodes { name } } }' })
    const headers = { ...json, 'content-length': body.length, 'x-request-id': 'slow' }
    const request = send(`${house.app.url}/graphql`, { method: 'POST', headers })
    request.write(body.slice(0, 10))
    await sleep(50)
    request.end(body.slice(10))
    const [response] = await once(request, 'response')
    stop()
    expect(response.statusCode).toBe(200)
    expect(ids).toEqual(['slow'])
  })

  test('that its client gave up is told of as such', async () => {
    const told: Facts['request.finished'][] = []
    const stop = fact('request.finished').listen((value) => void told.push(value))
    const ended: unknown[] = []
    const stopEnded = fact('operation.finished').listen((value) => void ended.push(value))
    const query = '/graphql?query={sleep(seconds:0.3)}'
    await call(query, { headers: json, signal: AbortSignal.timeout(50) }).catch(() => {})
    await expect.poll(() => told).toMatchObject([{ path: '/graphql', status: 499 }])
    await expect.poll(() => ended).toHaveLength(1)
    stop()
    stopEnded()
  })

  test('names its operation to whoever listens', async () => {
    const told: Facts['operation.finished'][] = []
    const stop = fact('operation.finished').listen((value) => void told.push(value))
    await house.query('query Ask { divide(by: 0) }')
    await house.query('{ unknown }')
    await house.query('query Ask { divide(by: 1) }', {}, { headers: { authorization: 'Bearer not.a.token' } })
    stop()
    expect(told).toMatchObject([
      { operation: { name: 'Ask', type: 'query' }, errors: [{ extensions: { code: 'INTERNAL' } }], hasData: true },
      { operation: { name: undefined, type: undefined }, errors: [{}], hasData: false, executed: undefined },
      { operation: { name: undefined }, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }], hasData: false },
    ])
  })
})

describe('an answer', () => {
  test('carries security headers and is not stored', async () => {
    const { headers } = await call('/livez')
    expect(headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'none'")
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('strict-transport-security')).toContain('max-age=')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-powered-by')).toBeNull()
  })

  test('may be read by the configured origin only', async () => {
    const ask = async (origin: string) =>
      (await call('/livez', { headers: { origin } })).headers.get('access-control-allow-origin')
    expect(await ask('https://app.example.com')).toBe('https://app.example.com')
    expect(await ask('https://evil.example.com')).toBeNull()
    const preflight = await call('/graphql', {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example.com',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization,content-type')
  })

  test.each([
    ['application/json', 'application/json'],
    ['application/graphql-response+json', 'application/graphql-response+json'],
    ['application/graphql-response+json, application/json;q=0.9', 'application/graphql-response+json'],
    ['application/graphql-response+json;q=0.5, application/json', 'application/json'],
    ['text/html, */*;q=0.1', 'application/json'],
    ['application/*', 'application/json'],
    ['application/json;q=0, */*', 'application/graphql-response+json'],
  ])('to Accept "%s" is %s', async (accept, type) => {
    const response = await post('{"query":"{ __typename }"}', { ...json, accept })
    expect(response.headers.get('content-type')).toBe(`${type}; charset=utf-8`)
    expect(await response.json()).toEqual({ data: { __typename: 'Query' } })
  })

  test('is refused before anything runs where no media type would do', async () => {
    const before = await house.sql<{ count: string }>('select count(*) from things')
    const response = await post(
      '{"query":"mutation { addThing(input: {boxId: \\"x\\", name: \\"x\\"}) { errors { code } } }"}',
      {
        ...json,
        accept: 'text/plain',
      },
    )
    expect(response.status).toBe(406)
    expect(await house.sql('select count(*) from things')).toEqual(before)
  })
})

describe('what is no GraphQL request', () => {
  test('has a JSON answer', async () => {
    const nowhere = await call('/nowhere')
    expect([nowhere.status, await codeOf(nowhere)]).toEqual([404, 'NOT_FOUND'])
    const malformed = await call('/%ff')
    expect([malformed.status, await codeOf(malformed)]).toEqual([400, 'BAD_USER_INPUT'])
    expect(malformed.headers.get('x-request-id')).toBeTruthy()
  })

  test.each(['PUT', 'PATCH', 'DELETE'])('by %s is a 405', async (method) => {
    const response = await call('/graphql', { method })
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, POST'])
  })

  test('is a 415 in another media type and a 413 above the limit', async () => {
    const xml = await post('<a/>', { 'content-type': 'application/xml' })
    expect([xml.status, await codeOf(xml)]).toEqual([415, 'BAD_USER_INPUT'])
    const large = await post(JSON.stringify({ query: `{ __typename } #${'x'.repeat(4096)}` }))
    expect(large.status).toBe(413)
    expect((await large.json()).errors[0].message).toBe('A request body takes at most 4096 bytes.')
  })

  test('is no HTTP either', async () => {
    expect(await sendText('HELLO\r\n\r\n')).toMatch(/^HTTP\/1.1 400 .*"code":"BAD_USER_INPUT"/s)
    expect(await sendText(`GET /livez HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 431/,
    )
    expect(await sendText('GET /graphql HTTP/1.1\r\nhost: [\r\nconnection: close\r\n\r\n')).toMatch(/^HTTP\/1.1 400/)
  })
})

test('who takes half a minute to send a request, or sends none, loses the connection', async () => {
  expect([house.app.http.headersTimeout, house.app.http.requestTimeout]).toEqual([30_000, 30_000])
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const { hostname, port } = new URL(house.app.url)
    const [silent, polite] = [connect(Number(port), hostname), connect(Number(port), hostname)]
    polite.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n')
    await once(polite, 'data')
    const closed = once(silent, 'close')
    vi.advanceTimersByTime(30_000)
    await closed
    expect(polite.closed).toBe(false)
    polite.destroy()
  } finally {
    vi.useRealTimers()
  }
})

describe('GraphQL by GET', () => {
  test('needs a header that no page of another site can send unasked', async () => {
    const refused = await call(typename)
    expect([refused.status, (await refused.json()).errors[0].message]).toEqual([
      400,
      'Send `content-type: application/json` or `apollo-require-preflight: true`: any website can have a browser ask without.',
    ])
    expect((await call(typename, { headers: { 'apollo-require-preflight': 'yes' } })).status).toBe(200)
    expect((await post('{"query":"{ __typename }"}', { 'content-type': 'text/plain' })).status).toBe(400)
  })

  test('does not change anything', async () => {
    const query = encodeURIComponent('mutation { addThing(input: {boxId: "x", name: "x"}) { errors { code } } }')
    const response = await call(`/graphql?query=${query}`, { headers: json })
    expect([response.status, response.headers.get('allow'), await codeOf(response)]).toEqual([
      405,
      'POST',
      'BAD_USER_INPUT',
    ])
  })
})

test('batches are refused', async () => {
  const response = await post('[{"query":"{ __typename }"},{"query":"{ __typename }"}]')
  expect([response.status, await codeOf(response)]).toEqual([400, 'BAD_USER_INPUT'])
})

describe('a persisted query', () => {
  const hash = 'ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38'
  const ask = (extensions: object, query?: string) => post(JSON.stringify({ query, extensions }))

  test('is asked for, registered and found', async () => {
    const persistedQuery = { version: 1, sha256Hash: hash }
    expect(await codeOf(await ask({ persistedQuery }))).toBe('PERSISTED_QUERY_NOT_FOUND')
    expect((await ask({ persistedQuery }, '{__typename}')).status).toBe(200)
    expect(await (await ask({ persistedQuery })).json()).toEqual({ data: { __typename: 'Query' } })
  })

  test('that is not known yet is told of without an error: it is the first step', async () => {
    const told: Facts['operation.finished'][] = []
    const stop = fact('operation.finished').listen((value) => void told.push(value))
    await ask({ persistedQuery: { version: 1, sha256Hash: 'a'.repeat(64) } })
    stop()
    expect(told).toMatchObject([{ errors: [], hasData: false }])
  })

  test.each([
    [{ version: 1, sha256Hash: 'f'.repeat(64) }],
    [{ version: 2, sha256Hash: hash }],
    [{ version: 1, sha256Hash: { toString: 1 } }],
    [{ version: 1 }],
    ['yes'],
    [[1]],
  ])('that is malformed is a 400: %j', async (persistedQuery) => {
    const response = await ask({ persistedQuery }, '{__typename}')
    expect([response.status, await codeOf(response)]).toEqual([400, 'BAD_USER_INPUT'])
  })
})
