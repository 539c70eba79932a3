import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

/** A message as a server took it over. */
export interface Taken {
  /** Its Message-ID. */
  readonly id: string
  readonly to: string
  /** Headers and body, lines separated by `\n`. */
  readonly text: string
}

/** An SMTP server that takes what it is sent, unless told otherwise. */
export interface Smtp extends AsyncDisposable {
  readonly url: string
  readonly taken: readonly Taken[]
  /** Every line that a client sent, but for messages. */
  readonly lines: readonly string[]
  /** How many connections there are. */
  readonly connections: number
  /** What is answered to a line, or, as `.`, to a message; nothing for the usual. The connection ends for null. */
  answer: (line: string, to: string) => string | null | undefined | Promise<string | null | undefined>
  /** Ends every connection. */
  hangUp(): void
}

/** Speaks SMTP on a free port. */
export async function startSmtp(): Promise<Smtp> {
  const sockets = new Set<Socket>()
  const [taken, lines]: [Taken[], string[]] = [[], []]
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    // Clients that are killed say nothing.
    socket.on('error', () => {})
    socket.setNoDelay(true)
    converse(socket).catch(() => socket.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const smtp: Smtp = {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken,
    lines,
    get connections() {
      return sockets.size
    },
    answer: () => undefined,
    hangUp() {
      for (const socket of sockets) socket.destroy()
    },
    async [Symbol.asyncDispose]() {
      smtp.hangUp()
      await new Promise((resolve) => server.close(resolve))
    },
  }

  async function converse(socket: Socket): Promise<void> {
    socket.write('220 ready\r\n')
    let to = ''
    let message: string[] | undefined
    for await (const line of createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (message && line !== '.') {
        message.push(line.replace(/^\./, ''))
        continue
      }
      if (!message) lines.push(line)
      to = /^RCPT TO:<(.*)>/.exec(line)?.[1] ?? to
      const told = await smtp.answer(line, to)
      if (told === null) return void socket.destroy()
      const answer = told ?? (line === 'DATA' && !to ? '503 to nobody' : undefined)
      if (line.startsWith('RCPT') && answer) to = ''
      if (message && !answer) taken.push(read(message, to))
      message = line === 'DATA' && !answer ? [] : undefined
      socket.write(`${answer ?? usual(line)}\r\n`)
      if (line === 'QUIT') socket.end()
    }
  }
  return smtp
}

function read(message: readonly string[], to: string): Taken {
  const text = message.join('\n')
  return { id: /^Message-ID:\s+(<.*>)$/im.exec(text)?.[1] ?? '', to, text }
}

function usual(line: string): string {
  if (line === 'DATA') return '354 go on'
  if (line === 'QUIT') return '221 bye'
  return line.startsWith('EHLO') ? '250-test\r\n250-PIPELINING\r\n250 SMTPUTF8' : '250 fine'
}
