import type { Caching } from './caching.js'
import { Context, type Rooms } from './context.js'
import type { Projection } from './projection.js'

/** Where something is read for whoever may ask: the name of what it is, and its way to what was read before. */
export interface Purpose {
  readonly name: string
  readonly requestId: string
  /** Absent where nothing is kept. */
  readonly caching: Caching | undefined
}

/**
 * A context for what is the same for everybody: there is nobody whom {@link viewer} could name, so it throws, and rows
 * are whole, with every column that the API can show.
 */
export class Impartial extends Context {
  private readonly name: string
  private readonly whole: Projection

  constructor(rooms: Rooms, { name, requestId, caching }: Purpose) {
    super(rooms, { request: { id: requestId }, viewer: null, issueToken: refuse })
    this.name = name
    this.caching = caching
    this.whole = { asks: () => false, selection: (type) => rooms.db.columns(type) }
  }

  override get viewer(): never {
    throw new Error(`"${this.name}" is the same for everybody: it cannot depend on who asks.`)
  }

  override get asked(): Projection {
    return this.whole
  }
}

function refuse(): never {
  throw new Error('Nobody is signed in here.')
}
