import { once } from 'node:events'
import { Agent, type IncomingMessage, request as send } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { App } from '../../src/app.js'
import { startHouse } from '../support.js'

interface Answer {
  readonly status: number | undefined
  readonly closes: boolean
  readonly text: string
}

/** One request, on a kept-alive connection where the agent has one. */
function ask(app: App, agent: Agent, query: string): Promise<Answer> {
  const { hostname, port } = new URL(app.url)
  const options = {
    hostname,
    port,
    agent,
    method: 'POST',
    path: '/graphql',
    headers: { 'content-type': 'application/json' },
  }
  return new Promise((resolve, reject) => {
    const request = send(options, (response) => {
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () =>
        resolve({ status: response.statusCode, closes: response.headers.connection === 'close', text }),
      )
      response.on('error', reject)
    })
    request.on('error', reject)
    request.end(JSON.stringify({ query }))
  })
}

const isReady = async (app: App) => (await fetch(`${app.url}/readyz`).catch(() => undefined))?.status === 200

test('under load, no request fails: clients go elsewhere when told, those in flight are answered', async () => {
  await using house = await startHouse({ SHUTDOWN_ANNOUNCE_MS: '1000', SHUTDOWN_TIMEOUT_MS: '5000' })
  const { app } = house
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  let ready = true
  const answers: Answer[] = []
  const failures: unknown[] = []
  // As a balancer does: a probe decides whether new requests still come here.
  const probing = (async () => {
    while (ready) {
      await sleep(20)
      ready = await isReady(app)
    }
  })()
  const clients = Array.from({ length: 8 }, async () => {
    while (ready) {
      const query = Math.random() < 0.2 ? '{ sleep(seconds: 0.05) }' : '{ things(first: 1) { nodes { name } } }'
      await ask(app, agent, query).then(
        (answer) => answers.push(answer),
        (error) => failures.push(error),
      )
    }
  })
  const slow = ask(app, new Agent(), '{ sleep(seconds: 1) }')
  await expect.poll(() => answers.length).toBeGreaterThan(50)
  await app.close()
  await Promise.all([probing, ...clients])

  expect(failures).toEqual([])
  expect(answers.filter(({ status }) => status !== 200)).toEqual([])
  expect(answers.some(({ closes }) => closes)).toBe(true)
  expect(answers[0]?.closes).toBe(false)
  expect(JSON.parse((await slow).text)).toEqual({ data: { sleep: 'slept' } })
})

test('the end is announced: not ready, and each answer is the last of its connection', async () => {
  await using house = await startHouse({ SHUTDOWN_ANNOUNCE_MS: '1000', SHUTDOWN_TIMEOUT_MS: '5000' })
  const { app } = house
  const agent = new Agent({ keepAlive: true })
  expect((await ask(app, agent, '{ __typename }')).closes).toBe(false)
  const closed = app.close()
  const probe = await fetch(`${app.url}/readyz`)
  expect([probe.status, (await probe.json()).status]).toEqual([503, 'closing'])
  expect((await fetch(`${app.url}/livez`)).status).toBe(200)
  expect(await ask(app, agent, '{ __typename }')).toMatchObject({ status: 200, closes: true })
  await closed
  await expect(fetch(`${app.url}/livez`)).rejects.toThrow()
})

test('an answer that the client has already is the last of its connection too', async () => {
  await using house = await startHouse({ CACHE: 'on', SHUTDOWN_ANNOUNCE_MS: '1000' })
  const ask = (query: string, tag = '"none"') => {
    const search = new URLSearchParams({ query })
    const headers = { 'apollo-require-preflight': 'true', 'if-none-match': tag }
    const agent = new Agent({ keepAlive: true })
    return new Promise<IncomingMessage>((resolve) =>
      send(`${house.app.url}/graphql?${search}`, { agent, headers }, (response) => resolve(response.resume())).end(),
    )
  }
  const query = '{ things { nodes { name } } }'
  const first = await ask(query)
  expect([first.statusCode, first.headers.connection]).toEqual([200, 'keep-alive'])
  const closed = house.app.close()
  // One that is kept, and one that is made now.
  for (const document of [query, `${query} # again`]) {
    const { statusCode, headers } = await ask(document, first.headers.etag)
    expect([statusCode, headers.connection]).toEqual([304, 'close'])
  }
  await closed
})

test('idle connections do not hold it up, and a second call waits for the first', async () => {
  await using house = await startHouse({ SHUTDOWN_TIMEOUT_MS: '5000' })
  const { app } = house
  const agent = new Agent({ keepAlive: true })
  await ask(app, agent, '{ __typename }')
  const started = performance.now()
  const [first, second] = [app.close(), app.close()]
  expect(second).toBe(first)
  await first
  expect(performance.now() - started).toBeLessThan(4_000)
  await expect(house.app.db.ping()).rejects.toThrow()
})

test('what takes longer than the deadline is cut', async () => {
  await using house = await startHouse({ SHUTDOWN_TIMEOUT_MS: '300' })
  const { app } = house
  const slow = ask(app, new Agent(), '{ sleep(seconds: 3) }')
  const cut = expect(slow).rejects.toThrow('socket hang up')
  await sleep(100)
  const started = performance.now()
  await app.close()
  await cut
  // Not by the end of what it did, which took longer.
  expect(performance.now() - started).toBeLessThan(2_500)
})

test('a connection that never said anything does not hold it up', async () => {
  await using house = await startHouse({ SHUTDOWN_TIMEOUT_MS: '5000' })
  const { hostname, port } = new URL(house.app.url)
  const silent = connect(Number(port), hostname)
  await once(silent, 'connect')
  const closed = once(silent, 'close')
  const began = performance.now()
  await house.app.close()
  await closed
  expect(performance.now() - began).toBeLessThan(4_000)
})
