import { median, memoryOf, ratioOf } from './measure.js'
import type { Running } from './processes.js'
import { type Manner, type Receiver, startReceiver } from './receiver.js'
import { table } from './report.js'
import { type Bench, measureShape, openServer, type Round } from './rounds.js'
import { renewTokens } from './sample.js'
import type { Server } from './servers.js'
import type { ShapeName } from './shapes.js'

type Tell = (message: string) => void

interface Options {
  readonly server: Server
  readonly shapes: readonly ShapeName[]
  readonly rounds: number
  /** The folder of another build of this project, to be compared with telemetry off. */
  readonly against: string | undefined
  /** Whether to compare receivers that fail. */
  readonly outage: boolean
}

/** The same server, as it tells of itself. */
interface Variant {
  readonly title: string
  readonly goal?: string
  readonly folder?: string
  /** The share of requests whose spans are exported; telemetry is off without it. */
  readonly sampled?: number
  /** How it is received; nobody listens without it. */
  readonly manner?: Manner
}

/** All that was measured of a variant and shape. */
interface Cell {
  readonly shape: ShapeName
  readonly variant: Variant
  readonly rounds: Round[]
  spans: number
  /** In MB, when it was measured last. */
  memory: number
}

interface Opened {
  readonly variant: Variant
  readonly running: Running
  readonly receiver: Receiver | undefined
}

const off: Variant = { title: 'off' }
const all: Variant = { title: '100 % of traces, metrics', goal: '≤ 1.30', sampled: 1, manner: 'healthy' }
const some: Variant = { ...all, title: '10 % of traces, metrics', goal: '≤ 1.10', sampled: 0.1 }
const failing: Variant = { title: 'down', goal: '≤ 1.05', sampled: 1 }
const outages: readonly Variant[] = [
  { ...all, title: 'healthy', goal: '' },
  failing,
  { ...failing, title: 'never answers', manner: 'silent' },
  { ...failing, title: 'answers 503', manner: 'unavailable' },
  { ...failing, title: 'answers 429', manner: 'throttling' },
]

/** Nothing listens at this port. */
const nowhere = 'http://127.0.0.1:9'

/** Rounds that one process is asked: some are a tenth dearer for as long as they run. */
const roundsOfStart = 2

/** What telling costs a request, in CPU time: by what is sampled, against an older build, and while receivers fail. */
export async function reportTelemetry(bench: Bench, tell: Tell, options: Options): Promise<string> {
  // Off is off.
  for (const name of Object.keys(process.env)) if (name.startsWith('OTEL_')) delete process.env[name]
  const told: string[] = []
  const add = async (title: string, variants: readonly Variant[]) =>
    told.push(`## ${title}`, await compare(bench, tell, options, variants))
  await add('Telemetry on', [off, some, all])
  if (options.against)
    await add('Off, against another build', [
      { title: 'before, off', folder: options.against },
      { ...off, goal: '0.97–1.03' },
    ])
  if (options.outage) await add('100 % of traces, to a receiver that fails', outages)
  return told.join('\n\n')
}

/** Measures the variants in turn, one way and then the other; ratios are of one round's, to the first variant. */
async function compare(bench: Bench, tell: Tell, options: Options, variants: readonly Variant[]): Promise<string> {
  const cells = options.shapes.flatMap((shape) =>
    variants.map((variant): Cell => ({ shape, variant, rounds: [], spans: 0, memory: 0 })),
  )
  for (let round = 0; round < options.rounds; round += roundsOfStart) {
    tell(`${variants.map(({ title }) => title).join(' : ')}, round ${round + 1} of ${options.rounds}`)
    const opened: Opened[] = []
    try {
      for (const variant of variants) opened.push(await open(bench, options.server, variant))
      const rounds = Array.from(
        { length: Math.min(roundsOfStart, options.rounds - round) },
        (_, index) => round + index,
      )
      for (const shape of options.shapes)
        await measure(
          bench,
          opened,
          cells.filter((cell) => cell.shape === shape),
          rounds,
        )
    } finally {
      for (const { running, receiver } of opened) {
        await running.stop()
        await receiver?.stop()
      }
    }
  }
  const ratios = ['both', 'goal', 'server alone', 'p50', 'p95']
  return [
    `CPU time a request in µs, and ratios to *${variants[0]?.title}*: the median of ${options.rounds} rounds' own ratios, and in brackets their quartiles. Then spans received a request, and memory held.`,
    table(
      ['', '', 'server', 'PostgreSQL', ...ratios, 'spans', 'MB'],
      cells.map((cell) => rowOf(cell, cells)),
    ),
  ].join('\n\n')
}

async function open(bench: Bench, server: Server, variant: Variant): Promise<Opened> {
  const { title, folder, sampled, manner } = variant
  const receiver = manner && (await startReceiver(manner))
  const told = sampled !== undefined && {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver?.url ?? nowhere,
    OTEL_LOGS_EXPORTER: 'none',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: String(sampled),
  }
  const running = await openServer(bench, {
    ...server,
    name: title,
    program: { root: 'dist/main.js', ...(folder && { folder }) },
    variables: (pool) => ({ ...server.variables?.(pool), ...told }),
  })
  return { variant, running, receiver }
}

async function measure(
  bench: Bench,
  opened: readonly Opened[],
  cells: readonly Cell[],
  rounds: readonly number[],
): Promise<void> {
  const shape = cells[0]?.shape as ShapeName
  for (const { running } of opened) await measureShape(bench, running, shape, { seconds: 2 * bench.warmup })
  for (const round of rounds) {
    await renewTokens(bench.sample, bench.setting.secret)
    const numberOf = (index: number) => round * 1_000_000 + index
    for (const { variant, running, receiver } of round % 2 === 0 ? opened : opened.toReversed()) {
      const cell = cells.find((one) => one.variant === variant) as Cell
      await receiver?.takeSpans()
      cell.rounds.push(await measureShape(bench, running, shape, { numberOf }))
      cell.spans += (await receiver?.takeSpans()) ?? 0
      cell.memory = memoryOf(running.pid)
    }
  }
}

function rowOf({ shape, variant, rounds, spans, memory }: Cell, cells: readonly Cell[]): string[] {
  const first = cells.find((one) => one.shape === shape) as Cell
  const middle = (pick: (round: Round) => number) => median(rounds.map(pick)).value.toFixed(0)
  const ratio = (pick: (round: Round) => number) => {
    return variant === first.variant ? '1' : ratioOf(rounds.map(pick), first.rounds.map(pick)).text
  }
  const requests = rounds.reduce((sum, round) => sum + round.requests, 0)
  return [
    shape,
    variant.title,
    middle(({ server }) => server),
    middle(({ postgres }) => postgres),
    ratio(({ server, postgres }) => server + postgres),
    variant.goal ?? '',
    ratio(({ server }) => server),
    ratio(({ p50 }) => p50),
    ratio(({ p95 }) => p95),
    (spans / requests).toFixed(1),
    memory.toFixed(0),
  ]
}
