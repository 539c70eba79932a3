import { connect, createServer, type Socket } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import type { Environment } from '../../src/core/config.js'
import { type Facts, fact } from '../../src/core/events.js'
import type { Database } from '../../src/db/database.js'
import type { Statement } from '../../src/db/statement.js'
import { startHouse, type TestApp } from '../support.js'

afterEach(() => void vi.restoreAllMocks())

const statement = (name: string, text: string): Statement => ({
  name,
  text,
  selection: { key: '', columns: [] },
  tables: undefined,
  prepared: name,
  bind: (values) => Object.values(values),
})
const whoami = () => statement('whoami', 'select pg_backend_pid() as pid')
const sleep = () => statement('sleep', 'select pg_sleep(1.0 * $1), pg_backend_pid() as pid')
const divide = () => statement('divide', 'select 10 / $1::int as quotient')
const countThings = () => statement('countThings', 'select count(*)::int as count from things')

interface Pid {
  readonly pid: number
}

const times = <Value>(count: number, make: () => Promise<Value>) => Promise.all(Array.from({ length: count }, make))
const pidsOf = (rows: Pid[][]) => new Set(rows.map(([row]) => row?.pid))
const fast = (db: Database) => db.read<Pid>(whoami(), {})

/** What became of `first` and `then`, asked in that order at once: which ended first, and how. */
async function race(first: Promise<unknown>, then: Promise<unknown>) {
  const order: string[] = []
  const told = (name: string) => [() => order.push(name), () => order.push(`${name} failed`)] as const
  await Promise.all([first.then(...told('first')), then.then(...told('then'))])
  return order
}

const connectionsOf = (house: TestApp) =>
  house.sql<{ pid: number; state: string }>(
    `select pid, state from pg_stat_activity where datname = current_database() and application_name = 'plumbline'`,
  )

async function start(config: Environment = {}) {
  const house = await startHouse(config)
  return { house, db: house.app.db, [Symbol.asyncDispose]: () => house[Symbol.asyncDispose]() }
}

test('few reads at once share one connection, many share two, and slow ones have their own', async () => {
  await using at = await start()
  const few = pidsOf(await times(8, () => fast(at.db)))
  expect(few.size).toBe(1)
  const many = pidsOf(await times(300, () => fast(at.db)))
  expect(many.size).toBe(2)
  const slow = pidsOf(await times(3, () => at.db.read<Pid>(sleep(), { seconds: 0.05 }, { isSlow: true })))
  expect(slow.size).toBe(3)
})

test('without pipelines, or with a pool of one, every read has a connection to itself', async () => {
  await using off = await start({ DATABASE_PIPELINES: '0' })
  expect(pidsOf(await times(5, () => off.db.read<Pid>(sleep(), { seconds: 0.05 }))).size).toBe(5)
  await using one = await start({ DATABASE_POOL_SIZE: '1' })
  expect(pidsOf(await times(5, () => fast(one.db))).size).toBe(1)
})

test('all connections together are no more than the pool may have', async () => {
  await using at = await start({ DATABASE_POOL_SIZE: '4' })
  await Promise.all([
    times(600, () => fast(at.db)),
    times(10, () => at.db.read(sleep(), { seconds: 0.02 }, { isSlow: true })),
    times(10, () => at.db.write((tx) => tx.em.flush())),
  ])
  expect((await connectionsOf(at.house)).length).toBeLessThanOrEqual(4)
})

test('reads without an end leave a connection to writes', async () => {
  await using at = await start({ DATABASE_POOL_SIZE: '2', DATABASE_POOL_WAIT_MS: '2000' })
  const end = performance.now() + 10_000
  let isWritten = false
  const readers = times(20, async () => {
    while (!isWritten && performance.now() < end) await fast(at.db)
  })
  await times(5, () => at.db.write((tx) => tx.em.flush()))
  isWritten = true
  expect(performance.now()).toBeLessThan(end)
  await readers
})

test('nobody waits behind a statement that says it is slow', async () => {
  await using at = await start()
  expect(await race(at.db.read(sleep(), { seconds: 0.3 }, { isSlow: true }), fast(at.db))).toEqual(['then', 'first'])
})

test('one that does not say so holds up what was sent at once, then nobody, then has a connection to itself', async () => {
  await using at = await start()
  await fast(at.db)
  const unaware = sleep()
  const slow = at.db.read(unaware, { seconds: 0.4 })
  const [early, late] = [fast(at.db), new Promise((resolve) => setTimeout(resolve, 100)).then(() => fast(at.db))]
  const [{ pid }] = (await late) as [Pid]
  expect((await connectionsOf(at.house)).filter(({ state }) => state === 'active')).toHaveLength(1)
  expect(await race(slow, early)).toEqual(['first', 'then'])
  expect((await early)[0]?.pid).not.toBe(pid)
  expect(await race(at.db.read(unaware, { seconds: 0.3 }), fast(at.db))).toEqual(['then', 'first'])
})

