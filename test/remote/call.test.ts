import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { fact } from '../../src/core/events.js'
import { writeLog } from '../../src/core/log.js'
import { currentRequest, inRequest } from '../../src/core/request.js'
import { defineRemote } from '../../src/remote/remote.js'
import { createRemotes } from '../../src/remote/remotes.js'
import { hang, inTurn, ok, reach, record, startNeighbour, status } from './neighbour.js'

const failure = (reason: string, more: object = {}) => expect.objectContaining({ reason, ...more })

test('an answer of the schema is handed on; a path stands below the service’s URL', async () => {
  await using neighbour = await startNeighbour()
  const { call } = reach({ url: `${neighbour.url}/v1/` })
  expect(await call({ path: '/things?q=1' })).toEqual({ n: 1 })
  expect(neighbour.asked[0]).toMatchObject({ method: 'GET', url: '/v1/things?q=1' })
  await expect(call({ path: 'things' })).rejects.toThrow('begins with a slash')
  await expect(call({ path: '//elsewhere.example/' })).resolves.toEqual({ n: 1 })
  await expect(call({ path: '/@elsewhere.example/' })).resolves.toEqual({ n: 1 })
})

test('a body is sent as JSON, and the URL’s user as Basic authorization', async () => {
  let sent = ''
  await using neighbour = await startNeighbour((request, response) => {
    request.on('data', (chunk) => (sent += chunk)).on('end', () => response.end('{"n":2}'))
  })
  const { call } = reach({ url: neighbour.url.replace('//', '//us%C3%A9r:p%40ss@') })
  expect(await call({ method: 'POST', body: { a: 'ä' } })).toEqual({ n: 2 })
  expect(sent).toBe('{"a":"ä"}')
  const { authorization, 'content-type': type } = neighbour.asked[0]?.headers ?? {}
  expect(type).toBe('application/json')
  expect(Buffer.from(String(authorization).replace('Basic ', ''), 'base64').toString()).toBe('usér:p@ss')
})

test('an empty answer is undefined', async () => {
  await using neighbour = await startNeighbour((_, response) => void response.writeHead(204).end())
  const { remotes, remote } = reach({ url: neighbour.url })
  expect(await remotes.call(remote, { path: '/', schema: z.undefined() })).toBeUndefined()
})

test.each([
  ['hangs', hang],
  [
    'sends a body that never ends',
    (_: unknown, response: ServerResponse) => {
      response.write('{"n":1')
      const timer = setInterval(() => response.write(' '), 10)
      response.on('close', () => clearInterval(timer))
    },
  ],
])('a service that %s is a TIMEOUT in its time, and its connection is closed', async (_, answer) => {
  await using neighbour = await startNeighbour(answer)
  const { call } = reach({ url: neighbour.url, timeout: 150 })
  const began = performance.now()
  await expect(call()).rejects.toThrow(failure('TIMEOUT', { code: 'TIMEOUT' }))
  expect(performance.now() - began).toBeGreaterThanOrEqual(145)
  expect(performance.now() - began).toBeLessThan(1_500)
  const { socket } = neighbour.asked[0] ?? {}
  await expect.poll(() => socket?.destroyed).toBe(true)
  expect(neighbour.asked).toHaveLength(1)
})

test('the timeout bounds the whole call, its retries included', async () => {
  await using neighbour = await startNeighbour(hang)
  const { call } = reach({ url: neighbour.url, timeout: 1_500, attemptTimeout: 1_000, attempts: 10 })
  const began = performance.now()
  await expect(call()).rejects.toThrow(failure('TIMEOUT'))
  // Later than that the second attempt would end by itself.
  expect(performance.now() - began).toBeLessThan(2_000)
  expect(neighbour.asked).toHaveLength(2)
})

test('what nobody listens at is UNAVAILABLE', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  const { call } = reach({ url: `http://127.0.0.1:${port}` })
  await expect(call()).rejects.toThrow(failure('UNAVAILABLE', { code: 'OVERLOADED' }))
})

test.each([
  ['is too large', (_: unknown, response: ServerResponse) => void response.end(`{"n":1${' '.repeat(2 ** 20)}}`)],
  ['is of another shape', (_: unknown, response: ServerResponse) => void response.end('{"n":"theirs"}')],
  ['is no JSON', (_: unknown, response: ServerResponse) => void response.end('<theirs>')],
  ['is empty', (_: unknown, response: ServerResponse) => void response.end()],
])('an answer that %s is INVALID and not asked for again', async (_, answer) => {
  await using neighbour = await startNeighbour(answer)
  const { call } = reach({ url: neighbour.url })
  await expect(call()).rejects.toThrow(failure('INVALID', { code: 'INTERNAL' }))
  expect(neighbour.asked).toHaveLength(1)
})

test('a redirect is not followed', async () => {
  await using elsewhere = await startNeighbour()
  await using neighbour = await startNeighbour(status(302, { location: elsewhere.url }))
  await expect(reach({ url: neighbour.url }).call()).rejects.toThrow(failure('REFUSED', { status: 302 }))
  expect(elsewhere.asked).toHaveLength(0)
})

test.each([502, 503, 504])('after %i a GET is retried', async (code) => {
  await using neighbour = await startNeighbour(inTurn(status(code), status(code), ok))
  using called = record('remote.called')
  expect(await reach({ url: neighbour.url }).call()).toEqual({ n: 1 })
  expect(called.told).toMatchObject([{ remote: 'neighbour', reason: undefined, attempts: 3 }])
})

