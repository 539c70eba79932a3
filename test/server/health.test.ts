import { afterAll, beforeAll, expect, test } from 'vitest'
import { startHouse, type TestApp } from '../support.js'

let house: TestApp
beforeAll(async () => {
  house = await startHouse()
})
afterAll(() => house[Symbol.asyncDispose]())

const probe = async (path: string) => {
  const response = await fetch(house.app.url + path)
  return { status: response.status, body: await response.json() }
}

test('the process is live and the house is ready', async () => {
  expect(await probe('/livez')).toEqual({ status: 200, body: { status: 'live' } })
  expect(await probe('/readyz')).toEqual({ status: 200, body: { status: 'ready', checks: { database: true } } })
})

test('it is not ready while a check fails or does not answer, and live all the same', async () => {
  let check = (): Promise<unknown> => Promise.reject(new Error('no'))
  house.app.ready('another', () => check())
  const refused = { status: 503, body: { status: 'not ready', checks: { database: true, another: false } } }
  expect(await probe('/readyz')).toEqual(refused)
  check = () => new Promise(() => {})
  expect(await probe('/readyz')).toEqual(refused)
  expect((await probe('/livez')).status).toBe(200)
  check = () => Promise.resolve()
  expect((await probe('/readyz')).status).toBe(200)
})
