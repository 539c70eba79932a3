import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { reportCache } from './cache.js'
import { parts } from './cache-rows.js'
import { measureAll } from './comparison.js'
import { openData } from './data.js'
import { reportGrowth } from './growth.js'
import { reportJobs } from './jobs.js'
import { reportLatency } from './latency.js'
import { printReport, reportComparison } from './report.js'
import type { Bench } from './rounds.js'
import { drawSample } from './sample.js'
import { type Server, servers } from './servers.js'
import { type ShapeName, shapes } from './shapes.js'
import { reportTelemetry } from './telemetry.js'

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
    /** Instead: what this project's telemetry costs; also against another build of it, off, and with receivers that fail. */
    telemetry: { type: 'boolean', default: false },
    against: { type: 'string' },
    outage: { type: 'boolean', default: false },
    /** Instead: what requests cost with caches, this project's and others'; in parts by name, with commas. */
    cache: { type: 'boolean', default: false },
    parts: { type: 'string' },
    /** Instead: what an empty job costs, beside the engine alone. */
    jobs: { type: 'boolean', default: false },
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
  shapes: chooseShapes(options.shapes ?? (options.telemetry ? 'S1,S3' : undefined)),
  rounds: Number(options.rounds ?? (options.quick ? 3 : options.telemetry || options.cache ? 12 : 5)),
}
const pace = {
  seconds: Number(options.seconds ?? (options.quick ? 0.6 : options.cache ? 1 : 2)),
  warmup: options.quick ? 0.5 : 1.5,
}

// Every server that runs listens for the end.
process.setMaxListeners(100)

const find = (name: string) => servers.find((server) => server.name === name) as Server
/** What does its work anew at every request. */
const plumbline = find('plumbline-off')

if (options.growth) {
  const report = await reportGrowth(tell, { ...choice, ...pace, server: plumbline, setting: { secret, pool } })
  await printReport('growth', { seconds: pace.seconds, pool, report })
} else if (options.jobs) {
  const data = await openData(1, tell)
  try {
    const report = await reportJobs({ data, secret, rounds: choice.rounds, tell })
    await printReport('jobs', { seconds: pace.seconds, pool, report })
  } finally {
    await data.stop()
  }
} else {
  const data = await openData(1, tell)
  try {
    const sample = await drawSample(data.url, secret)
    const bench = { data, sample, setting: { databaseUrl: data.url, secret, pool }, ...pace }
    const { kind, report } = await measure(bench)
    await printReport(kind, { seconds: pace.seconds, pool, report })
  } finally {
    await data.stop()
  }
}

async function measure(bench: Bench): Promise<{ kind: string; report: string }> {
  if (options.latency) return { kind: 'latency', report: await reportLatency(bench, tell, choice) }
  if (options.cache) {
    const chosen = { parts: chooseParts(options.parts), f0: find('f0'), rounds: choice.rounds }
    return { kind: 'cache', report: await reportCache(bench, tell, chosen) }
  }
  if (!options.telemetry) return { kind: '', report: reportComparison(await measureAll(bench, tell, choice)) }
  const against = options.against && resolve(options.against)
  const compared = { ...choice, server: plumbline, against, outage: options.outage }
  return { kind: 'telemetry', report: await reportTelemetry(bench, tell, compared) }
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

function chooseParts(names: string | undefined): string[] {
  const all = parts.map(({ name }) => name)
  const wanted = names?.split(',') ?? all
  refuseUnknown(wanted, all)
  return wanted
}

function refuseUnknown(wanted: readonly string[], known: readonly string[]): void {
  const unknown = wanted.filter((name) => !known.includes(name))
  if (unknown.length === 0) return
  console.error(`There is no ${unknown.join(', ')}: choose of ${known.join(',')}`)
  process.exit(1)
}