test('after a lost connection and after a timeout a GET is retried', async () => {
  const drop = (request: IncomingMessage) => void request.socket.destroy()
  await using neighbour = await startNeighbour(inTurn(drop, hang, ok))
  expect(await reach({ url: neighbour.url, attemptTimeout: 100 }).call()).toEqual({ n: 1 })
})

test.each([400, 404, 500, 501, 429])('after %i it is not', async (code) => {
  await using neighbour = await startNeighbour(status(code))
  await expect(reach({ url: neighbour.url }).call()).rejects.toThrow(failure('REFUSED', { status: code }))
  expect(neighbour.asked).toHaveLength(1)
})

test('a POST is retried only where it is said to be idempotent', async () => {
  await using neighbour = await startNeighbour(inTurn(status(503), status(503), ok))
  const { call } = reach({ url: neighbour.url })
  await expect(call({ method: 'POST' })).rejects.toThrow(failure('REFUSED', { status: 503 }))
  expect(neighbour.asked).toHaveLength(1)
  expect(await call({ method: 'POST', isIdempotent: true })).toEqual({ n: 1 })
  expect(neighbour.asked).toHaveLength(3)
})

test('a retry waits as long as it is told to, where the call has as long', async () => {
  await using neighbour = await startNeighbour(inTurn(status(429, { 'retry-after': '1' }), ok))
  const began = performance.now()
  expect(await reach({ url: neighbour.url, timeout: 2_000 }).call()).toEqual({ n: 1 })
  expect(performance.now() - began).toBeGreaterThanOrEqual(995)

  neighbour.answer = status(503, { 'retry-after': new Date(Date.now() + 60_000).toUTCString() })
  const again = performance.now()
  await expect(reach({ url: neighbour.url, timeout: 20_000 }).call()).rejects.toThrow(failure('REFUSED'))
  expect(performance.now() - again).toBeLessThan(10_000)
})

test('a call is given up by its signal, and at the end of the process', async () => {
  await using neighbour = await startNeighbour(hang)
  const { call, remotes } = reach({ url: neighbour.url, timeout: 5_000 })
  using called = record('remote.called')
  const aborter = new AbortController()
  const calls = [call({ signal: aborter.signal }), call()].map((each) => each.catch((error: Error) => error.message))
  await expect.poll(() => neighbour.asked.length).toBe(2)
  aborter.abort(new Error('no longer needed'))
  expect(await calls[0]).toBe('no longer needed')
  remotes.close()
  expect(await calls[1]).toBe('The process ends.')
  await expect(call()).rejects.toThrow('The process ends.')
  expect(called.told.map(({ reason }) => reason)).toEqual(['CANCELLED', 'CANCELLED', 'CANCELLED'])
})

test('a hundred calls at once leave no warning and no listener behind', async () => {
  const warnings: Error[] = []
  const listener = (warning: Error) => void warnings.push(warning)
  process.on('warning', listener)
  await using neighbour = await startNeighbour((_, response) => void setTimeout(() => response.end('{"n":1}'), 20))
  const { call } = reach({ url: neighbour.url, timeout: 2_000 })
  await Promise.all(Array.from({ length: 100 }, () => call()))
  await sleep(10)
  process.off('warning', listener)
  expect(warnings).toEqual([])
})

test('a call is told of in the scope of who makes it', async () => {
  await using neighbour = await startNeighbour(status(400))
  const { call } = reach({ url: neighbour.url })
  using called = record('remote.called')
  const scopes: unknown[] = []
  const stop = fact('remote.called').listen(() => scopes.push(currentRequest()?.id))
  await inRequest({ id: 'mine' }, () => call().catch(() => {}))
  stop()
  expect(called.told).toMatchObject([{ remote: 'neighbour', reason: 'REFUSED', attempts: 1 }])
  expect(called.told[0]?.duration).toBeGreaterThan(0)
  expect(scopes).toEqual(['mine'])
})

test('a service without a URL is UNAVAILABLE, which the start says once', async () => {
  const lines: string[] = []
  const log = writeLog({ LOG_LEVEL: 'warn' }, { write: (line) => void lines.push(line) })
  const remote = defineRemote({ name: 'nowhere', timeout: 100, attempts: 1 })
  const remotes = createRemotes({ REMOTE_URLS: [['typo', new URL('http://127.0.0.1')]] }, [remote], log)
  using called = record('remote.called')
  for (let i = 0; i < 2; i++)
    await expect(remotes.call(remote, { path: '/', schema: z.any() })).rejects.toThrow(failure('UNAVAILABLE'))
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ remotes: ['nowhere'] }, { remotes: ['typo'] }])
  expect(called.told.map(({ attempts }) => attempts)).toEqual([0, 0])
})

test('two services of one name are a mistake, as are times that contradict each other', () => {
  const remote = () => defineRemote({ name: 'twice', timeout: 100, attempts: 1 })
  const log = writeLog({ LOG_LEVEL: 'silent' }, { write: () => {} })
  expect(() => createRemotes({ REMOTE_URLS: [] }, [remote(), remote()], log)).toThrow('the name "twice"')
  expect(() => defineRemote({ name: 'late', timeout: 100, attemptTimeout: 200, attempts: 1 })).toThrow('contradict')
  expect(() => defineRemote({ name: 'Loud', timeout: 100, attempts: 1 })).toThrow('name')
})
