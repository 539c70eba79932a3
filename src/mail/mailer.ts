import { randomUUID } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createTransport } from 'nodemailer'
import type { Config } from '../core/config.js'

/** A message to one address. */
export interface Mail {
  /**
   * What it is known by: the same text makes the same Message-ID, by which a transport that honours it delivers a
   * repetition once. 1 to 200 letters, digits, dots and hyphens.
   */
  readonly id: string
  readonly to: string
  /** One line. */
  readonly subject: string
  readonly text: string
}

/** Sends mail. */
export interface Mailer {
  /**
   * Resolves once the transport has taken the message over.
   * @throws MailRefused where no repetition will help; MailDeferred where one of this message may, and others are taken
   * meanwhile; any other error where nothing is taken. None tells the address.
   */
  send(mail: Mail): Promise<void>
  /** What is being sent is sent, and no more taken. */
  close(): Promise<void>
}

/** The address is none, or the server will never take this message for it. */
export class MailRefused extends Error {}

/** The server does not take this message for now: its recipient's mailbox is full, say. */
export class MailDeferred extends Error {}

/** By SMTP_URL, else into files of MAIL_FOLDER, a repeated message into the same one; else nothing can be sent. */
export function createMailer(config: Config): Mailer {
  const { SMTP_URL, MAIL_FOLDER } = config
  if (SMTP_URL) return createSmtp(SMTP_URL, config)
  if (MAIL_FOLDER) return createFiles(MAIL_FOLDER, config)
  const refuse = () => Promise.reject(new Error('There is no way to send mail: set SMTP_URL or MAIL_FOLDER.'))
  return { send: refuse, close: async () => {} }
}

/** In ms: a server that is silent for longer has not taken the message. */
const patience = 10_000

function createSmtp(url: string, { MAIL_FROM, WORKER_CONCURRENCY }: Config): Mailer {
  const limits = { connectionTimeout: patience, greetingTimeout: patience, socketTimeout: patience }
  const transport = createTransport({ url, pool: true, maxConnections: WORKER_CONCURRENCY, ...limits })
  return {
    async send(mail) {
      const message = addressed(mail, MAIL_FROM)
      await transport.sendMail(message).catch((error) => Promise.reject(explain(error)))
    },
    close: async () => transport.close(),
  }
}

function createFiles(folder: string, { MAIL_FROM }: Config): Mailer {
  const transport = createTransport({ streamTransport: true, buffer: true })
  return {
    async send(mail) {
      const { message } = await transport.sendMail(addressed(mail, MAIL_FROM))
      const path = join(folder, `${mail.id}.eml`)
      const part = `${path}.${randomUUID()}.part`
      await mkdir(folder, { recursive: true })
      // Whole or not at all, whenever the process ends.
      await writeFile(part, message as Buffer)
      await rename(part, path)
    },
    close: async () => {},
  }
}

const knownBy = /^[a-zA-Z0-9.-]{1,200}$/
const oneAddress = /^[^\s\p{Cc}@<>()[\]\\,;:"]+@[^\s\p{Cc}@<>()[\]\\,;:"]+$/u
const oneLine = /^\P{Cc}*$/u

/** Nothing of it can end a header or name a second recipient. */
function addressed({ id, to, subject, text }: Mail, from: string) {
  if (!knownBy.test(id)) throw new Error('Mail is known by letters, digits, dots and hyphens.')
  if (!oneLine.test(subject)) throw new Error('A subject is one line, without control characters.')
  if (!oneAddress.test(to)) throw new MailRefused('That is no address.')
  const host = from.slice(from.lastIndexOf('@') + 1).replace(/>.*$/, '')
  return { from, to: { name: '', address: to }, subject, text, messageId: `<${id}@${host}>` }
}

interface SmtpError extends Error {
  readonly code?: string
  readonly command?: string
  readonly response?: string
  readonly responseCode?: number
}

/** Servers like to quote the address: only the codes of what they answered are told. */
function explain({ code, command, response, responseCode = 0, message }: SmtpError): Error {
  if (!response) return new Error(`Mail was not taken: ${command === 'API' ? code : message}`)
  const answer = `${command} was answered ${/^\d{3}([ -]\d\.\d{1,3}\.\d{1,3})?/.exec(response)?.[0]}`
  // Not of this message: 421 ends the connection, 530 wants the server's own user first.
  const isOfMessage = (command === 'RCPT TO' || command === 'DATA') && responseCode !== 421 && responseCode !== 530
  if (!isOfMessage) return new Error(`Mail was not taken: ${answer}`)
  return responseCode >= 500 ? new MailRefused(answer) : new MailDeferred(`Mail was not taken: ${answer}`)
}
