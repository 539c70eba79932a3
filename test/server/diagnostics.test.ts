import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import type { Profiler } from 'node:inspector'
import { Session } from 'node:inspector/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { startHouse, type TestApp, tokenFor } from '../support.js'

const admin = { id: randomUUID(), role: 'ADMIN' as const }
const headers = { authorization: `Bearer ${await tokenFor(admin)}` }

/** One request for a profile or snapshot, by an administrator unless other options say who. */
const ask = (house: TestApp, path: string, options: RequestInit = { headers }) =>
  fetch(`${house.app.url}/diagnostics/${path}`, { method: 'POST', ...options })
const codeOf = async (response: Response) => [response.status, (await response.json()).errors[0].extensions.code]

/** V8 samples from a thread of its own, which lives as long as a profiler is on. */
const isSampling = () =>
  readdirSync('/proc/self/task').some((id) => readFileSync(`/proc/self/task/${id}/comm`, 'utf8').startsWith('v8:Prof'))
const samples = (expected: boolean) => expect.poll(isSampling).toBe(expected)
const onLinux = test.runIf(process.platform === 'linux')

test('there is nothing unless it is turned on', async () => {
  await using house = await startHouse()
  for (const path of ['cpu-profile', 'heap-snapshot'])
    expect(await codeOf(await ask(house, path))).toEqual([404, 'NOT_FOUND'])
})

describe('turned on', () => {
  let house: TestApp
  beforeAll(async () => {
    house = await startHouse({ DIAGNOSTICS: 'on' })
  })
  afterAll(() => house[Symbol.asyncDispose]())
  afterEach(() => void vi.restoreAllMocks())

  test.each(['cpu-profile', 'heap-snapshot'])('%s is for administrators', async (path) => {
    const anonymous = await ask(house, path, {})
    expect(await codeOf(anonymous)).toEqual([401, 'UNAUTHENTICATED'])
    const forged = await ask(house, path, { headers: { authorization: 'Bearer a.b.c' } })
    expect(forged.headers.get('www-authenticate')).toContain('Bearer')
    expect(await codeOf(forged)).toEqual([401, 'UNAUTHENTICATED'])
    const authorization = `Bearer ${await tokenFor({ id: randomUUID(), role: 'USER' })}`
    expect(await codeOf(await ask(house, path, { headers: { authorization } }))).toEqual([403, 'FORBIDDEN'])
  })

  test.each(['0', '61', '1.5', '-1', 'x', '', '1&seconds=2'])('a profile of %s seconds is refused', async (seconds) => {
    expect(await codeOf(await ask(house, `cpu-profile?seconds=${seconds}`))).toEqual([400, 'BAD_USER_INPUT'])
  })

  test('a CPU profile is a file that shows what ran meanwhile', async () => {
    let over = false
    const load = (async () => {
      const query = '{ things(first: 10) { nodes { name box { label } } } }'
      while (!over) expect((await house.query(query)).errors).toBeUndefined()
    })()
    const response = await ask(house, 'cpu-profile?seconds=1')
    over = true
    await load
    expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename="[\dT-]+\.cpuprofile"$/)
    const { nodes, samples, startTime, endTime } = (await response.json()) as Profiler.Profile
    expect(samples?.length).toBeGreaterThan(20)
    expect(endTime - startTime).toBeGreaterThan(900_000)
    const ran = nodes.map(({ callFrame }) => `${callFrame.functionName} in ${callFrame.url}`)
    expect(ran).toContainEqual(expect.stringMatching(/^\S+ in .*\/src\/(db)\/[\w-]+\.ts$/))
  })

  onLinux('a second one meanwhile is refused, and nothing samples afterwards', async () => {
    const first = ask(house, 'cpu-profile?seconds=2')
    await samples(true)
    expect(await codeOf(await ask(house, 'cpu-profile'))).toEqual([409, 'CONFLICT'])
    expect(await codeOf(await ask(house, 'heap-snapshot'))).toEqual([409, 'CONFLICT'])
    expect((await first).status).toBe(200)
    expect(isSampling()).toBe(false)
  })

  onLinux('a client that goes away ends its profile', async () => {
    const leave = new AbortController()
    const left = expect(ask(house, 'cpu-profile?seconds=60', { headers, signal: leave.signal })).rejects.toThrow()
    await samples(true)
    leave.abort()
    await left
    await samples(false)
    expect((await ask(house, 'cpu-profile?seconds=1')).status).toBe(200)
  })

  onLinux('a profiler that fails is turned off, too', async () => {
    const post = Session.prototype.post as (method: string, parameters?: object) => Promise<unknown>
    const failing: typeof post = async function (this: Session, method, parameters) {
      if (method === 'Profiler.stop') throw new Error('no')
      return post.call(this, method, parameters)
    }
    vi.spyOn(Session.prototype, 'post').mockImplementation(failing as never)
    const failed = ask(house, 'cpu-profile?seconds=1')
    await samples(true)
    expect(await codeOf(await failed)).toEqual([500, 'INTERNAL'])
    expect(isSampling()).toBe(false)
    vi.restoreAllMocks()
    expect((await ask(house, 'cpu-profile?seconds=1')).status).toBe(200)
  })

  test('a heap snapshot is a file of everything there is', async () => {
    const response = await ask(house, 'heap-snapshot')
    expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename="[\dT-]+\.heapsnapshot"$/)
    const { snapshot, nodes, strings } = (await response.json()) as HeapSnapshot
    expect(nodes.length).toBe(snapshot.node_count * snapshot.meta.node_fields.length)
    expect(strings).toContain('ThingResolver')
  })

  test('a client that leaves its snapshot lets the next one be taken', async () => {
    const leave = new AbortController()
    const { body } = await ask(house, 'heap-snapshot', { headers, signal: leave.signal })
    expect(await codeOf(await ask(house, 'cpu-profile'))).toEqual([409, 'CONFLICT'])
    leave.abort()
    await expect(body?.pipeTo(new WritableStream())).rejects.toThrow()
    const next = async () => (await ask(house, 'cpu-profile?seconds=1')).status
    await expect.poll(next).toBe(200)
  })

  test('a snapshot that memory would not suffice for is refused', async () => {
    vi.spyOn(process, 'constrainedMemory').mockReturnValue(process.memoryUsage.rss() + 20 * 2 ** 20)
    const refused = await ask(house, 'heap-snapshot')
    expect(await refused.clone().text()).toMatch(/may take \d+ MB more memory, and -?\d+ MB are left/)
    expect(await codeOf(refused)).toEqual([503, 'OVERLOADED'])
  })
})

onLinux('a shutdown ends a profile, and what there is of it is the answer', async () => {
  await using house = await startHouse({ DIAGNOSTICS: 'on', SHUTDOWN_TIMEOUT_MS: '5000' })
  const response = ask(house, 'cpu-profile?seconds=60')
  await samples(true)
  await sleep(200)
  const started = performance.now()
  await house.app.close()
  expect(performance.now() - started).toBeLessThan(3000)
  const { startTime, endTime } = (await (await response).json()) as Profiler.Profile
  expect(endTime - startTime).toBeLessThan(5_000_000)
  expect(isSampling()).toBe(false)
})

interface HeapSnapshot {
  readonly snapshot: { readonly node_count: number; readonly meta: { readonly node_fields: readonly string[] } }
  readonly nodes: readonly number[]
  readonly strings: readonly string[]
}
