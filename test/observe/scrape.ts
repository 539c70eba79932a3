import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Where a house that is run with these variables shows its metrics, as a Prometheus would read them. */
export async function prepareScrape() {
  const port = await freePort()
  return {
    variables: {
      OTEL_METRICS_EXPORTER: 'prometheus',
      OTEL_EXPORTER_PROMETHEUS_HOST: '127.0.0.1',
      OTEL_EXPORTER_PROMETHEUS_PORT: String(port),
    },
    /** The sum of a metric's values, of those whose labels hold that text. */
    async sum(name: string, label = ''): Promise<number> {
      const response = await fetch(`http://127.0.0.1:${port}/metrics`)
      const lines = (await response.text()).split('\n').filter((line) => /^\w*/.exec(line)?.[0] === name)
      return lines
        .filter((line) => line.includes(label))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
    },
  }
}

/** A port where nothing listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
