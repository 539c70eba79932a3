import { execFileSync } from 'node:child_process'
import { type Opened, openRows } from './cache-opened.js'
import { type Part, parts, type Ratio, type Row } from './cache-rows.js'
import { median, ratioOf } from './measure.js'
import type { Running } from './processes.js'
import { sumOf, table } from './report.js'
import { type Bench, countShape, measureShape, type Round } from './rounds.js'
import { drawManyKeys, renewTokens } from './sample.js'
import type { Server } from './servers.js'
import type { Sample } from './shapes.js'

type Tell = (message: string) => void

interface Options {
  readonly f0: Server
  /** By name. */
  readonly parts: readonly string[]
  readonly rounds: number
}

/** All that was measured of a row. */
interface Cell {
  readonly row: Row
  readonly rounds: Round[]
  /** When its server was started last: SQL statements a request, and its answers' status. */
  statements: number
  status: number
}

/** Rounds that one process is asked: some are a tenth dearer for as long as they run. */
const roundsOfStart = 2

/** The share of its keys that a row which never repeats one has for its warm-up; each round has half of the rest. */
const warmupShare = 1 / 4

/** What requests cost with caches, as ratios to floors, to peers with theirs and to none, and whether that meets the goals. */
export async function reportCache(bench: Bench, tell: Tell, options: Options): Promise<string> {
  // Every row says itself what differs from the defaults.
  for (const name of Object.keys(process.env)) if (/^(CACHE|REDIS)_/.test(name)) delete process.env[name]
  const many = await drawManyKeys(bench.data.url, bench.sample)
  const version = /v=([\d.]+)/.exec(execFileSync('redis-server', ['--version'], { encoding: 'utf8' }))?.[1]
  const told = [`Redis ${version}, a server of its own for each that uses one.`]
  for (const part of parts.filter(({ name }) => options.parts.includes(name)))
    told.push(`## ${part.title}`, await comparePart(bench, tell, { ...options, part, many }))
  return told.join('\n\n')
}

async function comparePart(
  bench: Bench,
  tell: Tell,
  { part, many, f0, rounds }: Options & { part: Part; many: Sample },
): Promise<string> {
  const cells = cellsOf(part)
  for (let first = 0; first < rounds; first += roundsOfStart) {
    tell(`${part.name}, round ${first + 1} of ${rounds}`)
    await renewTokens(bench.sample, bench.setting.secret)
    const running: Running[] = []
    try {
      const opened = await openRows(bench, { rows: cells.map(({ row }) => row), many, f0 }, running)
      await measureStart(opened, cells, { first, count: Math.min(roundsOfStart, rounds - first) })
    } finally {
      await Promise.all(running.map((one) => one.stop()))
    }
  }
  return [
    `CPU time a request of server, PostgreSQL and Redis: the median of ${rounds} rounds' own ratios, and their quartiles.`,
    table(
      ['', 'to', 'ratio', 'goal', 'met'],
      part.ratios.map((ratio) => ratioRow(ratio, cells)),
    ),
    'Medians over the rounds: CPU time in µs; SQL statements a request, none where all was found.',
    table(
      ['', 'status', 'server', 'PostgreSQL', 'Redis', 'all', 'requests/s', 'p50, ms', 'p99, ms', 'SQL'],
      cells.map(costRow),
    ),
  ].join('\n\n')
}

/** Warms up every row, and measures them in turn, one way and then the other. */
async function measureStart(
  opened: readonly Opened[],
  cells: readonly Cell[],
  { first, count }: { first: number; count: number },
): Promise<void> {
  for (const { row, running, bench, numberOf, most, status } of opened) {
    // All that is to be found is asked once.
    if (row.numbers) await measureShape(bench, running, row.shape, { numberOf, seconds: 60, count: row.numbers.length })
    await measureShape(bench, running, row.shape, { numberOf, seconds: bench.warmup, count: most(warmupShare) })
    const { statements } = await countShape(bench, running, row.shape, numberOf)
    Object.assign(cellOf(row, cells), { statements, status })
  }
  for (let round = first; round < first + count; round++)
    for (const { row, running, bench, numberOf, most } of round % 2 === 0 ? opened : opened.toReversed()) {
      const bounds = { numberOf, count: most((1 - warmupShare) / roundsOfStart) }
      // The other rows had their turn since: what is to be found is there again.
      if (row.numbers)
        await measureShape(bench, running, row.shape, { numberOf, seconds: 60, count: row.numbers.length })
      cellOf(row, cells).rounds.push(await measureShape(bench, running, row.shape, bounds))
    }
}

/** Each row once, however many ratios it is in. */
function cellsOf({ ratios }: Part): Cell[] {
  const rows = new Map(ratios.flatMap(({ to, of }) => [to, of]).map((row) => [titleOf(row), row]))
  return [...rows.values()].map((row) => ({ row, rounds: [], statements: 0, status: 0 }))
}

function cellOf(row: Row, cells: readonly Cell[]): Cell {
  return cells.find((cell) => titleOf(cell.row) === titleOf(row)) as Cell
}

function ratioRow({ of, to, goal }: Ratio, cells: readonly Cell[]): string[] {
  const [costs, bases] = [of, to].map((row) => cellOf(row, cells).rounds.map(sumOf)) as [number[], number[]]
  const { value, text } = ratioOf(costs, bases)
  const isAnswered = of.manner !== '304' || cellOf(of, cells).status === 304
  const isMet = goal !== undefined && value <= goal && isAnswered
  return [titleOf(of), titleOf(to), text, goal ? `≤ ${goal.toFixed(2)}` : '', goal ? (isMet ? 'yes' : 'no') : '']
}

function costRow({ row, rounds, statements, status }: Cell): string[] {
  const middle = (pick: (round: Round) => number, digits = 0) => median(rounds.map(pick)).value.toFixed(digits)
  return [
    titleOf(row),
    String(status),
    middle(({ server }) => server),
    middle(({ postgres }) => postgres),
    middle(({ redis }) => redis),
    middle(sumOf),
    middle(({ perSecond }) => perSecond),
    middle(({ p50 }) => p50, 2),
    middle(({ p99 }) => p99, 2),
    statements.toFixed(1),
  ]
}

function titleOf({ server, shape, manner }: Row): string {
  return `${server.title.split(':')[0]}: ${shape}${manner === 'POST' ? '' : `, ${manner}`}`
}
