import { hash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { TellFound } from '../cache/demand.js'
import type { Entry } from '../cache/memory.js'
import type { CacheRoom } from '../cache/open.js'
import { Reading } from '../cache/reading.js'
import { stands } from '../cache/tag.js'
import { fact } from '../core/events.js'
import type { Tokens } from '../db/consistency.js'
import { type Asked, readAfter, type Viewer } from '../graph/context.js'
import { type Answer, everybody, type Flight, Flights, type Landed } from './flights.js'
import { type Habit, Habits } from './habits.js'
import { consistencyHeader } from './operation.js'
import { createQuestionReader, type Question } from './question.js'
import type { Sender } from './sender.js'
import type { Viewers } from './viewer.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** Where its answer may be kept; absent where it may not. */
    keeping: Keeping | undefined
  }
}

/** A question whose answer may be kept. */
export interface Keeping {
  readonly question: Question
  readonly scope: string
  /** Notes what the answer rests on. */
  readonly reading: Reading
  readonly flight: Flight
  /** Who asks, what they have seen and when they wrote last: what its context is made with. */
  readonly asker: Pick<Asked, 'viewer' | 'after' | 'lastWrite'>
}

export interface KeepingOptions {
  readonly cache: CacheRoom
  readonly viewers: Viewers
  readonly tokens: Tokens
  /** Tells apart servers whose answers have another form. */
  readonly release: string
  /** In ms, how long an answer is kept that nobody changes. */
  readonly ttl: number
  readonly sender: Sender
}

const name = 'response'

const finished = fact('operation.finished')
const read = fact('cache.read')

/** What becomes of an answer that has been given: the entry that is kept of it, where it may be given again. */
export type Keep = (request: FastifyRequest, reply: FastifyReply, text: string) => Entry<Answer> | undefined

/**
 * Answers queries with the bytes of an earlier answer, ahead of GraphQL, where one stands that is for whoever asks: an
 * answer in which nothing read the viewer is for everybody, any other for that viewer alone. Whatever is not asked in the
 * plain way, or must be refused, goes on as if this were not there. What is answered then is to be handed to the answer of this.
 */
