import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** Which of a process's connections: those that only hear, or the others. */
export type Which = 'all' | 'hearing' | 'asking'

/** Where what is sent does not arrive for a while. */
export type Way = 'both' | 'up' | 'down'

interface Pair {
  readonly client: Socket
  readonly server: Socket
  isHearing: boolean
}

interface Trouble {
  readonly which: Which
  readonly way: Way
  /** In ms; infinite where nothing arrives until the trouble ends. */
  readonly delay: number
}

/** The way of one process to one server: a test may cut it, or hold up what is sent. */
export class Wire {
  private readonly pairs = new Set<Pair>()
  private readonly troubles = new Set<Trouble>()
  private readonly releases = new Set<() => void>()
  private refusals = 0
  private isDead = false
  private losing = 0

  private constructor(
    private readonly server: Server,
    private readonly target: number,
  ) {
    server.on('connection', (client) => this.join(client))
  }

  static async open(target: number): Promise<Wire> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Wire(server, target)
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  /** The ports that the server behind knows the connections by. */
  get ports(): number[] {
    return [...this.pairs].flatMap(({ server }) => server.localPort ?? [])
  }

  /** Whether something hears, and something asks. */
  get isWhole(): boolean {
    const [...pairs] = this.pairs
    return pairs.some(({ isHearing }) => isHearing) && pairs.some(({ isHearing }) => !isHearing)
  }

  /** Ends the connections, and takes none until the answer is called. */
  cut(which: Which = 'all'): () => void {
    this.refusals++
    for (const pair of this.pairs) if (concerns(which, pair)) this.end(pair)
    return () => void this.refusals--
  }

  /** Holds up what is sent for so many ms each, or until the answer is called; then it arrives, in its order. */
  hold(trouble: Trouble): () => void {
    this.troubles.add(trouble)
    return () => {
      this.troubles.delete(trouble)
      for (const release of [...this.releases]) release()
    }
  }

  /** The next words to those who hear never come. */
  lose(count: number): void {
    this.losing += count
  }

  /** At once, and for good. */
  kill(): void {
    this.isDead = true
    for (const pair of this.pairs) this.end(pair)
    this.server.close()
  }

  private join(client: Socket): void {
    if (this.isDead || this.refusals > 0) return void client.destroy()
    const server = connect(this.target, '127.0.0.1')
    const pair: Pair = { client, server, isHearing: false }
    this.pairs.add(pair)
    for (const socket of [client, server]) {
      socket.setNoDelay(true).on('error', () => {})
      socket.on('close', () => this.end(pair))
    }
    const up = this.pass(pair, server, 'up')
    const down = this.pass(pair, client, 'down')
    client.on('data', (chunk) => {
      if (!pair.isHearing && chunk.includes('ubscribe')) pair.isHearing = true
      up(chunk)
    })
    server.on('data', (chunk) => {
      if (pair.isHearing && this.losing > 0 && chunk.includes('plumbline:changed')) this.losing--
      else down(chunk)
    })
  }

  private end(pair: Pair): void {
    this.pairs.delete(pair)
    pair.client.destroy()
    pair.server.destroy()
  }

  private pass(pair: Pair, to: Socket, way: Way): (chunk: Buffer) => void {
    const waiting: { chunk: Buffer; due: number }[] = []
    let timer: NodeJS.Timeout | undefined
    const delayOf = () => {
      let delay = 0
      for (const trouble of this.troubles)
        if (concerns(trouble.which, pair) && (trouble.way === 'both' || trouble.way === way))
          delay = Math.max(delay, trouble.delay)
      return delay
    }
    const flush = () => {
      clearTimeout(timer)
      const now = performance.now()
      const isHeld = delayOf() === Number.POSITIVE_INFINITY
      while (waiting.length > 0 && !isHeld) {
        const [first] = waiting
        if (!first || (first.due > now && first.due !== Number.POSITIVE_INFINITY)) break
        waiting.shift()
        if (!to.destroyed) to.write(first.chunk)
      }
      const next = waiting[0]
      if (next && !isHeld) timer = setTimeout(flush, Math.max(1, next.due - now)).unref()
      if (waiting.length === 0) this.releases.delete(flush)
    }
    return (chunk) => {
      const delay = delayOf()
      if (delay === 0 && waiting.length === 0) return void to.write(chunk)
      waiting.push({ chunk, due: performance.now() + delay })
      this.releases.add(flush)
      flush()
    }
  }
}

function concerns(which: Which, { isHearing }: Pair): boolean {
  return which === 'all' || (which === 'hearing') === isHearing
}
