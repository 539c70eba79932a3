import { parseArgs } from 'node:util'
import { measureAll } from './comparison.js'
import { openData } from './data.js'
import { printReport, reportComparison } from './report.js'
import { drawSample } from './sample.js'
import { servers } from './servers.js'
import { type ShapeName, shapes } from './shapes.js'

const { values: options } = parseArgs({
  options: {
    /** A rough table in four minutes. */
    quick: { type: 'boolean', default: false },
    /** Servers by name, with commas; F0 is always there. */
    only: { type: 'string' },
    /** Shapes by name, with commas. */
    shapes: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
  },
})

const tell = (message: string) => console.error(`${(performance.now() / 1000).toFixed(0).padStart(5)} s  ${message}`)

/** The guide's rule for two cores. */
const pool = 5
const secret = 'a secret for tokens that nobody but this benchmark uses'

const data = await openData(1, tell)
try {
  const bench = {
    data,
    sample: await drawSample(data.url, secret),
    setting: { databaseUrl: data.url, secret, pool },
    seconds: Number(options.seconds ?? (options.quick ? 0.7 : 2)),
    warmup: options.quick ? 0.5 : 1.5,
  }
  const only = options.only?.split(',')
  const cells = await measureAll(bench, tell, {
    servers: servers.filter(({ name }) => name === 'f0' || !only || only.includes(name)),
    shapes: choose(options.shapes),
    rounds: Number(options.rounds ?? (options.quick ? 3 : 5)),
  })
  await printReport(bench, [reportComparison(cells)])
} finally {
  await data.stop()
}

function choose(names: string | undefined): ShapeName[] {
  const all = Object.keys(shapes) as ShapeName[]
  const wrong = names?.split(',').filter((name) => !all.includes(name as ShapeName)) ?? []
  if (wrong.length > 0) throw new Error(`There is no shape ${wrong.join(', ')}: choose of ${all.join(',')}`)
  return names ? all.filter((name) => names.split(',').includes(name)) : all
}
