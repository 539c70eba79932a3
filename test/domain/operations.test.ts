import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startBusiness, type TestApp } from '../support.js'
import { type Call, operations, readOperation, seedCalls } from './operations.js'

let app: TestApp
let calls: Record<string, Call>

beforeAll(async () => {
  app = await startBusiness()
  calls = await seedCalls(app)
})
afterAll(() => app[Symbol.asyncDispose]())

test('every operation that clients send is sent here', () => {
  expect(operations.sort()).toEqual(Object.keys(calls).sort())
})

test.each(operations)('%s is answered without an error, and no detector finds anything', async (name) => {
  const document = readOperation(name)
  expect(document).toMatch(new RegExp(`^(query|mutation) ${pascalCase(name)}\\b`, 'm'))
  const { variables, as, path } = calls[name] as Call
  const { data, errors, findings } = await app.query(document, variables, as && { as })
  expect(errors).toBeUndefined()
  expect(data).toHaveProperty(path)
  expect(findings).toEqual([])
})

const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')
const examples = [...readme.matchAll(/```graphql\n(.*?)```/gs)].map(([, example]) => example as string)

test.each(examples)('the README may tell to send %s', async (example) => {
  const { data, errors } = await app.query(example)
  expect(errors).toBeUndefined()
  expect(JSON.stringify(data).length).toBeGreaterThan(100)
})

function pascalCase(name: string): string {
  return name.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())
}
