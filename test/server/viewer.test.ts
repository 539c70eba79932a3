import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { base64url, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Config, loadConfig } from '../../src/core/config.js'
import { createLog } from '../../src/core/log.js'
import { createViewers, type Viewers } from '../../src/server/viewer.js'
import { jwtSecret } from '../settings.js'
import { startHouse, type TestApp, tokenFor } from '../support.js'

const ada = { id: randomUUID(), role: 'ADMIN' as const }
const log = createLog({ LOG_LEVEL: 'silent' })
const configOf = (variables: Record<string, string> = {}): Config =>
  loadConfig({ DATABASE_URL: 'postgres://nowhere', JWT_SECRET: jwtSecret, ...variables })
const now = () => Math.floor(Date.now() / 1000)
const signed = (claims: object, secret = jwtSecret, alg = 'HS256') =>
  new SignJWT({ ...claims }).setProtectedHeader({ alg }).sign(new TextEncoder().encode(secret))

describe('over HTTP', () => {
  let house: TestApp
  beforeAll(async () => {
    house = await startHouse()
  })
  afterAll(() => house[Symbol.asyncDispose]())

  test('a valid token is the viewer, and none is anonymous', async () => {
    expect((await house.query('{ secret }', {}, { as: ada })).data).toEqual({ secret: ada.id })
    const anonymous = await house.query('{ secret }')
    expect(anonymous.status).toBe(200)
    expect(anonymous.errors?.[0].extensions.code).toBe('UNAUTHENTICATED')
    const other = await house.query('{ secret }', {}, { as: { id: randomUUID(), role: 'USER' } })
    expect(other.errors?.[0].extensions.code).toBe('FORBIDDEN')
  })

  test('the scheme is read in any case', async () => {
    const headers = { authorization: `bearer ${await tokenFor(ada)}` }
    expect((await house.query('{ secret }', {}, { headers })).data).toEqual({ secret: ada.id })
  })

  const header = base64url.encode('{"alg":"none"}')
  const wrong: [string, () => string | Promise<string>][] = [
    ['of another scheme', () => 'Basic YWRhOnB3'],
    ['without a token', () => 'Bearer'],
    ['of no JWT', () => 'Bearer abc'],
    ['of three words', () => 'Bearer a.b.c'],
    ['unsigned', () => `Bearer ${header}.${base64url.encode(JSON.stringify({ sub: ada.id, iat: now() }))}.`],
    ['expired', async () => `Bearer ${await tokenFor(ada, { exp: now() - 60 })}`],
    ['from the future', async () => `Bearer ${await tokenFor(ada, { iat: now() + 600, exp: now() + 900 })}`],
    ['older than the greatest age', async () => `Bearer ${await tokenFor(ada, { iat: now() - 7200 })}`],
    ['without a time of issue', async () => `Bearer ${await tokenFor(ada, { iat: undefined })}`],
    ['of another secret', async () => `Bearer ${await signed({ sub: ada.id, iat: now() }, 'x'.repeat(40))}`],
    ['of another algorithm', async () => `Bearer ${await signed({ sub: ada.id, iat: now() }, jwtSecret, 'HS512')}`],
    ['of nobody', async () => `Bearer ${await tokenFor(ada, { sub: undefined })}`],
    ['of somebody whose id is no id', async () => `Bearer ${await tokenFor(ada, { sub: "x' or 1=1" })}`],
    ['of an unknown role', async () => `Bearer ${await tokenFor(ada, { role: 'ROOT' })}`],
    ['with a letter changed', async () => `Bearer ${(await tokenFor(ada)).replace(/.\./, '..').replace('..', 'A.')}`],
  ]
  test.each(wrong)('a token %s is 401, never anonymous', async (_name, authorization) => {
    const answer = await house.query('{ __typename }', {}, { headers: { authorization: await authorization() } })
    expect(answer.status).toBe(401)
    expect(answer.headers['www-authenticate']).toContain('Bearer')
    expect(answer.data).toBeUndefined()
    expect(answer.errors?.[0].extensions).toEqual({ code: 'UNAUTHENTICATED' })
  })
})