test('the server ends a statement that takes too long, and only that one', async () => {
  await using at = await start({ DATABASE_STATEMENT_TIMEOUT_MS: '400' })
  const reads = await Promise.allSettled([
    at.db.read(sleep(), { seconds: 0.3 }),
    at.db.read(sleep(), { seconds: 0.3 }),
    at.db.read(sleep(), { seconds: 5 }),
    fast(at.db),
    at.db.read(sleep(), { seconds: 0.3 }),
  ])
  expect(reads.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
  expect(reads[2]).toMatchObject({ reason: { code: 'TIMEOUT' } })
  expect(pidsOf([0, 1, 3, 4].map((index) => (reads[index] as { value: Pid[] }).value)).size).toBe(1)
})

test('a statement that fails leaves those around it alone', async () => {
  await using at = await start()
  const by = (by: number) => at.db.read<{ quotient: number }>(divide(), { by })
  const reads = await Promise.allSettled([by(1), by(0), by(2), by(0), by(5)])
  expect(reads.map((read) => (read.status === 'fulfilled' ? read.value[0]?.quotient : read.reason.code))).toEqual([
    10,
    '22012',
    5,
    '22012',
    2,
  ])
  expect(await connectionsOf(at.house)).toHaveLength(1)
})

test('who relied on a name that could not be prepared is run again', async () => {
  await using at = await start({ DATABASE_STATEMENT_TIMEOUT_MS: '300' })
  await at.house.sql('begin')
  await at.house.sql('lock table things in access exclusive mode')
  const [first, second] = [at.db.read(countThings(), {}), at.db.read(countThings(), {})]
  second.catch(() => {})
  await expect(first).rejects.toMatchObject({ code: 'TIMEOUT' })
  await at.house.sql('commit')
  expect(await second).toEqual([{ count: 0 }])
  expect(await at.db.read(countThings(), {})).toEqual([{ count: 0 }])
})

test('a cut connection costs the statement that it was at, and nobody behind it', async () => {
  await using at = await start()
  const slow = at.db.read(sleep(), { seconds: 20 })
  slow.catch(() => {})
  const behind = times(7, () => fast(at.db))
  await expect.poll(async () => (await connectionsOf(at.house)).map(({ state }) => state)).toEqual(['active'])
  const [{ pid }] = (await connectionsOf(at.house)) as unknown as [Pid]
  await at.house.sql('select pg_terminate_backend($1)', [pid])
  await expect(slow).rejects.toMatchObject({ code: 'OVERLOADED' })
  const pids = pidsOf(await behind)
  expect(pids.size).toBeGreaterThan(0)
  expect(pids).not.toContain(pid)
  expect(pidsOf(await times(8, () => fast(at.db))).size).toBe(1)
})

test('connections cut under load cost at most what each was at, and are replaced', async () => {
  await using at = await start()
  const failures: unknown[] = []
  let last = 0
  let isOver = false
  const end = performance.now() + 20_000
  const readers = times(40, async () => {
    while (!isOver && performance.now() < end) {
      await fast(at.db).then(
        () => (last = performance.now()),
        (error) => failures.push(error),
      )
    }
  })
  for (let cut = 0; cut < 5; cut++) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    await at.house.sql(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'plumbline'`,
    )
  }
  const cut = performance.now()
  await expect.poll(() => last).toBeGreaterThan(cut)
  isOver = true
  await readers
  for (const failure of failures) expect(failure).toMatchObject({ code: 'OVERLOADED' })
  // Each cut ends the pool's five connections at most.
  expect(failures.length).toBeLessThanOrEqual(25)
})

test('a silent network is given up after the time in which the server would have answered', async () => {
  await using home = await start()
  const { hostname, port, pathname, username, password } = new URL(home.house.url)
  const sockets: Socket[] = []
  const proxy = createServer((client) => {
    const server = connect(Number(port), hostname)
    sockets.push(
      client.on('error', () => {}),
      server.on('error', () => {}),
    )
    client.pipe(server).pipe(client)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const { port: through } = proxy.address() as { port: number }
  const url = `postgresql://${username}:${password}@127.0.0.1:${through}${pathname}`
  await using at = await start({ DATABASE_URL: url, DATABASE_STATEMENT_TIMEOUT_MS: '1000' })
  await fast(at.db)
  for (const socket of sockets) socket.unpipe().pause()
  const lost = times(3, () => fast(at.db))
  await new Promise((resolve) => setTimeout(resolve, 20))
  const real = performance.now.bind(performance)
  vi.spyOn(performance, 'now').mockImplementation(() => real() + 6_001)
  expect((await fast(at.db))[0]?.pid).toBeGreaterThan(0)
  expect(pidsOf(await lost).size).toBeGreaterThan(0)
  for (const socket of sockets) socket.destroy()
  proxy.close()
})

test('the time behind others is wait, and the time of its own is duration', async () => {
  await using at = await start()
  const facts: Facts['statement.finished'][] = []
  const stop = fact('statement.finished').listen((fact) => facts.push(fact))
  await Promise.all([at.db.read(sleep(), { seconds: 0.15 }), fast(at.db)])
  stop()
  const [first, second] = facts as [Facts['statement.finished'], Facts['statement.finished']]
  expect([first.statement, second.statement]).toEqual(['sleep', 'whoami'])
  expect(first.duration).toBeGreaterThanOrEqual(149)
  expect(second.wait).toBeGreaterThanOrEqual(149)
  expect(second.duration).toBeLessThan(second.wait)
})
