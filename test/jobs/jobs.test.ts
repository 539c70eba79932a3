import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { inRequest } from '../../src/core/request.js'
import { plain } from '../../src/db/statement.js'
import type { Slice } from '../../src/graph/slice.js'
import { enqueue } from '../../src/jobs/enqueue.js'
import { defineJob, type Job, type Run } from '../../src/jobs/job.js'
import { startHouse, type TestApp } from '../support.js'

interface Seen {
  readonly text: string
  readonly run: Run
}

let seen: Seen[] = []
const behaviour: { run: (text: string, run: Run) => Promise<void> } = { run: async () => {} }
const payload = z.object({ text: z.string() })
const run = async ({ text }: { text: string }, run: Run) => {
  seen.push({ text, run })
  await behaviour.run(text, run)
}
const note = defineJob({ name: 'note', payload, run })
const quick = defineJob({ name: 'quick', payload, timeout: 50, attempts: 1, run })
const urgent = defineJob({ name: 'urgent', payload, priority: -1, run })
const alone = defineJob({ name: 'alone', payload, unique: ({ text }) => text, run })
const ordered = defineJob({ name: 'ordered', payload, queue: () => 'one', run })
const orderedToo = defineJob({ name: 'ordered-too', payload, queue: () => 'one', run })
const orderedAlone = defineJob({ ...ordered, name: 'ordered-alone', unique: ({ text }) => text.slice(0, 1) })
const once = defineJob({ name: 'once', payload, unique: () => 'only', attempts: 1, run })
const jobs: readonly Job[] = [note, quick, urgent, alone, ordered, orderedToo, orderedAlone, once]
const slice: Slice = { name: 'jobs', entities: [], resolvers: [], nodes: [], jobs }

let api: TestApp
beforeAll(async () => {
  api = await startHouse({ WORKER: 'on', WORKER_CONCURRENCY: '4', LOG_LEVEL: 'info' }, [slice])
})
afterAll(() => api[Symbol.asyncDispose]())
beforeEach(() => {
  seen = []
  behaviour.run = async () => {}
})

const texts = () => seen.map(({ text }) => text)
const put = (...wanted: [Job<{ text: string }>, string][]) =>
  api.app.db.write(async (tx) => {
    for (const [job, text] of wanted) enqueue(tx, job, { text })
  })
const waiting = () =>
  api.sql<{ id: string; attempts: number; last_error: string | null }>('select * from graphile_worker.jobs')
const idle = () => expect.poll(waiting).toEqual([])

test('a job is done once its transaction has committed, and never where it rolled back', async () => {
  const failing = api.app.db.write(async (tx) => {
    enqueue(tx, note, { text: 'never' })
    await tx.sql(() => ({ compile: () => ({ sql: 'select 1', parameters: [] }) }) as never, [])
    throw new Error('rolled back')
  })
  await expect(failing).rejects.toThrow('rolled back')
  let ended = false
  await api.app.db.write(async (tx) => {
    enqueue(tx, note, { text: 'once' })
    await sleep(200)
    ended = true
    expect(texts()).toEqual([])
  })
  await expect.poll(() => texts()).toEqual(['once'])
  expect(ended).toBe(true)
  await idle()
})

test('a job that is enqueued after the commit is refused, not forgotten', async () => {
  const late = Promise.withResolvers<string>()
  await api.app.db.write(async (tx) => {
    enqueue(tx, note, { text: 'in time' })
    tx.afterCommit(() => {
      try {
        enqueue(tx, note, { text: 'late' })
        late.resolve('taken')
      } catch (error) {
        late.resolve((error as Error).message)
      }
    })
  })
  expect(await late.promise).toContain('has ended')
  await idle()
})

test('a job that no slice lists is refused, under the name of one that is listed too', async () => {
  for (const name of ['unlisted', 'note']) {
    const unlisted = defineJob({ name, payload, run })
    await expect(put([unlisted, 'never'])).rejects.toThrow(`No slice lists the job ${name}`)
  }
  expect(await waiting()).toEqual([])
  expect(texts()).toEqual([])
})

test('jobs of one queue run one after another, as they were enqueued, whatever they are', async () => {
  let running = 0
  behaviour.run = async () => {
    running++
    await sleep(5)
    expect(running).toBe(1)
    running--
  }
  const all = Array.from({ length: 20 }, (_, index) => String(index))
  await put(...all.map((text, index): [Job<{ text: string }>, string] => [index % 2 ? ordered : orderedToo, text]))
  await idle()
  expect(texts()).toEqual(all)
})

