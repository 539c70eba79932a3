import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { query } from './data.js'

/** CPU time of a process, all its threads, in µs. */
export function cpuOf(pid: number): number {
  let total = 0
  for (const thread of list(`/proc/${pid}/task`)) total += cpuOfThread(`/proc/${pid}/task/${thread}/schedstat`)
  return total / 1000
}

/** CPU time of PostgreSQL, in µs: the postmaster and its children, those that have ended among them. */
export function cpuOfPostgres(postmaster: number): number {
  const children = read(`/proc/${postmaster}/task/${postmaster}/children`).trim().split(' ').filter(Boolean)
  const living = [postmaster, ...children.map(Number)].reduce((total, pid) => total + cpuOf(pid), 0)
  // Fields 16 and 17 of `stat`, after the name in brackets: the time of children that were waited for, in ticks of 10 ms.
  const fields = read(`/proc/${postmaster}/stat`).split(') ')[1]?.split(' ') ?? []
  return living + (Number(fields[13]) + Number(fields[14])) * 10_000
}

/** The most memory that a process held since {@link resetPeak}, in MB. */
export function peakOf(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1]) / 1024
}

/** The memory that a process holds now, in MB. */
export function memoryOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1]) / 1024
}

export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

/** What PostgreSQL did during `work`: statements (transactions' own among them) and buffers that it looked at. */
export async function countStatements(
  url: string,
  work: () => Promise<unknown>,
): Promise<{ statements: number; buffers: number }> {
  await query(url, "alter system set pg_stat_statements.track = 'top'")
  await query(url, 'select pg_reload_conf()')
  // Every backend has to have heard of it.
  await sleep(100)
  await query(url, 'select pg_stat_statements_reset()')
  await work()
  const [row] = await query<{ statements: number; buffers: number }>(
    url,
    `select coalesce(sum(calls), 0)::int as statements, coalesce(sum(shared_blks_hit + shared_blks_read), 0)::int as buffers
     from pg_stat_statements where query not like '%pg_stat_statements%'`,
  )
  await query(url, "alter system set pg_stat_statements.track = 'none'")
  await query(url, 'select pg_reload_conf()')
  return row ?? { statements: 0, buffers: 0 }
}

/** The value below which that share of sorted values lies. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** The middle one, and how far the outermost are from it, as a share of it. */
export function median(values: readonly number[]): { value: number; spread: number } {
  const sorted = values.toSorted((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  const value =
    sorted.length % 2 === 1 ? (sorted[half] as number) : ((sorted[half - 1] as number) + (sorted[half] as number)) / 2
  const outermost = Math.max(value - (sorted[0] as number), (sorted.at(-1) as number) - value)
  return { value, spread: outermost / value }
}

/** The median of what values are to their bases, each to its own, and the quartiles. */
export function ratioOf(values: readonly number[], bases: readonly number[]): { value: number; text: string } {
  const ratios = values.map((value, index) => value / (bases[index] as number)).sort((a, b) => a - b)
  const [low, middle, high] = [quantile(ratios, 0.25), median(ratios).value, quantile(ratios, 0.75)]
  return { value: middle, text: `${middle.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})` }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function cpuOfThread(path: string): number {
  return Number(read(path).split(' ')[0])
}

/** What has ended meanwhile is empty. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