describe('a token of ours', () => {
  test('is verified, and says when it ends', async () => {
    const viewers = createViewers(configOf({ JWT_ISSUER: 'https://id.example.com', JWT_AUDIENCE: 'api' }), log)
    const { token, expiresAt } = await viewers.issue(ada)
    expect(await viewers.verify(`Bearer ${token}`)).toEqual(ada)
    expect(expiresAt).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00$/)
    expect(Date.parse(expiresAt) / 1000 - now()).toBeGreaterThan(890)
  })

  test('of the previous secret is valid, but none is signed with it', async () => {
    const before = createViewers(configOf({ JWT_SECRET: 'the secret that was valid until last week' }), log)
    const after = createViewers(configOf({ JWT_SECRET_PREVIOUS: 'the secret that was valid until last week' }), log)
    expect(await after.verify(`Bearer ${(await before.issue(ada)).token}`)).toEqual(ada)
    await expect(before.verify(`Bearer ${(await after.issue(ada)).token}`)).rejects.toThrow('not valid')
  })

  test('of another issuer or audience is refused', async () => {
    const viewers = createViewers(configOf({ JWT_ISSUER: 'https://id.example.com', JWT_AUDIENCE: 'api' }), log)
    const claims = { sub: ada.id, iat: now(), iss: 'https://id.example.com', aud: 'api' }
    expect(await viewers.verify(`Bearer ${await signed(claims)}`)).toMatchObject({ id: ada.id, role: 'USER' })
    for (const other of [{ iss: 'https://evil.example.com' }, { aud: 'shop' }])
      await expect(viewers.verify(`Bearer ${await signed({ ...claims, ...other })}`)).rejects.toThrow('not valid')
  })

  test('is remembered, and never past its end', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      const viewers = createViewers(configOf(), log)
      const token = await tokenFor(ada, { exp: now() + 30 })
      const first = await viewers.verify(`Bearer ${token}`)
      expect(await viewers.verify(`Bearer ${token}`)).toBe(first)
      vi.setSystemTime(Date.now() + 40_000)
      await expect(viewers.verify(`Bearer ${token}`)).rejects.toThrow('expired')
    } finally {
      vi.useRealTimers()
    }
  })
})

describe("an identity provider's token", () => {
  let status: number
  let asked: number
  let keys: Awaited<ReturnType<typeof generateKeyPair>>
  let viewers: Viewers
  let close: () => void

  beforeEach(async () => {
    status = 200
    asked = 0
    keys = await generateKeyPair('ES256')
    const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'ES256' }
    const provider = createServer((_request, response) => {
      asked++
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [jwk] }))
    })
    await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve))
    const { port } = provider.address() as AddressInfo
    viewers = createViewers(configOf({ JWT_JWKS_URL: `http://127.0.0.1:${port}/jwks.json` }), log)
    close = () => void provider.close()
  })
  afterEach(() => close())

  const token = async (kid: string) => {
    const jwt = new SignJWT({ sub: ada.id, role: 'ADMIN', iat: now() }).setProtectedHeader({ alg: 'ES256', kid })
    return `Bearer ${await jwt.sign(keys.privateKey)}`
  }

  test('is verified by the keys it publishes, fetched once; ours stay valid', async () => {
    expect(await viewers.verify(await token('one'))).toEqual(ada)
    expect(await viewers.verify(await token('one'))).toEqual(ada)
    expect(asked).toBe(1)
    expect(await viewers.verify(`Bearer ${(await viewers.issue(ada)).token}`)).toEqual(ada)
  })

  test('by a key that it does not publish is refused', async () => {
    await expect(viewers.verify(await token('two'))).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  test('cannot be judged while the keys cannot be had', async () => {
    status = 500
    await expect(viewers.verify(await token('one'))).rejects.toMatchObject({ code: 'OVERLOADED' })
    close()
    await expect(viewers.verify(await token('one'))).rejects.toMatchObject({ code: 'OVERLOADED' })
  })
})
