import { median } from './measure.js'
import type { Running } from './processes.js'
import { startProxy } from './proxy.js'
import { table } from './report.js'
import { type Bench, measureShape, openServer } from './rounds.js'
import type { Server } from './servers.js'

/** What the network adds to every answer of the database, in ms. */
const delays = [0, 0.25, 1]

/** How long S3 takes, one request at a time, with the database at a distance: statements that wait for others show. */
export async function reportLatency(
  bench: Bench,
  tell: (message: string) => void,
  { servers, rounds }: { servers: readonly Server[]; rounds: number },
): Promise<string> {
  const asked = servers.filter(({ fixed }) => !fixed)
  const times = new Map(asked.map((server) => [server, [] as number[]]))
  for (const delay of delays) {
    tell(`S3 with ${delay} ms to the database`)
    for (const [server, p50] of await measureDelayed(bench, asked, { delay, rounds })) times.get(server)?.push(p50)
  }
  const rows = asked.map((server) => {
    const [none = 0, , most = 0] = times.get(server) ?? []
    return [server.title, ...(times.get(server) ?? []).map((time) => time.toFixed(2)), (most - none).toFixed(1)]
  })
  return [
    'S3, one request at a time: median latency in ms by what the network adds to every answer of the database. Last: what a millisecond of it adds, about one for each answer that is waited for and some for reading it.',
    table(['', ...delays.map((delay) => `+ ${delay} ms`), 'by 1 ms'], rows),
  ].join('\n\n')
}

async function measureDelayed(
  bench: Bench,
  servers: readonly Server[],
  { delay, rounds }: { delay: number; rounds: number },
): Promise<Map<Server, number>> {
  const proxy = await startProxy(bench.data.url, delay)
  const delayed = { ...bench, setting: { ...bench.setting, databaseUrl: proxy.url } }
  const running: Running[] = []
  try {
    const floor = await openServer(delayed, servers.find(({ name }) => name === 'f0') as Server)
    running.push(floor)
    for (const server of servers) if (server !== floor.server) running.push(await openServer(delayed, server, floor))
    const times = new Map<Server, number[]>()
    // The first round is the warm-up.
    for (let round = 0; round <= rounds; round++) {
      for (const one of running) {
        const seconds = round === 0 ? bench.warmup : bench.seconds / 2
        const { p50 } = await measureShape(delayed, one, 'S3', { concurrency: 1, seconds })
        if (round > 0) times.set(one.server, [...(times.get(one.server) ?? []), p50])
      }
    }
    return new Map([...times].map(([server, p50s]) => [server, median(p50s).value]))
  } finally {
    await Promise.all(running.map((one) => one.stop()))
    await proxy.close()
  }
}
