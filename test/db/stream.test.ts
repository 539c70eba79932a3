import { Client } from 'pg'
import { expect, inject, test } from 'vitest'
import type { Environment } from '../../src/core/config.js'
import { type Facts, fact } from '../../src/core/events.js'
import type { Database } from '../../src/db/database.js'
import type { Statement } from '../../src/db/statement.js'
import { databaseUrl } from '../settings.js'
import { createTestDatabase, startHouse, type TestApp } from '../support.js'

const statement = (text: string): Statement => ({
  name: 'streamed',
  text,
  selection: { key: '', columns: [] },
  tables: undefined,
  prepared: undefined,
  bind: (values) => Object.values(values),
})
const numbers = statement('select n, n::numeric / 4 as quarter from generate_series(1, $1::int) n')
const naps = statement('select n, pg_sleep($1::float8)::text as nap from generate_series(1, 1000) n')
const text = statement("select n, repeat('x', $1::int) as text from generate_series(1, 3000) n")
const where = statement('select current_database() as name')

interface Row {
  readonly n: number
}

const never = new AbortController().signal

function readAll<Read = Row>(db: Database, what: Statement, values: Record<string, unknown>, after?: string) {
  const point = after ? { lsn: after, at: 0 } : undefined
  return collect(db.stream<Read>(what, values, { signal: never, after: point }))
}

async function collect<Read>(chunks: AsyncIterable<Read[]>): Promise<Read[][]> {
  const all: Read[][] = []
  for await (const rows of chunks) all.push(rows)
  return all
}

const backends = (house: TestApp) =>
  house.sql<{ pid: number; state: string; query: string }>(
    `select pid, state, query from pg_stat_activity where datname = current_database() and application_name = 'plumbline export'`,
  )
const hasBackends = (house: TestApp, count: number, timeout = 1_000) =>
  expect.poll(async () => (await backends(house)).length, { timeout, interval: 20 }).toBe(count)

async function start(config: Environment = {}) {
  const house = await startHouse(config)
  return { house, db: house.app.db, [Symbol.asyncDispose]: () => house[Symbol.asyncDispose]() }
}

async function told(work: () => Promise<unknown>): Promise<Facts['statement.finished'][]> {
  const statements: Facts['statement.finished'][] = []
  const stop = fact('statement.finished').listen((end) => void statements.push(end))
  await work().finally(stop)
  return statements.filter((end) => end.statement === 'streamed')
}

test('rows come in order, as reads answer them, and the connection ends with them', async () => {
  await using at = await start()
  const chunks = await readAll<Row & { quarter: string }>(at.db, numbers, { count: 12_345 })
  expect(chunks.length).toBeGreaterThan(10)
  expect(Math.max(...chunks.map((rows) => rows.length))).toBeLessThanOrEqual(1_000)
  expect(chunks.flat().map(({ n }) => n)).toEqual(Array.from({ length: 12_345 }, (_, index) => index + 1))
  const [row] = await at.db.read<{ quarter: string }>(statement('select 1::numeric / 4 as quarter'), {})
  expect(chunks[0]?.[0]).toEqual({ n: 1, quarter: row?.quarter })
  await hasBackends(at.house, 0)
  expect(await readAll(at.db, numbers, { count: 0 })).toEqual([])
  expect((await readAll(at.db, numbers, { count: 100 })).flat()).toHaveLength(100)
})

test('chunks of wide rows have fewer of them', async () => {
  await using at = await start()
  const [, ...later] = await readAll<Row>(at.db, text, { length: 20_000 })
  expect(later.flat()).toHaveLength(2900)
  for (const rows of later) expect(rows.length).toBeLessThan(10)
})

test('all rows are of one moment, whatever is written meanwhile', async () => {
  await using at = await start()
  await at.house.sql(
    "insert into boxes (id, label, secret) select gen_random_uuid(), 'old', '' from generate_series(1, 3000)",
  )
  const labels = at.db.stream<{ label: string }>(statement('select label from boxes'), {}, { signal: never })
  const first = await labels.next()
  await at.house.sql("update boxes set label = 'new'")
  const rest = await collect(labels)
  const seen = [first.value ?? [], ...rest].flat()
  expect([seen.length, new Set(seen.map(({ label }) => label))]).toEqual([3000, new Set(['old'])])
})

test('nothing can be changed', async () => {
  await using at = await start()
  await expect(readAll(at.db, statement("select nextval('unknown')"), {})).rejects.toThrow('does not exist')
  await at.house.sql('create sequence counted')
  await expect(readAll(at.db, statement("select nextval('counted')"), {})).rejects.toThrow('read-only transaction')
})

test('an abort cancels the statement that runs, and frees the connection within a second', async () => {
  await using at = await start()
  const leave = new AbortController()
  const rows = at.db.stream(naps, { each: 0.1 }, { signal: leave.signal })
  const first = rows.next()
  await expect.poll(async () => (await backends(at.house))[0]?.query).toMatch('fetch 100')
  const reason = new Error('enough')
  const [end] = await told(async () => {
    leave.abort(reason)
    await expect(first).rejects.toBe(reason)
    await hasBackends(at.house, 0)
  })
  expect(end).toMatchObject({ rows: 0, error: reason })
  expect((await rows.next()).done).toBe(true)
})

test('an abort frees the connection while nobody asks for the next rows', async () => {
  await using at = await start()
  const leave = new AbortController()
  const rows = at.db.stream(numbers, { count: 1e7 }, { signal: leave.signal })
  await rows.next()
  expect(await backends(at.house)).toHaveLength(1)
  leave.abort()
  await hasBackends(at.house, 0)
  await expect(collect(rows)).rejects.toThrow('aborted')
})

