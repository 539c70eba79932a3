import { ReplyError } from 'ioredis'
import type { RedisPlace } from '../core/redis-url.js'
import { codeOf, connect, disconnect } from './connection.js'

/** Who hears a channel. */
export interface Hearing {
  /** What was published, once `began` was called. */
  message(text: string): void
  /** From now on everything is heard: what was published while it was lost never comes. */
  began(): void
  /** Nothing is heard until it begins again. */
  lost(): void
}

/** How often a connection that only hears is asked whether it is still there, and how long it may be silent, in ms. */
const pulse = 500
const silence = 1_000

export interface Subscribing {
  readonly channel: string
  readonly hearing: Hearing
  /** The server does not let it hear. */
  refused(reason: string): void
}

/** Hears a channel until the answer is called, over a connection of its own. */
export function subscribe(place: RedisPlace, { channel, hearing, refused }: Subscribing): () => Promise<void> {
  let isHeard = false
  let isAsking = false
  const begin = () => {
    if (isHeard) return
    isHeard = true
    hearing.began()
  }
  const connection = connect(place, silence, {
    ready: ask,
    lost() {
      isAsking = false
      if (!isHeard) return
      isHeard = false
      hearing.lost()
    },
    refused,
  })
  connection.on('message', (_, text) => {
    begin()
    hearing.message(text)
  })

  /** Subscribes, or asks whether the server is still there: one that is silent then is noticed. */
  function ask(): void {
    if (isAsking || connection.status !== 'ready') return
    isAsking = true
    const answer: Promise<unknown> = isHeard ? connection.ping() : connection.subscribe(channel).then(begin)
    answer
      .catch((error) => {
        if (error instanceof ReplyError) refused(codeOf(error))
      })
      .finally(() => {
        isAsking = false
      })
  }

  const timer = setInterval(ask, pulse).unref()
  return async () => {
    clearInterval(timer)
    await disconnect(connection)
  }
}
