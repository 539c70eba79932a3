import { afterAll, beforeAll, expect, test } from 'vitest'
import { startBusiness, type TestApp } from '../support.js'

let api: TestApp

beforeAll(async () => {
  api = await startBusiness()
})
afterAll(() => api[Symbol.asyncDispose]())

async function subscribe(email: string) {
  const mutation = 'mutation ($email: String!) { subscribe(input: { email: $email }) { email errors { code field } } }'
  const { data, errors } = await api.query(mutation, { email })
  expect(errors).toBeUndefined()
  return data.subscribe
}

test('an address subscribes once, and the answer does not tell whether it had', async () => {
  const answers = await Promise.all(['Ann@Example.com', 'ann@example.com', 'ann@example.com'].map(subscribe))
  for (const answer of answers) expect(answer).toEqual({ email: 'ann@example.com', errors: [] })
  expect(await api.sql('select email from subscribers')).toEqual([{ email: 'ann@example.com' }])
})

test.each(['', 'nobody', 'a@b', `${'x'.repeat(300)}@example.com`, 'a b@example.com'])(
  '%j is refused',
  async (email) => {
    const { email: answered, errors } = await subscribe(email)
    expect(answered).toBeNull()
    expect(errors[0]).toEqual({ code: 'INVALID', field: ['email'] })
  },
)
