import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Entry } from '../cache/memory.js'
import { chooseEncoding, type Encoding, Encodings, encodeOnce } from './encodings.js'
import type { Answer } from './flights.js'
import { consistencyHeader } from './operation.js'

/** Gives answers the head and the coding that their way to the client needs. */
export interface Sender {
  /** Answers with what is kept: without a body where the client has it already. */
  answer(request: FastifyRequest, reply: FastifyReply, entry: Entry<Answer>): void
  /** The body to send of an answer that was just made; null where the client has it already. */
  encode(request: FastifyRequest, reply: FastifyReply, made: Made): Promise<Buffer | string | null>
}

interface Made {
  readonly text: string
  readonly entry: Entry<Answer> | undefined
}

/** What other answers to the same URL depend on. */
const varied = {
  post: 'accept-encoding',
  forAll: ['accept', 'accept-encoding', consistencyHeader].join(', '),
  forOne: ['accept', 'accept-encoding', consistencyHeader, 'authorization'].join(', '),
}

/** What a 304 says: the rest of the head the client has with the answer, and what it says would change (RFC 9111, 4.3.4). */
const saidAgain = /^(cache-control|etag|vary|connection|x-request-id|access-control-.*)$/

/** `maxAge` is for how many seconds others may answer by GET with what is for everybody, before they have asked again. */
export function createSender(maxAge: number): Sender {
  const encodings = new Encodings()

  /** Whether the client has it: then its head is all that is sent. */
  function head(request: FastifyRequest, reply: FastifyReply, entry: Entry<Answer> | undefined): boolean {
    if (!entry || request.method !== 'GET') {
      vary(reply, varied.post)
      return false
    }
    const { value, until } = entry
    const left = Math.max(0, Math.min(maxAge, Math.floor((until - performance.now()) / 1_000)))
    // In the second half of that time they ask while they answer.
    const stale = Math.floor(left / 2)
    const age = left > 0 ? `max-age=${left - stale}, stale-while-revalidate=${stale}` : 'max-age=0, must-revalidate'
    reply.header('cache-control', value.isPrivate ? 'private, max-age=0, must-revalidate' : `public, ${age}`)
    // A weak one: the same in every coding, whose bytes are not the same (RFC 9110, 8.8.3.3).
    reply.header('etag', `W/${value.etag}`)
    vary(reply, value.isPrivate ? varied.forOne : varied.forAll)
    if (!matches(request.headers['if-none-match'], value.etag)) return false
    reply.code(304)
    for (const name in reply.getHeaders()) if (!saidAgain.test(name)) reply.removeHeader(name)
    return true
  }

  function encoding(request: FastifyRequest, reply: FastifyReply, length: number): Encoding | undefined {
    const chosen = chooseEncoding(request.headers['accept-encoding'], length)
    if (chosen) reply.header('content-encoding', chosen).removeHeader('content-length')
    return chosen
  }

  return {
    answer(request, reply, entry) {
      if (head(request, reply, entry)) return void reply.send()
      const { body } = entry.value
      const chosen = encoding(request, reply, body.length)
      const encoded = chosen ? encodings.encode(body, chosen) : body
      if (Buffer.isBuffer(encoded)) return void reply.send(encoded)
      encoded.then(
        (bytes) => reply.send(bytes),
        (error) => reply.send(error),
      )
    },
    async encode(request, reply, { text, entry }) {
      if (head(request, reply, entry)) return null
      const chosen = encoding(request, reply, Buffer.byteLength(text))
      // It may be asked for once only, kept or not.
      return chosen ? encodeOnce(entry?.value.body ?? Buffer.from(text), chosen) : text
    },
  }
}

/** By weak comparison (RFC 9110, 13.1.2). */
function matches(given: string | undefined, etag: string): boolean {
  const tags = given?.split(',').map((each) => each.trim().replace(/^W\//, '')) ?? []
  return tags.includes(etag) || tags.includes('*')
}

function vary(reply: FastifyReply, names: string): void {
  const already = reply.getHeader('vary')
  reply.header('vary', already ? `${already}, ${names}` : names)
}
