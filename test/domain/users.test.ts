import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeId } from '../../src/graph/node.js'
import { startBusiness, type TestApp } from '../support.js'

let app: TestApp
beforeAll(async () => {
  app = await startBusiness()
})
afterAll(() => app[Symbol.asyncDispose]())

const signUp = `mutation ($input: SignUpInput!) {
  signUp(input: $input) { token expiresAt user { id name email role } errors { code message field } }
}`
const signIn = `mutation ($input: SignInInput!) {
  signIn(input: $input) { token user { name } errors { code field } }
}`
const password = 'long enough to be one'

async function join(name: string) {
  const email = `${name.toLowerCase()}-${randomUUID()}@example.com`
  const { data } = await app.query(signUp, { input: { name, email, password } })
  return { email, ...data.signUp } as { email: string; token: string; user: { id: string } }
}

test('signing up answers a session, and the viewer is whoever its token names', async () => {
  const { token, user, email } = await join('Ada')
  expect(user).toMatchObject({ name: 'Ada', email, role: 'USER' })
  const { data } = await app.query(
    '{ viewer { id email joinedAt } }',
    {},
    { headers: { authorization: `Bearer ${token}` } },
  )
  expect(data.viewer).toMatchObject({ id: user.id, email })
  expect(data.viewer.joinedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
})

test('without a token there is no viewer', async () => {
  const { data, errors } = await app.query('{ viewer { id } }')
  expect({ data, errors }).toEqual({ data: { viewer: null }, errors: undefined })
})

test('an e-mail address has one account, in whatever case it is written', async () => {
  const { email } = await join('Grace')
  const { data } = await app.query(signUp, { input: { name: 'Other', email: email.toUpperCase(), password } })
  expect(data.signUp).toMatchObject({ token: null, user: null, errors: [{ code: 'TAKEN', field: ['email'] }] })
})

test('every wrong field of a new account is named', async () => {
  const { data } = await app.query(signUp, { input: { name: ' ', email: 'nowhere', password: 'short' } })
  expect(data.signUp.errors.map((error: { code: string; field: string[] }) => [error.code, ...error.field])).toEqual([
    ['INVALID', 'name'],
    ['INVALID', 'email'],
    ['INVALID', 'password'],
  ])
})

test('signing in takes the right password of an active account, and tells the same of every other', async () => {
  const { email, user } = await join('Edsger')
  const right = await app.query(signIn, { input: { email, password } })
  expect(right.data.signIn).toMatchObject({ user: { name: 'Edsger' }, errors: [] })
  const wrong = await app.query(signIn, { input: { email, password: 'another password' } })
  const unknown = await app.query(signIn, { input: { email: 'nobody@example.com', password } })
  await app.sql('update users set active = false where id = $1', [uuidOf(user.id)])
  const inactive = await app.query(signIn, { input: { email, password } })
  for (const { data } of [wrong, unknown, inactive])
    expect(data.signIn).toEqual({ token: null, user: null, errors: [{ code: 'INVALID', field: null }] })
})

test('passwords are kept as salted scrypt hashes only', async () => {
  const [one, two] = [await join('Barbara'), await join('Barbara')]
  const rows = await app.sql<{ password_hash: string }>('select password_hash from users where id = any($1)', [
    [uuidOf(one.user.id), uuidOf(two.user.id)],
  ])
  for (const row of rows) expect(row.password_hash).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$[\w-]{22}\$[\w-]{43}$/)
  expect(rows[0]?.password_hash).not.toBe(rows[1]?.password_hash)
})

test('a token is renewed while its account is active', async () => {
  const { token, user } = await join('Alan')
  const headers = { authorization: `Bearer ${token}` }
  const renew = 'mutation { renewToken { token user { id } errors { code } } }'
  expect((await app.query(renew, {}, { headers })).data.renewToken).toMatchObject({ user: { id: user.id }, errors: [] })
  await app.sql('update users set active = false where id = $1', [uuidOf(user.id)])
  expect((await app.query(renew, {}, { headers })).data.renewToken).toMatchObject({
    token: null,
    errors: [{ code: 'NOT_ALLOWED' }],
  })
  expect((await app.query(renew)).errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }])
})

test.each(['email', 'role'])('%s is for the user and administrators', async (field) => {
  const { user } = await join('Tony')
  const document = `query ($id: ID!) { user(id: $id) { name ${field} } }`
  const self = { id: uuidOf(user.id), role: 'USER' } as const
  for (const as of [self, { id: randomUUID(), role: 'ADMIN' } as const])
    expect((await app.query(document, { id: user.id }, { as })).data.user[field]).toBeTruthy()
  for (const as of [undefined, { id: randomUUID(), role: 'USER' } as const]) {
    const { data, errors } = await app.query(document, { id: user.id }, as ? { as } : {})
    expect(data.user).toEqual({ name: 'Tony', [field]: null })
    expect(errors).toMatchObject([{ path: ['user', field], extensions: { code: 'FORBIDDEN' } }])
  }
})

test('a user that does not exist is null, an id of another type is refused', async () => {
  const document = 'query ($id: ID!) { user(id: $id) { name } }'
  expect((await app.query(document, { id: encodeId('User', randomUUID()) })).data).toEqual({ user: null })
  const { errors } = await app.query(document, { id: encodeId('Post', randomUUID()) })
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
})

function uuidOf(id: string): string {
  return Buffer.from(id, 'base64url').toString().split(':')[1] as string
}
