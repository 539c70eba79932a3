import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Viewer } from '../../src/graph/context.js'
import { decodeId } from '../../src/graph/node.js'
import { startSmtp } from '../mail/smtp.js'
import { startBusiness, type TestApp } from '../support.js'
import { addSubscribers, progress, send } from './newsletters.js'
import { addUser } from './shop/goods.js'

let api: TestApp
let [user, admin] = [] as unknown as [Viewer, Viewer]

beforeAll(async () => {
  api = await startBusiness()
  user = await addUser(api)
  admin = await addUser(api, 'ADMIN')
})
afterAll(() => api[Symbol.asyncDispose]())

async function subscribe(email: string, to = api) {
  const mutation = 'mutation ($email: String!) { subscribe(input: { email: $email }) { email errors { code field } } }'
  const { data, errors } = await to.query(mutation, { email })
  expect(errors).toBeUndefined()
  return data.subscribe
}

test('an address subscribes once, and the answer does not tell whether it had', async () => {
  const answers = await Promise.all(
    ['Ann@Example.com', 'ann@example.com', 'ann@example.com'].map((to) => subscribe(to)),
  )
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

describe('who is no administrator', () => {
  const sending =
    'mutation { sendNewsletter(input: { subject: "S", text: "T", idempotencyKey: "K" }) { errors { code } } }'

  test.each([sending, '{ newsletters { nodes { sent } } }', '{ newsletter(id: "x") { sent } }'])(
    'is not let %s',
    async (document) => {
      const codeOf = async (as?: Viewer) => (await api.query(document, {}, as && { as })).errors?.[0].extensions.code
      expect([await codeOf(), await codeOf(user)]).toEqual(['UNAUTHENTICATED', 'FORBIDDEN'])
    },
  )

  test('finds none as a node either', async () => {
    const { newsletter } = await send(api, admin)
    const nodeFor = async (as: Viewer) =>
      (await api.query('query ($id: ID!) { node(id: $id) { id ... on Newsletter { total } } }', newsletter, { as }))
        .data
    expect(await nodeFor(user)).toEqual({ node: null })
    expect(await nodeFor(admin)).toEqual({ node: { id: newsletter.id, total: 1 } })
  })
})

test.each([
  ['subject', '   '],
  ['subject', 'x'.repeat(201)],
  ['subject', 'Hello\r\nBcc: eve@example.com'],
  ['subject', 'a\u2028b\u0000'],
  ['text', ' \n '],
  ['text', 'x'.repeat(50_001)],
  ['idempotencyKey', ''],
  ['idempotencyKey', 'x'.repeat(101)],
])('a newsletter with the %s %.20j is refused', async (field, value) => {
  const before = await api.sql('select 1 from newsletters')
  const { newsletter, errors } = await send(api, admin, { [field]: value })
  expect(newsletter).toBeNull()
  expect(errors[0]).toMatchObject({ code: 'INVALID', field: [field] })
  expect(await api.sql('select 1 from newsletters')).toHaveLength(before.length)
})

test('a key sends one newsletter, however often and however many at once', async () => {
  const input = { idempotencyKey: 'spring' }
  const answers = await Promise.all(Array.from({ length: 5 }, () => send(api, admin, input)))
  expect(new Set(answers.map(({ newsletter }) => newsletter.id)).size).toBe(1)
  const other = await send(api, admin, { ...input, text: 'Other words.' })
  expect(other).toMatchObject({ newsletter: null, errors: [{ code: 'CONFLICT', field: ['idempotencyKey'] }] })
})

test('newsletters are listed, newest first', async () => {
  const { newsletter } = await send(api, admin)
  const { data } = await api.query(
    '{ newsletters(first: 1) { nodes { id status sent failed total } } }',
    {},
    { as: admin },
  )
  expect(data.newsletters.nodes).toEqual([{ id: newsletter.id, status: 'SENDING', sent: 0, failed: 0, total: 1 }])
})

test('each goes to exactly those whose subscription was answered before, while others subscribe', async () => {
  await using smtp = await startSmtp()
  await using sender = await startBusiness({ WORKER: 'on', SMTP_URL: smtp.url })
  const added: string[] = []
  let stopped = false
  const subscribing = Array.from({ length: 6 }, async (_, row) => {
    for (let index = 0; !stopped; index++) {
      const email = `${row}.${index}@example.com`
      await subscribe(email, sender)
      added.push(email)
    }
  })
  const sendings: { before: string[]; id: string }[] = []
  while (sendings.length < 6) {
    await expect.poll(() => added.length).toBeGreaterThan(10 * sendings.length)
    const before = [...added]
    const { newsletter } = await send(sender, admin)
    sendings.push({ before, id: newsletter.id })
  }
  stopped = true
  await Promise.all(subscribing)
  for (const { before, id } of sendings) {
    const { sent, total } = await sentOf(sender, id)
    const recipients = smtp.taken
      .filter((mail) => mail.id.startsWith(`<${decodeId('Newsletter', id)}.`))
      .map(({ to }) => to)
    expect(recipients).toEqual(expect.arrayContaining(before))
    expect([sent, new Set(recipients).size, recipients.length]).toEqual([total, total, total])
  }
})

test('how far it is can be seen while it is being sent, in chunks', async () => {
  await using smtp = await startSmtp()
  await using sender = await startBusiness({ WORKER: 'on', SMTP_URL: smtp.url, LOG_LEVEL: 'info' })
  await addSubscribers(sender, 1_010)
  const [held, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  smtp.answer = async (line) => {
    if (line !== '.' || smtp.taken.length !== 5) return undefined
    held.resolve()
    await release.promise
  }
  const { newsletter } = await send(sender, admin)
  await held.promise
  expect(await progress(sender, admin, newsletter.id)).toEqual({ status: 'SENDING', sent: 5, failed: 0, total: 1_010 })
  release.resolve()
  await sentOf(sender, newsletter.id)
  expect(await progress(sender, admin, newsletter.id)).toEqual({ status: 'SENT', sent: 1_010, failed: 0, total: 1_010 })
  expect(new Set(smtp.taken.map(({ id }) => id)).size).toBe(1_010)
  // More of them where the mail takes its time.
  expect(sender.logged.filter(({ job }) => job === 'send-newsletter-chunk').length).toBeGreaterThan(1)
})

test('an address that is refused is counted and logged without it, and one that is full is written to later', async () => {
  await using smtp = await startSmtp()
  await using sender = await startBusiness({ WORKER: 'on', SMTP_URL: smtp.url })
  const [gone, full] = await addSubscribers(sender, 10)
  let later = false
  smtp.answer = (line, to) => {
    if (line.startsWith('RCPT') && to === gone) return `550 5.1.1 <${to}> is unknown`
    return line.startsWith('RCPT') && to === full && !later ? '452 4.2.2 full' : undefined
  }
  const { newsletter } = await send(sender, admin)
  await expect
    .poll(() => sender.logged)
    .toContainEqual(expect.objectContaining({ msg: expect.stringContaining('tried again') }))
  later = true
  expect(await sentOf(sender, newsletter.id)).toEqual({ status: 'SENT', sent: 9, failed: 1, total: 10 })
  expect(sender.logged).toContainEqual(expect.objectContaining({ reason: 'RCPT TO was answered 550 5.1.1' }))
  expect(JSON.stringify(sender.logged)).not.toContain('@example.com')
  expect(smtp.taken.map(({ to }) => to)).not.toContain(gone)
})

test('addresses that are to be tried later keep nobody else waiting, and are counted in the end', async () => {
  await using smtp = await startSmtp()
  await using sender = await startBusiness({ WORKER: 'on', SMTP_URL: smtp.url })
  const [, , grey, full] = await addSubscribers(sender, 30)
  let isGrey = true
  smtp.answer = (line, to) => {
    if (!line.startsWith('RCPT')) return undefined
    if (to === full) return '452 4.2.2 over quota'
    return to === grey && isGrey ? '451 4.7.1 greylisted' : undefined
  }
  const { newsletter } = await send(sender, admin)
  const hurry = async () => {
    await sender.sql('update graphile_worker._private_jobs set run_at = now() where locked_at is null')
    await sender.sql(`notify "jobs:insert", '{"r":1,"count":2}'`)
  }
  const progressed = async () => {
    await hurry()
    return progress(sender, admin, newsletter.id)
  }
  await expect.poll(progressed).toMatchObject({ status: 'SENT', sent: 28 })
  expect(await sender.sql("select 1 from graphile_worker.jobs where task_identifier like '%letter'")).toHaveLength(2)
  isGrey = false
  await expect.poll(progressed).toEqual({ status: 'SENT', sent: 29, failed: 1, total: 30 })
  expect(smtp.lines.filter((line) => line === `RCPT TO:<${full}>`)).toHaveLength(3 + 12)
  expect(new Set(smtp.taken.map(({ to }) => to)).size).toBe(29)
  expect(await sender.sql('select last_error from graphile_worker.jobs')).toEqual([])
})

test('a server that takes a few messages at a time gets all of them', async () => {
  await using smtp = await startSmtp()
  await using sender = await startBusiness({ WORKER: 'on', SMTP_URL: smtp.url })
  await addSubscribers(sender, 20)
  let taken = 0
  smtp.answer = (line) => {
    if (line.startsWith('MAIL') && ++taken % 4 === 0) return '421 4.7.0 too many'
    return undefined
  }
  const { newsletter } = await send(sender, admin)
  expect(await sentOf(sender, newsletter.id)).toEqual({ status: 'SENT', sent: 20, failed: 0, total: 20 })
})

test('a worker that stops ends its chunk after the message in flight, and the next one goes on', async () => {
  await using smtp = await startSmtp()
  await using sender = await startBusiness({ WORKER: 'on', SMTP_URL: smtp.url, SHUTDOWN_TIMEOUT_MS: '1000' })
  await addSubscribers(sender, 300)
  smtp.answer = async () => void (await new Promise((resolve) => setTimeout(resolve, 5)))
  const { newsletter } = await send(sender, admin)
  await expect.poll(() => smtp.taken.length).toBeGreaterThan(5)
  await sender.app.close()
  const [row] = await sender.sql('select sent from newsletters')
  expect(row).toEqual({ sent: smtp.taken.length })
  expect(smtp.taken.length).toBeLessThan(300)
  expect(await sender.sql('select attempts, last_error, locked_by from graphile_worker.jobs')).toEqual([
    { attempts: 0, last_error: null, locked_by: null },
  ])
  smtp.answer = () => undefined
  await using next = await startBusiness({ WORKER: 'on', SMTP_URL: smtp.url, DATABASE_URL: sender.url })
  expect(await sentOf(next, newsletter.id)).toMatchObject({ sent: 300 })
  expect(smtp.taken).toHaveLength(300)
})

/** Its progress once it is sent. */
async function sentOf(from: TestApp, id: string) {
  return vi.waitFor(
    async () => {
      const found = await progress(from, admin, id)
      expect(found.status).toBe('SENT')
      return found
    },
    { timeout: 120_000, interval: 100 },
  )
}
