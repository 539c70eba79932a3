import { parseArgs } from 'node:util'
import { measureAll } from './comparison.js'
import { openData } from './data.js'
import { reportGrowth } from './growth.js'
import { reportLatency } from './latency.js'
import { printReport, reportComparison } from './report.js'
import { drawSample } from './sample.js'
import { type Server, servers } from './servers.js'
import { type ShapeName, shapes } from './shapes.js'

const { values: options } = parseArgs({
  options: {
    /** A rough table in four minutes. */
    quick: { type: 'boolean', default: false },
    /** Servers by name, with commas; F0 is always there. */
    only: { type: 'string' },
    /** Shapes by name, with commas. */
    shapes: { type: 'string' },
    /** Instead: how long S3 takes with the database at a distance. */
    latency: { type: 'boolean', default: false },
    /** Instead: what this project costs over more data, and what memory it holds over many requests. */
    growth: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    /** Of one measurement. */
    seconds: { type: 'string' },
  },
})

/** For each server: the guide's rule for two cores. */
const pool = 5
const secret = 'a secret for tokens that nobody but this benchmark uses'

const choice = {
  servers: chooseServers(options.only),
  shapes: chooseShapes(options.shapes),
  rounds: Number(options.rounds ?? (options.quick ? 3 : 5)),
}
const pace = {
  seconds: Number(options.seconds ?? (options.quick ? 0.6 : 2)),
  warmup: options.quick ? 0.5 : 1.5,
}

// Every server that runs listens for the end.
process.setMaxListeners(100)

if (options.growth) {
  const server = servers.find(({ name }) => name === 'plumbline') as Server
  const report = await reportGrowth(tell, { ...choice, ...pace, server, setting: { secret, pool } })
  await printReport('growth', { seconds: pace.seconds, pool, report })
} else {
  const data = await openData(1, tell)
  try {
    const sample = await drawSample(data.url, secret)
    const bench = { data, sample, setting: { databaseUrl: data.url, secret, pool }, ...pace }
    const report = options.latency
      ? await reportLatency(bench, tell, choice)
      : reportComparison(await measureAll(bench, tell, choice))
    await printReport(options.latency ? 'latency' : '', { seconds: pace.seconds, pool, report })
  } finally {
    await data.stop()
  }
}

/** Progress goes to standard error: standard output is the report. */
function tell(message: string): void {
  console.error(`${(performance.now() / 1000).toFixed(0).padStart(5)} s  ${message}`)
}

function chooseServers(names: string | undefined): Server[] {
  const wanted = names?.split(',') ?? servers.map(({ name }) => name)
  refuseUnknown(
    wanted,
    servers.map(({ name }) => name),
  )
  return servers.filter(({ name }) => name === 'f0' || wanted.includes(name))
}

function chooseShapes(names: string | undefined): ShapeName[] {
  const all = Object.keys(shapes) as ShapeName[]
  const wanted = names?.split(',') ?? all
  refuseUnknown(wanted, all)
  return all.filter((name) => wanted.includes(name))
}

function refuseUnknown(wanted: readonly string[], known: readonly string[]): void {
  const unknown = wanted.filter((name) => !known.includes(name))
  if (unknown.length === 0) return
  console.error(`There is no ${unknown.join(', ')}: choose of ${known.join(',')}`)
  process.exit(1)
}
