import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../core/config.js'

/** How a server stops without losing a request. */
export interface Drain {
  /** True once it has begun: the server is not ready any more. */
  readonly begun: boolean
  /**
   * Announces the end, then stops listening, lets requests in flight finish and closes every connection; those that
   * take longer than SHUTDOWN_TIMEOUT_MS in all are cut.
   */
  run(): Promise<void>
}

/** Between two looks for connections that have become idle. */
const sweep = 50

export function createDrain(
  fastify: FastifyInstance,
  config: Pick<Config, 'SHUTDOWN_ANNOUNCE_MS' | 'SHUTDOWN_TIMEOUT_MS'>,
): Drain {
  let begun = false
  // A kept-alive client goes elsewhere after such an answer; its connection must not close between two requests.
  fastify.addHook('onSend', async (_request, reply) => {
    if (begun) reply.header('connection', 'close')
  })

  // Node takes a connection that has said nothing for one whose request is on its way.
  const sockets = new Set<Socket>()
  fastify.server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const sweepIdle = () => {
    fastify.server.closeIdleConnections()
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
  }

  return {
    get begun() {
      return begun
    },
    async run() {
      begun = true
      const { server } = fastify
      const cut = setTimeout(() => server.closeAllConnections(), config.SHUTDOWN_TIMEOUT_MS)
      if (server.listening) await sleep(Math.min(config.SHUTDOWN_ANNOUNCE_MS, config.SHUTDOWN_TIMEOUT_MS))
      const sweeping = setInterval(sweepIdle, sweep)
      await fastify.close()
      // What was cut tells its end when its socket has closed.
      await sleep(1)
      clearInterval(sweeping)
      clearTimeout(cut)
    },
  }
}