test('a payload is checked when it is enqueued, and again before it is used', async () => {
  await expect(api.app.db.write(async (tx) => enqueue(tx, note, { text: 7 } as never))).rejects.toThrow(
    'expected string',
  )
  await api.sql(`select graphile_worker.add_job('note', '{"payload":{"text":7}}', max_attempts => 1)`)
  await expect.poll(async () => (await waiting())[0]?.last_error).toContain('expected string')
  expect(texts()).toEqual([])
  await api.sql('delete from graphile_worker._private_jobs')
})

test('a payload with the character U+0000, which no text of the database can hold, is bad input', async () => {
  await expect(put([note, 'a\0b'])).rejects.toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }))
})

test('of unique jobs that wait the last one runs', async () => {
  await put([alone, 'same'], [alone, 'same'], [alone, 'other'])
  await idle()
  expect(texts().sort()).toEqual(['other', 'same'])
})

test('of unique jobs of one queue the last one runs in its own place', async () => {
  await put([orderedAlone, 'a 1'], [orderedAlone, 'b 1'], [orderedAlone, 'a 2'])
  await idle()
  expect(texts()).toEqual(['b 1', 'a 2'])
})

test('a unique job is kept when a worker takes its predecessor just as it is enqueued', async () => {
  await using house = await startHouse({}, [slice])
  const enqueueOne = () => house.app.db.write(async (tx) => enqueue(tx, alone, { text: 'same' }))
  await enqueueOne()
  const worker = new Client({ connectionString: house.url })
  await worker.connect()
  try {
    await worker.query('begin')
    await worker.query(
      "update graphile_worker._private_jobs set locked_at = now(), locked_by = 'w', attempts = attempts + 1",
    )
    const second = enqueueOne()
    const waiting = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    await expect.poll(() => house.sql(waiting)).toHaveLength(1)
    await worker.query('commit')
    await second
  } finally {
    await worker.end()
  }
  expect(await house.sql('select key, locked_by from graphile_worker.jobs order by id')).toEqual([
    { key: null, locked_by: 'w' },
    { key: 'alone:same', locked_by: null },
  ])
})

