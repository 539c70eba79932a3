import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startHouse, type TestApp } from '../support.js'

let on: TestApp
let off: TestApp
beforeAll(async () => {
  on = await startHouse({ GRAPHIQL: 'on' })
  off = await startHouse()
})
afterAll(() => Promise.all([on, off].map((house) => house[Symbol.asyncDispose]())))

const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
const visit = (house: TestApp) => fetch(`${house.app.url}/graphql`, { headers: { accept: browser } })

test('browsers get a page that may run its own script and load nothing from elsewhere', async () => {
  const response = await visit(on)
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
  const html = await response.text()
  const policy = response.headers.get('content-security-policy') ?? ''
  const script = html.slice(html.indexOf('<script>') + '<script>'.length, html.indexOf('</script>'))
  expect(policy).toContain(`script-src 'sha256-${createHash('sha256').update(script).digest('base64')}';`)
  expect(policy).toContain("default-src 'none'")
  expect(policy).not.toMatch(/unsafe-eval|https?:|\*/)
  expect(html).not.toMatch(/<(script|link|img)[^>]+(src|href)="https?:/)
})

test('programs get GraphQL at the same place', async () => {
  expect((await on.query('{ __typename }')).data).toEqual({ __typename: 'Query' })
  const other = await fetch(`${on.app.url}/livez`, { headers: { accept: browser } })
  expect(other.headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'none'")
})

test('it is off unless it is configured', async () => {
  const response = await visit(off)
  expect([response.status, response.headers.get('content-type')]).toEqual([400, 'application/json; charset=utf-8'])
})
