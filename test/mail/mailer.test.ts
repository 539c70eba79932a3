import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Environment, loadConfig } from '../../src/core/config.js'
import { createMailer, type Mail, MailDeferred, type Mailer, MailRefused } from '../../src/mail/mailer.js'
import { jwtSecret } from '../settings.js'
import { type Smtp, startSmtp } from './smtp.js'

const mail: Mail = { id: 'news-1.ann', to: 'ann@example.com', subject: 'Hello', text: 'One.\n.\nTwo: ü' }
const wrong: [what: string, change: Partial<Mail>][] = [
  ['a subject of two lines', { subject: 'Hello\r\nBcc: eve@example.com' }],
  ['a subject with a line feed', { subject: 'Hello\nBcc: eve@example.com' }],
  ['an address with a line feed', { to: 'ann@example.com\nBcc: eve@example.com' }],
  ['an address that ends a command', { to: 'ann@example.com>\r\nRCPT TO:<eve@example.com' }],
  ['two addresses', { to: 'ann@example.com, eve@example.com' }],
  ['a name beside the address', { to: 'Eve <eve@example.com>' }],
  ['no address', { to: 'ann' }],
  ['an id of two lines', { id: 'a>\r\nBcc: eve@example.com' }],
  ['an id that is a path', { id: '../news' }],
]

function create(variables: Environment): Mailer {
  const required = { DATABASE_URL: 'postgresql://somewhere/something', JWT_SECRET: jwtSecret }
  return createMailer(loadConfig({ ...required, MAIL_FROM: 'News <news@example.org>', ...variables }))
}

describe('by SMTP', () => {
  let smtp: Smtp
  let mailer: Mailer
  beforeEach(async () => {
    smtp = await startSmtp()
    mailer = create({ SMTP_URL: smtp.url })
  })
  afterEach(async () => {
    await mailer.close()
    await smtp[Symbol.asyncDispose]()
  })
  const failure = (change: Partial<Mail> = {}) =>
    mailer.send({ ...mail, ...change }).then(
      () => {},
      (error) => error,
    )

  test('a message is taken over under its Message-ID, as it was written', async () => {
    await mailer.send(mail)
    expect(smtp.taken).toMatchObject([{ id: '<news-1.ann@example.org>', to: 'ann@example.com' }])
    const [{ text = '' } = {}] = smtp.taken
    expect(text).toContain('From: News <news@example.org>\nTo: ann@example.com\nSubject: Hello\n')
    expect(text).toContain('\n\nOne.\n.\nTwo: =C3=BC')
    expect(smtp.lines).toContain('MAIL FROM:<news@example.org>')
  })

  test('messages share connections, which end when it is closed', async () => {
    for (let index = 0; index < 5; index++) await mailer.send(mail)
    expect(smtp.lines.filter((line) => line.startsWith('EHLO'))).toHaveLength(1)
    await mailer.close()
    await expect.poll(() => smtp.connections).toBe(0)
    await expect(mailer.send(mail)).rejects.toThrow('closed')
  })

  test('a letter that is no ASCII stays within its header', async () => {
    await mailer.send({ ...mail, subject: 'Grüße: 20 € €' })
    expect(smtp.taken[0]?.text).toMatch(/^Subject: =\?UTF-8\?.*\?=$/m)
  })

  test.each(wrong)('%s is refused before anything is said', async (_what, change) => {
    expect(await failure(change)).toBeInstanceOf(Error)
    expect(smtp.lines).toEqual([])
  })

  test.each([
    ['an address that the server does not know', 'RCPT', '550 5.1.1 <ann@example.com> is unknown'],
    ['a message that it will not take', '.', '554 5.7.1 not for <ann@example.com>'],
  ])('%s is refused for good, and the next one goes on', async (_what, at, answer) => {
    smtp.answer = (line, to) => (line.startsWith(at) && to === 'ann@example.com' ? answer : undefined)
    const error = await failure()
    expect(error).toBeInstanceOf(MailRefused)
    expect(JSON.stringify([error, error.message, error.stack])).not.toContain('ann@')
    expect(error.message).toContain(answer.slice(0, 9))
    await mailer.send({ ...mail, to: 'bob@example.com' })
    expect(smtp.taken).toMatchObject([{ to: 'bob@example.com' }])
  })

  test.each([
    ['a full mailbox', 'RCPT', '452 4.2.2 <ann@example.com> is full', true],
    ['a busy server', '.', '451 4.3.0 later', true],
    ['a sender that is not let in', 'MAIL', '550 5.7.1 not you', false],
    ['a server that wants a user', 'RCPT', '530 5.7.0 sign in', false],
    ['a server that leaves', '.', '421 4.3.2 bye', false],
  ])('%s may take it later', async (_what, at, answer, isOfMessage) => {
    smtp.answer = (line) => (line.startsWith(at) ? answer : undefined)
    const error = await failure()
    expect(error).toBeInstanceOf(Error)
    expect([error instanceof MailRefused, error instanceof MailDeferred]).toEqual([false, isOfMessage])
    expect(JSON.stringify([error, error.message, error.stack])).not.toContain('ann@')
    smtp.answer = () => undefined
    await mailer.send(mail)
    expect(smtp.taken).toHaveLength(1)
  })

  test('a connection that ends with the message is not tried again by itself: it may have been taken', async () => {
    smtp.answer = (line) => (line === '.' ? null : undefined)
    expect(await failure()).not.toBeInstanceOf(MailRefused)
    expect(smtp.lines.filter((line) => line === 'DATA')).toHaveLength(1)
  })

  test('a connection that the server ended meanwhile costs no message', async () => {
    await mailer.send(mail)
    smtp.hangUp()
    await mailer.send(mail)
    expect(smtp.taken).toHaveLength(2)
  })

  test('a server that is not there may be there later', async () => {
    const { url } = smtp
    await smtp[Symbol.asyncDispose]()
    const away = create({ SMTP_URL: url })
    await expect(away.send(mail)).rejects.toThrow('ECONNREFUSED')
    await away.close()
  })
})

describe('into files', () => {
  let folder: string
  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'mail-')), 'box')
  })
  afterEach(() => rm(join(folder, '..'), { recursive: true }))

  test('a message is a file of its id, whole, and a repeated one the same file', async () => {
    const mailer = create({ MAIL_FOLDER: folder })
    await Promise.all([mail, mail, { ...mail, id: 'news-1.bob' }].map((each) => mailer.send(each)))
    expect((await readdir(folder)).sort()).toEqual(['news-1.ann.eml', 'news-1.bob.eml'])
    expect(await readFile(join(folder, 'news-1.ann.eml'), 'utf8')).toMatch(/^Message-ID: <news-1.ann@example.org>\r$/m)
    await mailer.close()
  })

  test.each(wrong)('%s is refused', async (_what, change) => {
    await expect(create({ MAIL_FOLDER: folder }).send({ ...mail, ...change })).rejects.toThrow()
    expect(await readdir(join(folder, '..'))).toEqual([])
  })
})

test('SMTP goes before files, and without either nothing is sent', async () => {
  await using smtp = await startSmtp()
  const mailer = create({ SMTP_URL: smtp.url, MAIL_FOLDER: '/nowhere' })
  await mailer.send(mail)
  expect(smtp.taken).toHaveLength(1)
  await mailer.close()
  await expect(create({}).send(mail)).rejects.toThrow('set SMTP_URL or MAIL_FOLDER')
})
