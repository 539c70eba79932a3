import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Viewer } from '../../src/graph/context.js'
import { startHouse, type TestApp } from '../support.js'

const admin: Viewer = { id: randomUUID(), role: 'ADMIN' }
const user: Viewer = { id: randomUUID(), role: 'USER' }
let api: TestApp

beforeAll(async () => {
  api = await startHouse()
  const add = (name: string, count: number) =>
    api.sql(`select graphile_worker.add_job($1) from generate_series(1, $2)`, [name, count])
  await add('one', 3)
  await add('two', 4)
  await api.sql(`select graphile_worker.add_job('two', run_at => now() + interval '1 day')`)
  await api.sql(`update graphile_worker._private_jobs set locked_at = now(), locked_by = 'w' where id = 1`)
  await api.sql(
    `update graphile_worker._private_jobs set attempts = 25, last_error = 'It broke.', updated_at = now() + id * interval '1 s' where id in (2, 3, 4)`,
  )
})
afterAll(() => api[Symbol.asyncDispose]())

const counts = '{ jobCounts { name waiting running dead dueSince } }'
const dead = 'query ($first: Int) { deadJobs(first: $first) { id name attempts error enqueuedAt failedAt } }'
const retry = 'mutation ($id: ID!) { retryJob(input: { id: $id }) { id errors { code field } } }'

test('administrators see how many jobs there are, and since when they wait', async () => {
  const { data } = await api.query(counts, {}, { as: admin })
  const dueSince = expect.stringMatching(/^\d{4}-.*Z$/)
  expect(data.jobCounts).toEqual([
    { name: 'one', waiting: 0, running: 1, dead: 2, dueSince: null },
    { name: 'two', waiting: 4, running: 0, dead: 1, dueSince },
  ])
})

test('they see the dead ones with their errors, and try them again', async () => {
  const { data } = await api.query(dead, { first: 2 }, { as: admin })
  expect(data.deadJobs).toMatchObject([
    { id: '4', name: 'two', attempts: 25, error: 'It broke.' },
    { id: '3', name: 'one', attempts: 25, error: 'It broke.' },
  ])
  expect((await api.query(retry, { id: '4' }, { as: admin })).data.retryJob).toEqual({ id: '4', errors: [] })
  expect(await api.sql('select attempts from graphile_worker.jobs where id = 4')).toEqual([{ attempts: 0 }])
  for (const id of ['4', '5', '99', 'x', '9'.repeat(30)])
    expect((await api.query(retry, { id }, { as: admin })).data.retryJob).toEqual({
      id: null,
      errors: [{ code: 'NOT_FOUND', field: ['id'] }],
    })
})

test('nobody else does', async () => {
  for (const [as, code] of [
    [undefined, 'UNAUTHENTICATED'],
    [user, 'FORBIDDEN'],
  ] as const)
    for (const document of [counts, dead, retry.replace('($id: ID!)', '').replace('$id', '"1"')]) {
      const { errors } = await api.query(document, {}, as ? { as } : {})
      expect(errors?.[0].extensions.code).toBe(code)
    }
})

test('the number of dead ones is bounded', async () => {
  for (const first of [-1, 101]) {
    const { errors } = await api.query(dead, { first }, { as: admin })
    expect(errors?.[0].extensions.code).toBe('BAD_USER_INPUT')
  }
})
