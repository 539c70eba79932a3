import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

/** A stand-in for a database at a distance. */
export interface Proxy {
  /** The database's URL by way of the proxy. */
  readonly url: string
  close(): Promise<void>
}

/** Passes connections on to the database of `url`, from a thread of its own, and answers that much later, in ms. */
export async function startProxy(url: string, delay: number): Promise<Proxy> {
  const { hostname, port } = new URL(url)
  const worker = new Worker(import.meta.filename, { workerData: { hostname, port: Number(port), delay } })
  const own = await new Promise<number>((resolve, reject) => worker.once('message', resolve).once('error', reject))
  const near = new URL(url)
  near.host = `127.0.0.1:${own}`
  return { url: near.href, close: async () => void (await worker.terminate()) }
}

interface Target {
  readonly hostname: string
  readonly port: number
  readonly delay: number
}

if (!isMainThread) serve(workerData as Target)

function serve({ hostname, port, delay }: Target): void {
  const later = createDelay(delay)
  const server = createServer((client) => {
    const database = connect(port, hostname)
    for (const socket of [client, database]) socket.setNoDelay(true)
    client.on('data', (part) => database.write(part))
    database.on('data', (part) => later(client, part))
    for (const [one, other] of [
      [client, database],
      [database, client],
    ] as const)
      one.on('close', () => other.destroy()).on('error', () => other.destroy())
  })
  server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port))
}

/** Timers are exact to a millisecond only: while something waits, the clock is looked at in every turn. */
function createDelay(delay: number): (socket: Socket, part: Buffer) => void {
  const waiting: { socket: Socket; part: Buffer; due: number }[] = []
  const look = () => {
    const now = performance.now()
    while (waiting[0] && waiting[0].due <= now) {
      const { socket, part } = waiting.shift() as (typeof waiting)[number]
      if (!socket.destroyed) socket.write(part)
    }
    if (waiting.length > 0) setImmediate(look)
  }
  return (socket, part) => {
    if (delay === 0) return void socket.write(part)
    waiting.push({ socket, part, due: performance.now() + delay })
    if (waiting.length === 1) setImmediate(look)
  }
}
