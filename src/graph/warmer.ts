import { randomUUID } from 'node:crypto'
import { inRequest } from '../core/request.js'
import { Caching } from './caching.js'
import type { Context, Rooms } from './context.js'
import { Impartial } from './impartial.js'

/** Reads what many will ask for, so that the cache has it. */
export interface Warmer {
  /** What it reads, as it is shown to whoever waits. */
  readonly name: string
  /** What it loads is kept. It knows no viewer, and may be run at any time, any number of times. */
  run(ctx: Context, progress: (done: number, of: number) => void): Promise<void>
}

export function defineWarmer(warmer: Warmer): Warmer {
  return warmer
}

/** Does what a warmer does; nothing without a cache. @throws whatever it throws. */
export async function runWarmer(
  { name, run }: Warmer,
  rooms: Rooms,
  progress: (done: number, of: number) => void,
): Promise<void> {
  const { cache, kept } = rooms
  if (!cache) return
  const request = { id: randomUUID(), operation: name }
  const caching = new Caching({ cache, kept }, 0, undefined)
  const ctx = new Impartial(rooms, { name, requestId: request.id, caching })
  await cache.values.demands.fill(() => inRequest(request, () => run(ctx, progress)))
}
