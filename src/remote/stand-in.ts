import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Remote } from './remote.js'

export interface StandIns {
  /** Where each one listens, by the name of the service it stands in for. */
  readonly urls: [name: string, url: URL][]
  close(): Promise<void>
}

/** Starts the stand-ins of those services that have one and no URL of their own, on loopback. */
export async function startStandIns(
  remotes: readonly Remote[],
  given: readonly (readonly [name: string, url: URL])[],
): Promise<StandIns> {
  const places = new Map(given)
  const started = remotes
    .filter(({ name }) => !places.has(name))
    .flatMap(({ name, standIn }) => (standIn ? [{ name, server: createServer(standIn).listen(0, '127.0.0.1') }] : []))
  await Promise.all(started.map(({ server }) => once(server, 'listening')))
  return {
    urls: started.map(({ name, server }) => [
      name,
      new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    ]),
    async close() {
      const closed = started.map(({ server }) => once(server, 'close'))
      for (const { server } of started) {
        server.close()
        server.closeAllConnections()
      }
      await Promise.all(closed)
    },
  }
}
