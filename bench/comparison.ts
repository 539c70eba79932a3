import { peakOf, resetPeak } from './measure.js'
import type { Running } from './processes.js'
import {
  answers,
  type Bench,
  checkShape,
  countShape,
  measureDocuments,
  measureShape,
  openServer,
  type Round,
} from './rounds.js'
import { renewTokens } from './sample.js'
import type { Server } from './servers.js'
import type { ShapeName } from './shapes.js'

/** S8 has two columns: documents that come for the first time, and again and again. */
export type Column = Exclude<ShapeName, 'S8'> | 'S8 once' | 'S8 cycled'

/** All rounds of one server and column. */
export interface Cell {
  readonly server: Server
  readonly column: Column
  readonly rounds: Round[]
  /** SQL statements per request. */
  readonly statements: number
  /** The most memory that the process held, in MB. */
  peak: number
}

export interface Choice {
  /** F0 first of all that are compared with it. */
  readonly servers: readonly Server[]
  readonly shapes: readonly ShapeName[]
  readonly rounds: number
}

type Tell = (message: string) => void

/** Checks, warms up and measures: every server in turn is asked a shape, then all of them the next; and so on again. */
export async function measureAll(bench: Bench, tell: Tell, choice: Choice): Promise<Cell[]> {
  const floor = await openServer(bench, choice.servers.find(({ name }) => name === 'f0') as Server)
  const running: Running[] = [floor]
  try {
    for (const server of choice.servers) {
      tell(`starting ${server.name}`)
      if (server.name !== 'f0') running.push(await openServer(bench, server, floor))
    }
    running.sort((a, b) => choice.servers.indexOf(a.server) - choice.servers.indexOf(b.server))
    const cells = await prepareCells(bench, tell, { floor, running, shapes: choice.shapes })
    for (let round = 1; round <= choice.rounds; round++) {
      tell(`round ${round} of ${choice.rounds}`)
      await renewTokens(bench.sample, bench.setting.secret)
      await measureRound(bench, cells, running, round)
      // It takes its time, and its documents are many: fewer rounds of it are as steady.
      if (choice.shapes.includes('S8') && (round === 1 || round <= choice.rounds - 2))
        await measureDocumentRound(bench, cells, floor)
    }
    return cells
  } finally {
    await Promise.all(running.map((one) => one.stop()))
  }
}

async function prepareCells(
  bench: Bench,
  tell: Tell,
  { floor, running, shapes }: { floor: Running; running: Running[]; shapes: readonly ShapeName[] },
): Promise<Cell[]> {
  const cells: Cell[] = []
  for (const shape of shapes) {
    tell(`checking and warming up ${shape}`)
    for (const one of running) {
      if (!answers(one.server, shape)) continue
      if (one !== floor && !one.server.fixed) await checkShape(bench, floor, one, shape)
      if (shape !== 'S8') await measureShape(bench, one, shape, { seconds: bench.warmup })
      const { statements } = await countShape(bench, one, shape)
      const columns: Column[] = shape === 'S8' ? ['S8 once', 'S8 cycled'] : [shape]
      for (const column of columns) cells.push({ server: one.server, column, rounds: [], statements, peak: 0 })
    }
  }
  return cells
}

async function measureRound(bench: Bench, cells: Cell[], running: Running[], round: number): Promise<void> {
  for (const cell of cells) {
    const { column } = cell
    if (column === 'S8 once' || column === 'S8 cycled') continue
    const one = running.find(({ server }) => server === cell.server) as Running
    resetPeak(one.pid)
    // No round sends the requests of another.
    const numberOf = (index: number) => round * 1_000_000 + index
    cell.rounds.push(await measureShape(bench, one, column, { numberOf }))
    cell.peak = Math.max(cell.peak, peakOf(one.pid))
  }
}

async function measureDocumentRound(bench: Bench, cells: Cell[], floor: Running): Promise<void> {
  for (const first of cells.filter(({ column }) => column === 'S8 once')) {
    const again = cells.find(({ column, server }) => column === 'S8 cycled' && server === first.server) as Cell
    const { once, cycled, peak } = await measureDocuments(bench, first.server, floor)
    first.rounds.push(once)
    again.rounds.push(cycled)
    first.peak = again.peak = Math.max(peak, again.peak)
  }
}