test('an abort before the first row connects nowhere; one while it connects leaves nothing', async () => {
  await using at = await start()
  await expect(at.db.stream(numbers, { count: 1 }, { signal: AbortSignal.abort() }).next()).rejects.toThrow('aborted')
  for (let delay = 0; delay < 10; delay++) {
    const leave = new AbortController()
    const first = at.db.stream(naps, { each: 0.01 }, { signal: leave.signal }).next()
    setTimeout(() => leave.abort(), delay)
    await expect(first).rejects.toThrow('aborted')
  }
  await hasBackends(at.house, 0)
  expect((await readAll(at.db, numbers, { count: 5 })).flat()).toHaveLength(5)
})

test('whoever stops reading frees the connection', async () => {
  await using at = await start()
  for await (const rows of at.db.stream(numbers, { count: 1e7 }, { signal: never })) {
    expect(rows.length).toBeGreaterThan(0)
    break
  }
  await hasBackends(at.house, 0)
})

test('each chunk has the time of a statement, all of them have more', async () => {
  await using at = await start({ DATABASE_STATEMENT_TIMEOUT_MS: '400' })
  const began = performance.now()
  expect((await readAll(at.db, naps, { each: 0.001 })).flat()).toHaveLength(1_000)
  expect(performance.now() - began).toBeGreaterThan(1_000)
  // Nor is it a slow statement, for all it took.
  expect(at.house.logged).toEqual([])
  await expect(readAll(at.db, naps, { each: 0.1 })).rejects.toMatchObject({ code: 'TIMEOUT' })
  await hasBackends(at.house, 0)
})

test('a process that does not come to the next rows is cut by the database', async () => {
  await using at = await start({ EXPORT_IDLE_TIMEOUT_MS: '100' })
  const rows = at.db.stream(numbers, { count: 1e6 }, { signal: never })
  await rows.next()
  await hasBackends(at.house, 0)
  await expect(collect(rows)).rejects.toMatchObject({ code: 'OVERLOADED' })
})

test('a lost connection and a failing row end it', async () => {
  await using at = await start()
  const rows = at.db.stream(numbers, { count: 1e6 }, { signal: never })
  await rows.next()
  const [backend] = await backends(at.house)
  await at.house.sql('select pg_terminate_backend($1)', [backend?.pid])
  await expect(collect(rows)).rejects.toMatchObject({ code: 'OVERLOADED' })
  const failing = statement('select 1 / (n - 5000) as n from generate_series(1, 9000) n')
  await expect(readAll(at.db, failing, {})).rejects.toThrow('division by zero')
  await hasBackends(at.house, 0)
})

test('so many run at once, and no more', async () => {
  await using at = await start({ EXPORT_CONNECTIONS: '2' })
  const two = [1, 2].map(() => at.db.stream(numbers, { count: 1e6 }, { signal: never }))
  for (const rows of two) await rows.next()
  await expect(readAll(at.db, numbers, { count: 1 })).rejects.toMatchObject({ code: 'OVERLOADED' })
  await two[0]?.return()
  expect((await readAll(at.db, numbers, { count: 1 })).flat()).toHaveLength(1)
  await two[1]?.return()
})

test('its end is told once: the rows, and what the database took for them', async () => {
  await using at = await start()
  const slowly = async () => {
    for await (const _ of at.db.stream(numbers, { count: 2_000 }, { signal: never }))
      await new Promise((resolve) => setTimeout(resolve, 500))
  }
  const ends = await told(slowly)
  expect(ends).toMatchObject([{ rows: 2_000, pool: 'export', values: [2_000], inTransaction: false, error: undefined }])
  expect(ends[0]?.duration).toBeLessThan(900)
  expect(ends[0]?.duration).toBeGreaterThan(0)
  expect(at.house.logged).toEqual([])
})

test('rows come from the first replica that answers, where it has what the client saw', async () => {
  const replica = await createTestDatabase('template_house')
  const name = new URL(replica.url).pathname.slice(1)
  const dead = databaseUrl(inject('postgres'), 'nowhere')
  try {
    await using at = await start({ DATABASE_REPLICA_URLS: `${dead},postgres://x@127.0.0.1:1/x,${replica.url}` })
    const answer = async (after?: string) => (await readAll<{ name: string }>(at.db, where, {}, after)).flat()[0]?.name
    const [end] = await told(async () => expect(await answer()).toBe(name))
    expect(end?.pool).toBe('export-replica')
    expect(at.house.logged).toMatchObject(Array(2).fill({ msg: 'a replica does not answer' }))

    const [now] = await at.house.sql<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn')
    expect(await answer(now?.lsn)).toBe(name)
    const [later] = await told(async () =>
      expect(await answer('FFFFFFFF/0')).toBe(new URL(at.house.url).pathname.slice(1)),
    )
    expect(later?.pool).toBe('export')
    const client = new Client({ connectionString: replica.url })
    await client.connect()
    const { rows } = await client.query(
      "select 1 from pg_stat_activity where datname = current_database() and application_name = 'plumbline export'",
    )
    await client.end()
    expect(rows).toEqual([])
  } finally {
    await replica.drop()
  }
})

test('closing the database cancels what runs', async () => {
  await using at = await start()
  const rows = at.db.stream(naps, { each: 0.1 }, { signal: never }).next()
  const ended = expect(rows).rejects.toMatchObject({ code: 'TIMEOUT' })
  await expect.poll(async () => (await backends(at.house))[0]?.query).toMatch('fetch 100')
  const began = performance.now()
  await at.db.close()
  // Its first rows alone take 10 s.
  expect(performance.now() - began).toBeLessThan(5_000)
  await ended
  await hasBackends(at.house, 0)
})
