import { openData } from './data.js'
import { runLoad } from './load.js'
import { memoryOf } from './measure.js'
import type { Running, Setting } from './processes.js'
import { costOf, table } from './report.js'
import { type Bench, countShape, measureShape, openServer, type Round, requestOf } from './rounds.js'
import { drawSample, renewTokens } from './sample.js'
import type { Server } from './servers.js'
import type { ShapeName } from './shapes.js'

const scales = [0.25, 1, 4]

/** How many requests the memory is watched for, and how often. */
const [watched, looks] = [200_000, 10]

/** What they are: cheap ones, mostly, with every kind of statement among them. */
const mix: readonly ShapeName[] = ['S1', 'S4', 'S1', 'S7', 'S1', 'S4', 'S1', 'S2', 'S1', 'S5']

type Tell = (message: string) => void

interface Options {
  readonly server: Server
  readonly shapes: readonly ShapeName[]
  readonly rounds: number
  readonly seconds: number
  readonly warmup: number
  readonly setting: Omit<Setting, 'databaseUrl'>
}

interface Grown {
  readonly scale: number
  readonly bench: Bench
  readonly running: Running
}

/** What one server's requests cost over data of several sizes, and the memory that it holds over many requests. */
export async function reportGrowth(tell: Tell, options: Options): Promise<string> {
  const grown: Grown[] = []
  try {
    for (const scale of scales) grown.push(await open(scale, tell, options))
    const costs = await compare(grown, tell, options)
    return [costs, await watchMemory(grown.find(({ scale }) => scale === 1) as Grown, tell)].join('\n\n')
  } finally {
    for (const { running, bench } of grown) {
      await running.stop()
      await bench.data.stop()
    }
  }
}

async function open(scale: number, tell: Tell, { server, setting, seconds, warmup }: Options): Promise<Grown> {
  const data = await openData(scale, tell)
  const sample = await drawSample(data.url, setting.secret)
  const bench = { data, sample, setting: { ...setting, databaseUrl: data.url }, seconds, warmup }
  return { scale, bench, running: await openServer(bench, server) }
}

async function compare(grown: readonly Grown[], tell: Tell, { server, shapes, rounds }: Options): Promise<string> {
  const rows: string[][] = []
  for (const shape of shapes.filter((shape) => shape !== 'S8')) {
    tell(`${shape} at scale ${scales.join(', ')}`)
    const counts = []
    for (const { bench, running } of grown) {
      await measureShape(bench, running, shape, { seconds: bench.warmup })
      counts.push(await countShape(bench, running, shape))
    }
    const measured = grown.map((): Round[] => [])
    for (let round = 0; round < rounds; round++)
      for (const [index, { bench, running }] of grown.entries()) {
        await renewTokens(bench.sample, bench.setting.secret)
        measured[index]?.push(await measureShape(bench, running, shape, {}))
      }
    const costs = measured.map((one) => costOf(one).value)
    const [, middle = 0, large = 0] = costs
    rows.push([
      shape,
      ...costs.map((cost) => cost.toFixed(0)),
      (large / middle).toFixed(2),
      ...counts.map(({ statements }) => statements.toFixed(1)),
      ...counts.map(({ buffers }) => buffers.toFixed(0)),
    ])
  }
  const columns = (what: string) => scales.map((scale) => `${what} at ${scale}`)
  return [
    `${server.title}, by the scale of the data (1: 100,000 posts): CPU of server and PostgreSQL in µs, statements and buffers per request.`,
    table(['', ...columns('CPU'), '4 : 1', ...columns('SQL'), ...columns('buffers')], rows),
  ].join('\n\n')
}

async function watchMemory({ bench, running }: Grown, tell: Tell): Promise<string> {
  tell(`${watched} requests`)
  const held = [memoryOf(running.pid)]
  const next = (index: number) => requestOf(bench, running.server, mix[index % mix.length] as ShapeName, index)
  for (let look = 0; look < looks; look++) {
    const count = watched / looks
    const bounds = { concurrency: 8, count, seconds: Number.POSITIVE_INFINITY }
    await runLoad(running.url, (index) => next(look * count + index), bounds)
    held.push(memoryOf(running.pid))
  }
  const counts = held.map((_, index) => `${(index * watched) / looks / 1000}k`)
  return [
    `Memory held (RSS, MB) over ${watched.toLocaleString('en')} requests.`,
    table(['requests', ...counts], [['MB', ...held.map((memory) => memory.toFixed(0))]]),
  ].join('\n\n')
}