test('whoever enqueues a unique job does not wait for what its predecessor writes', async () => {
  const [begun, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  behaviour.run = async (text, run) => {
    if (seen.length > 1) return
    await run.write(async (tx) => {
      begun.resolve()
      await end.promise
      await things(tx, text)
    })
  }
  await put([alone, 'busy'])
  await begun.promise
  await put([alone, 'busy'])
  end.resolve()
  await idle()
  expect(seen).toHaveLength(2)
  expect(await boxes('busy')).toBe(1)
})

test('a unique job that fails when the next one waits is over: it is neither dead nor tried again', async () => {
  behaviour.run = async (text) => {
    if (seen.length > 1) return
    await put([once, text])
    throw new Error('too early')
  }
  await put([once, 'first'])
  await idle()
  expect(seen).toHaveLength(2)
  const told = api.logged.filter(({ job, level }) => job === 'once' && level !== 'info')
  expect(told.map(({ msg, err }) => [msg, err?.message])).toEqual([
    ['a job failed; the next one with its key does what it should', 'too early'],
  ])
})

test('a unique job that runs is done to its end when the next one with its key is enqueued', async () => {
  behaviour.run = async (text, run) => {
    if (seen.length === 1) await put([alone, text])
    await run.write((tx) => things(tx, text))
    await run.finish((tx) => things(tx, text))
  }
  await put([alone, 'again'])
  await idle()
  expect(seen).toHaveLength(2)
  expect(await boxes('again')).toBe(4)
})

test('what waits for its turn goes by priority', async () => {
  const [one, others] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  behaviour.run = (text) => (text === 'one' ? one.promise : text === 'other' ? others.promise : Promise.resolve())
  await put([note, 'one'], [note, 'other'], [note, 'other'], [note, 'other'])
  await expect.poll(() => seen).toHaveLength(4)
  await put([note, 'later'])
  await put([urgent, 'now'])
  // Only one is free then: two would take a job each.
  one.resolve()
  await expect.poll(() => seen).toHaveLength(6)
  others.resolve()
  await idle()
  expect(texts().slice(4)).toEqual(['now', 'later'])
})

test('a job that fails is tried again, under the same id', async () => {
  behaviour.run = async (_text, { attempt }) => {
    if (attempt === 1) throw new Error('not yet')
  }
  await put([note, 'twice'])
  await expect.poll(waiting).toMatchObject([{ attempts: 1, last_error: 'not yet' }])
  await api.sql('update graphile_worker._private_jobs set run_at = now()')
  await idle()
  expect(seen.map(({ run }) => run.attempt)).toEqual([1, 2])
  expect(seen[0]?.run.id).toBe(seen[1]?.run.id)
})

test('what administrators are told of a failure holds no words of the driver', async () => {
  behaviour.run = (_text, run) => run.write((tx) => tx.sql(plain('select $1::uuid', ['a secret']), [])).then(() => {})
  await put([note, 'failing'])
  await expect.poll(async () => (await waiting())[0]?.last_error).toBe('It failed with 22P02: the log has more.')
  await api.sql('delete from graphile_worker._private_jobs')
})

test.each(['a\0b', '\ud83d', 'long '.repeat(1_000)])('a failure may say %.8j', async (words) => {
  behaviour.run = () => Promise.reject(new Error(words))
  const before = api.logged.length
  await put([note, 'odd'])
  await expect.poll(async () => (await waiting())[0]?.last_error).toBeTruthy()
  expect((await waiting())[0]?.last_error).toBe(words.slice(0, 2_000).replace(/[\0\ud83d]/u, '\ufffd'))
  expect(api.logged.slice(before).filter(({ level }) => level === 'error')).toEqual([])
  await api.sql('delete from graphile_worker._private_jobs')
})

test('a job that takes too long has failed, is told so, and is dead after its last attempt', async () => {
  behaviour.run = () => sleep(10_000, undefined, { ref: false })
  await put([quick, 'slow'])
  await expect.poll(waiting).toMatchObject([{ last_error: 'It took longer than 50 ms.' }])
  expect(seen[0]?.run.signal.aborted).toBe(true)
  expect(api.logged).toContainEqual(expect.objectContaining({ level: 'error', msg: 'a job is dead', job: 'quick' }))
  await sleep(100)
  expect(seen).toHaveLength(1)
  await api.sql('delete from graphile_worker._private_jobs')
})

test('a job belongs to the request that enqueued it', async () => {
  await inRequest({ id: 'the-request' }, () => put([note, 'asked']))
  await idle()
  expect(api.logged).toContainEqual(
    expect.objectContaining({ job: 'note', requestId: 'the-request', operation: 'note' }),
  )
})

const things = (tx: Parameters<Parameters<TestApp['app']['db']['write']>[0]>[0], text: string) =>
  tx.sql(
    () =>
      ({
        compile: () => ({
          sql: 'insert into boxes (id, label, secret) values (gen_random_uuid(), $1, $1)',
          parameters: [text],
        }),
      }) as never,
    [],
  )
const boxes = async (label: string) => (await api.sql('select 1 from boxes where label = $1', [label])).length

test('what is written as a job ends is written once, however it ends', async () => {
  behaviour.run = async (text, run) => {
    await run.finish((tx) => things(tx, text))
    throw new Error('after its end')
  }
  await put([ordered, 'ended'], [ordered, 'next'])
  await idle()
  expect([await boxes('ended'), await boxes('next')]).toEqual([1, 1])
  expect(texts()).toEqual(['ended', 'next'])
  expect(await api.sql('select 1 from graphile_worker._private_job_queues where locked_by is not null')).toEqual([])
})

test('a worker that was taken for dead writes nothing any more', async () => {
  behaviour.run = async (text, run) => {
    if (run.attempt > 1) return run.finish((tx) => things(tx, `${text} second`)).then(() => {})
    await api.sql(`update graphile_worker._private_jobs set locked_by = null, locked_at = null`)
    await expect.poll(() => seen).toHaveLength(2)
    await expect(run.write((tx) => things(tx, text))).rejects.toThrow('Another worker')
    await run.finish((tx) => things(tx, text))
  }
  await put([note, 'lost'])
  await idle()
  expect([await boxes('lost'), await boxes('lost second')]).toEqual([0, 1])
})
