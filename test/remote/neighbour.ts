import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import { type Facts, fact } from '../../src/core/events.js'
import { writeLog } from '../../src/core/log.js'
import { type Call, defineRemote, type Remote } from '../../src/remote/remote.js'
import { createRemotes } from '../../src/remote/remotes.js'

/** A service on loopback that answers as it is told, and remembers what it was asked. */
export interface Neighbour extends AsyncDisposable {
  readonly url: string
  readonly asked: IncomingMessage[]
  answer: RequestListener
}

export async function startNeighbour(answer: RequestListener = ok): Promise<Neighbour> {
  const asked: IncomingMessage[] = []
  const server = createServer((request, response) => {
    asked.push(request)
    neighbour.answer(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const neighbour: Neighbour = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answer,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  return neighbour
}

export const ok: RequestListener = (_, response) => void response.end('{"n":1}')
export const hang: RequestListener = () => {}
export const status =
  (code: number, headers: Record<string, string> = {}): RequestListener =>
  (_, response: ServerResponse) =>
    void response.writeHead(code, headers).end('theirs')

/** Answers by these in turn, and by the last one from then on. */
export function inTurn(...answers: RequestListener[]): RequestListener {
  return (request, response) => (answers.length > 1 ? answers.shift() : answers[0])?.(request, response)
}

export interface Settings extends Partial<Omit<Remote, 'name'>> {
  readonly url: string
}

/** A way to one service; it is told of as `neighbour`. The waits of three attempts are 150 ms at most. */
export function reach({ url, ...settings }: Settings) {
  const remote = defineRemote({ name: 'neighbour', timeout: 2_000, attempts: 3, rest: 150, ...settings })
  const log = writeLog({ LOG_LEVEL: 'silent' }, { write: () => {} })
  const remotes = createRemotes({ REMOTE_URLS: [['neighbour', new URL(url)]] }, [remote], log)
  const call = (more: Partial<Call<{ n: number }>> = {}) =>
    remotes.call(remote, { path: '/', schema: z.object({ n: z.number() }), ...more })
  return { call, remotes, remote }
}

/** What was told under that name, until it is disposed of. */
export function record<Name extends keyof Facts>(name: Name) {
  const told: Facts[Name][] = []
  const stop = fact(name).listen((value) => told.push(value))
  return { told, [Symbol.dispose]: stop }
}