export function keepResponses(
  scope: FastifyInstance,
  { cache, viewers, tokens, release, ttl, sender }: KeepingOptions,
): Keep {
  // In the keys, not in the name, by which the cache is measured: that is the same from release to release.
  const keyOf = ({ key }: Question, whom: string) => `${release} ${key}${whom}`
  const habits = new Habits(cache.values.demands)
  const flights = new Flights()
  const readQuestion = createQuestionReader()

  scope.decorateRequest('keeping', undefined)

  scope.addHook('preHandler', (request, reply, done) => {
    const began = performance.now()
    const question = readQuestion(request)
    if (!question) return done()
    const known = habits.find(question.document)
    const entry = known && peek(request, question, known)
    if (entry) return answer(request, reply, { question, entry, began })
    const admitted = admit(request, question, known)
    if (!admitted) return done()
    const { habit, tellFound } = admitted
    ask(request, reply, { question, habit })
      .then((found) => {
        if (!found) return done()
        tellFound?.(1)
        habit.whom = found.entry.value.isPrivate ? 'viewer' : 'everybody'
        answer(request, reply, { question, began, ...found })
      })
      .catch(done)
  })

  return (request, reply, text) => {
    const { keeping } = request
    if (!keeping) return undefined
    if (reply.statusCode !== 200 || keeping.reading.hasFailed) return void keeping.flight.drop()
    const entry = keep(request, keeping, text)
    // What it rests on has changed meanwhile, which says nothing of the next one.
    if (entry && !stands(entry.basis, performance.now())) return void keeping.flight.drop()
    keeping.flight.land(entry && { entry, scope: entry.value.isPrivate ? keeping.scope : everybody })
    return entry
  }

  /** What can be answered at once: the process has it, and knows who asks, who has nothing newer to see. */
  function peek({ headers }: FastifyRequest, question: Question, { whom, demand }: Habit): Entry<Answer> | undefined {
    if (headers[consistencyHeader] !== undefined) return undefined
    const viewer = viewers.recall(headers.authorization)
    // When a viewer wrote last, Redis knows.
    if (viewer === undefined || (viewer && cache.isShared)) return undefined
    const find = (scope: string) => cache.values.peek<Answer>(name, keyOf(question, scope), 0)
    const [first, second] = whom === 'viewer' ? [scopeOf(viewer), everybody] : [everybody, scopeOf(viewer)]
    const entry = find(first) ?? find(second)
    if (entry) demand.found++
    return entry
  }

  /**
   * What is known of the document, where it pays to look further and to keep the answer, and whom to tell whether there
   * was one. By GET it always is kept: others keep it too then, who ask but once each, and by what its head says.
   */
  function admit(
    { method, headers }: FastifyRequest,
    { document, key }: Question,
    known: Habit | undefined,
  ): { habit: Habit; tellFound?: TellFound } | undefined {
    const isSure = method === 'GET'
    const habit = known ?? habits.meet(document, isSure)
    // Who is not known yet may be refused, which says nothing of what is asked for.
    if (habit && viewers.recall(headers.authorization) === undefined) return { habit }
    const tellFound = habit?.demand.admits([key], isSure)
    if (habit && tellFound) return { habit, tellFound }
    if (read.heard) read.publish({ cache: name, inMemory: 0, inRedis: 0, missing: 1 })
    return undefined
  }

  /** An answer that was given before or is on its way; else the request is marked as one whose answer may be kept. */
  async function ask(
    request: FastifyRequest,
    reply: FastifyReply,
    { question, habit }: { question: Question; habit: Habit },
  ): Promise<Found | undefined> {
    const { authorization, [consistencyHeader]: token } = request.headers
    const point = typeof token === 'string' ? tokens.verify(token) : undefined
    // Who answers those says what is wrong.
    if (token !== undefined && !point) return undefined
    const viewer = await viewers.verify(authorization).catch(() => undefined)
    if (viewer === undefined) return undefined
    const lastWrite = viewer ? await cache.lastWrite(viewer.id) : 0
    const after = readAfter(point, lastWrite)
    const scope = scopeOf(viewer)
    const keys = [keyOf(question, everybody), keyOf(question, scope)]
    for (const key of keys) {
      const entry = cache.values.peek<Answer>(name, key, after)
      if (entry) return { entry }
    }
    const entry = await cache.values.find<Answer>(name, keys, after)
    if (entry) return { entry, isFromRedis: true }
    const isGood = ({ entry: { basis } }: Landed) => basis.at > after && stands(basis, performance.now())
    const flight = await flights.join({ question, scope, habit }, after, isGood)
    if ('entry' in flight) return { entry: flight.entry }
    reply.raw.once('close', flight.drop)
    const asker = { viewer, after: point, lastWrite }
    request.keeping = { question, scope, reading: new Reading(), flight, asker }
    if (read.heard) read.publish({ cache: name, inMemory: 0, inRedis: 0, missing: 1 })
    return undefined
  }

  function answer(
    request: FastifyRequest,
    reply: FastifyReply,
    { question, entry, isFromRedis, began }: Answered,
  ): void {
    const { operation } = entry.value
    // Redis tells null for undefined.
    if (operation.name) request.info.operation = operation.name
    const inRedis = isFromRedis ? 1 : 0
    if (read.heard) read.publish({ cache: name, inMemory: 1 - inRedis, inRedis, missing: 0 })
    if (finished.heard)
      finished.publish({
        operation,
        errors: [],
        hasData: true,
        duration: performance.now() - began,
        executed: undefined,
      })
    reply.header('content-type', `${question.mediaType}; charset=utf-8`)
    sender.answer(request, reply, entry)
  }

  /** The answer's entry, unless it is for this request alone. */
  function keep(
    { info }: FastifyRequest,
    { question, scope, reading }: Keeping,
    text: string,
  ): Entry<Answer> | undefined {
    const rests = reading.end()
    if (!rests || !info.executing) return undefined
    // Of its own: a short one would be a part of Node's pool, and keep 8 kB of it from others.
    const body = Buffer.allocUnsafeSlow(Buffer.byteLength(text))
    body.write(text)
    const isPrivate = reading.isPersonal
    const value = {
      body,
      etag: `"${hash('sha256', body, 'base64url').slice(0, 22)}"`,
      operation: info.executing,
      isPrivate,
    }
    const left = Math.min(ttl, rests.until - performance.now())
    return cache.values.keep(name, keyOf(question, isPrivate ? scope : everybody), {
      value,
      basis: rests.basis,
      ttl: left,
    })
  }
}

interface Found {
  readonly entry: Entry<Answer>
  readonly isFromRedis?: boolean
}

interface Answered extends Found {
  readonly question: Question
  /** On the clock of `performance.now()`. */
  readonly began: number
}

/** Who an answer is for that read the viewer. */
function scopeOf(viewer: Viewer | null): string {
  return viewer ? ` for ${viewer.role} ${viewer.id}` : ' for nobody'
}
