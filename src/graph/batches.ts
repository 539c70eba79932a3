import DataLoader from 'dataloader'
import { fact } from '../core/events.js'
import { type Asker, type BatchInfo, currentScope, inBatch } from '../core/request.js'

const dispatched = fact('batch.dispatched')
const loaded = fact('batch.loaded')

/** One loader's batches within one operation: DataLoader's, told of. */
export class Batches {
  private readonly loader: DataLoader<string, unknown>
  private readonly known = new Map<string, Promise<unknown>>()
  /** Of a sampled operation: who asked since the last batch, and the keys before. */
  private readonly asks: { waiting: Asker[]; readonly fetched: Set<string> } | undefined
  private first: string | undefined

  /** `batch` answers one value per key, in the keys' order. With `origins`, everybody who asks is told with the batch. */
  constructor(
    private readonly name: string,
    private readonly batch: (keys: readonly string[], field: string) => Promise<readonly unknown[]>,
    private readonly origins: Origins | undefined,
  ) {
    this.loader = new DataLoader((keys) => this.fetch(keys) as Promise<unknown[]>, { cacheMap: this.known })
    this.asks = origins && { waiting: [], fetched: new Set() }
  }

  /** `field` is who asks, as far as the context knows: the batch is told one of those. */
  load(key: string, field: string): Promise<unknown> {
    if (!this.known.has(key)) this.first ??= field
    if (this.origins && !this.asks?.fetched.has(key)) this.asks?.waiting.push(this.origins.whoAsks())
    return this.loader.load(key)
  }

  private fetch(keys: readonly string[]): Promise<readonly unknown[]> {
    const { first = '', origins, asks } = this
    this.first = undefined
    const run = () => this.batch(keys, first)
    if (!origins || !asks) return loaded.heard ? tell(this.describe(keys, []), run) : run()
    const batch = this.describe(keys, distinct(asks.waiting))
    asks.waiting = []
    for (const key of keys) asks.fetched.add(key)
    return inBatch(batch, () => tell(batch, run, origins))
  }

  private describe(keys: readonly string[], askers: readonly Asker[]): BatchInfo {
    const depth = Math.max(0, ...askers.map(({ from }) => (from?.depth ?? 0) + 1))
    return { loader: this.name, of: this, keys: keys.length, askers, depth }
  }
}

/** Which batch each object came with, in one operation. */
export class Origins {
  private readonly batches = new WeakMap<object, BatchInfo>()

  /** The resolver that is running, and where its object came from. */
  whoAsks(): Asker {
    const field = currentScope()?.field
    if (!field) return { coordinate: '', from: undefined, isLate: false }
    const { coordinate, source, isSync, hasAsked } = field
    field.hasAsked = true
    return { coordinate, from: this.batches.get(source as object), isLate: !isSync && !hasAsked }
  }

  remember(batch: BatchInfo, values: readonly unknown[]): void {
    for (const value of values) {
      if (Array.isArray(value)) this.remember(batch, value)
      else if (typeof value === 'object' && value !== null) this.batches.set(value, batch)
    }
  }
}

function distinct(asks: readonly Asker[]): Asker[] {
  const askers: Asker[] = []
  for (const ask of asks) {
    const isKnown = askers.some(
      ({ coordinate, from, isLate }) => coordinate === ask.coordinate && from === ask.from && isLate === ask.isLate,
    )
    if (!isKnown) askers.push(ask)
  }
  return askers
}

/** What is told of the answer is so before whoever waits for it goes on: they wait for the same promise, later. */
function tell(
  batch: BatchInfo,
  fetch: () => Promise<readonly unknown[]>,
  origins?: Origins,
): Promise<readonly unknown[]> {
  const started = performance.now()
  if (dispatched.heard) dispatched.publish({ batch })
  const end = (error?: unknown) => loaded.publish({ batch, duration: performance.now() - started, error })
  try {
    const answer = fetch()
    answer.then((values) => {
      origins?.remember(batch, values)
      end()
    }, end)
    return answer
  } catch (error) {
    end(error)
    throw error
  }
}
