import { afterAll, beforeAll, expect, test } from 'vitest'
import { carriers } from '../../../src/domain/shop/carrier.data.js'
import type { Viewer } from '../../../src/graph/context.js'
import { encodeId } from '../../../src/graph/node.js'
import { freePort } from '../../observe/scrape.js'
import { hang, record, startNeighbour, status } from '../../remote/neighbour.js'
import { startBusiness, type TestApp } from '../../support.js'
import { readOperation } from '../operations.js'
import { addProduct, addUser } from './goods.js'

let api: TestApp
let user: Viewer
beforeAll(async () => {
  api = await startBusiness()
  user = await addUser(api)
})
afterAll(() => api[Symbol.asyncDispose]())

interface Line {
  readonly productId: string
  readonly quantity: number
}

async function ask(app: TestApp, items: readonly Line[], country = 'DE', as: Viewer | null = user) {
  return app.query(readOperation('shipping-quotes'), { items, country }, as ? { as } : {})
}

test('every carrier’s quote is for the weight of all pieces, and for the country', async () => {
  const lamp = await addProduct(api, { weight: '0.350' })
  const anvil = await addProduct(api, { weight: '12.000' })
  const items = [
    { productId: lamp, quantity: 3 },
    { productId: anvil, quantity: 2 },
  ]
  // 25.05 kg: 26 are charged.
  const { data, statements } = await ask(api, items)
  expect(data.shippingQuotes).toEqual({
    quotes: [
      { carrier: 'dove-post', price: '19.50', currency: 'EUR', days: 4 },
      { carrier: 'arrow-express', price: '46.30', currency: 'EUR', days: 1 },
      { carrier: 'mule-freight', price: '32.90', currency: 'EUR', days: 9 },
    ],
    failures: [],
  })
  expect(statements.map(({ statement }) => statement)).toEqual(['productById'])
  const abroad = await ask(api, items, 'FR')
  expect(abroad.data.shippingQuotes.quotes[0]).toMatchObject({ price: '39.00', days: 8 })
})

test('a piece whose weight is not known counts for a kilogram; what a carrier does not take, it refuses', async () => {
  const statue = await addProduct(api, { weight: null })
  const { data } = await ask(api, [{ productId: statue, quantity: 31 }])
  expect(data.shippingQuotes.failures).toEqual([{ carrier: 'dove-post', reason: 'REFUSED' }])
  expect(data.shippingQuotes.quotes).toHaveLength(2)
})

test('one carrier hangs, one fails, one answers: the answer has all three, as soon as the slowest may take', async () => {
  await using hanging = await startNeighbour(hang)
  await using failing = await startNeighbour(status(500))
  await using answering = await startNeighbour((_, response) => {
    setTimeout(() => response.end('{"price":"29.90","currency":"EUR","days":9}'), 500)
  })
  await using app = await startBusiness({
    REMOTE_URLS: `dove-post=${hanging.url},arrow-express=${failing.url},mule-freight=${answering.url}`,
  })
  using called = record('remote.called')
  const items = [{ productId: await addProduct(app), quantity: 1 }]
  const began = performance.now()
  const { data, errors } = await ask(app, items)
  const took = performance.now() - began
  expect(errors).toBeUndefined()
  expect(data.shippingQuotes).toEqual({
    quotes: [{ carrier: 'mule-freight', price: '29.90', currency: 'EUR', days: 9 }],
    failures: [
      { carrier: 'dove-post', reason: 'TIMEOUT' },
      { carrier: 'arrow-express', reason: 'REFUSED' },
    ],
  })
  for (const { remote, reason = 'answered', duration, attempts } of called.told)
    console.log(`fan-out: ${remote} ${reason} after ${duration.toFixed(0)} ms, ${attempts} requests`)
  const sum = called.told.reduce((total, { duration }) => total + duration, 0)
  expect(took).toBeLessThan(sum)
  console.log(`fan-out: all in ${took.toFixed(0)} ms; their sum is ${sum.toFixed(0)} ms`)
})

test('carriers that cannot be reached are UNAVAILABLE, and nothing else suffers', async () => {
  const port = await freePort()
  const urls = carriers.map(({ name }) => `${name}=http://127.0.0.1:${port}`)
  await using app = await startBusiness({ REMOTE_URLS: urls.join() })
  const { data, errors } = await ask(app, [{ productId: await addProduct(app), quantity: 1 }])
  expect(errors).toBeUndefined()
  expect(data.shippingQuotes.failures).toEqual(carriers.map(({ name }) => ({ carrier: name, reason: 'UNAVAILABLE' })))
})

test('what cannot be sent is refused before a carrier is asked', async () => {
  using called = record('remote.called')
  const [lamp, old] = [await addProduct(api), await addProduct(api, { active: false })]
  const line = (productId: string, quantity = 1) => ({ productId, quantity })
  const codeOf = async (...asked: Parameters<typeof ask>) => (await ask(...asked)).errors?.[0].extensions.code
  expect(await codeOf(api, [line(lamp)], 'DE', null)).toBe('UNAUTHENTICATED')
  expect(await codeOf(api, [])).toBe('BAD_USER_INPUT')
  expect(await codeOf(api, [line(lamp), line(lamp)])).toBe('BAD_USER_INPUT')
  expect(await codeOf(api, [line(lamp, 0)])).toBe('BAD_USER_INPUT')
  expect(await codeOf(api, [line(lamp, 1_001)])).toBe('BAD_USER_INPUT')
  expect(await codeOf(api, [line('lamp')])).toBe('BAD_USER_INPUT')
  expect(await codeOf(api, [line(lamp)], 'de')).toBe('BAD_USER_INPUT')
  expect(await codeOf(api, [line(encodeId('Product', user.id))])).toBe('NOT_FOUND')
  expect(await codeOf(api, [line(lamp), line(old)])).toBe('NOT_FOUND')
  expect(called.told).toEqual([])
})
