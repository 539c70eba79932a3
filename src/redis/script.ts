import { createHash } from 'node:crypto'
import { ReplyError } from 'ioredis'
import type { Client } from './redis.js'

/** Runs a script: its KEYS and its ARGV, Buffers as they are. Texts in its answer are Buffers too. */
export type Script<Answer> = (
  client: Client,
  keys: readonly (string | Buffer)[],
  values: readonly (string | Buffer | number)[],
) => Promise<Answer>

/**
 * A Lua script, sent by its digest, and whole where the server does not know it yet. All that it touches must be in its
 * KEYS, of one slot where there is a cluster.
 *
 *     const takeOnce = defineScript<Buffer | null>(`return redis.call('getdel', KEYS[1])`)
 *     const taken = await redis.ask((client) => takeOnce(client, ['ticket:1'], []))
 */
export function defineScript<Answer>(lua: string): Script<Answer> {
  const digest = createHash('sha1').update(lua).digest('hex')
  return async (client, keys, values) => {
    const rest = [keys.length, ...keys, ...values]
    try {
      return (await client.callBuffer('EVALSHA', digest, ...rest)) as Answer
    } catch (error) {
      if (!(error instanceof ReplyError) || !String(error).includes('NOSCRIPT')) throw error
      return (await client.callBuffer('EVAL', lua, ...rest)) as Answer
    }
  }
}
