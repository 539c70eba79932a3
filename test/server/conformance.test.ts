import { serverAudits } from 'graphql-http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startHouse, type TestApp } from '../support.js'

let house: TestApp
beforeAll(async () => {
  house = await startHouse()
})
afterAll(() => house[Symbol.asyncDispose]())

// GraphQL over HTTP, as its reference implementation audits it, for both media types.
const required = serverAudits({ url: () => `${house.app.url}/graphql` }).filter(({ name }) => !name.startsWith('MAY'))

test.each(required.map((audit) => [audit.id, audit.name, audit] as const))('%s: %s', async (_id, _name, audit) => {
  const result = await audit.fn()
  expect('reason' in result ? result.reason : '').toBe('')
})
