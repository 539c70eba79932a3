import { adviseIndex } from './index-advice.js'
import { findingOf, type PlanFinding, type PlanLimits, planLimits, rowsOf, written } from './plan-finding.js'
import { discarded, isGuess, type PlanNode, type Step, stepOf, stepsOf } from './plan-steps.js'
import { adviseScan, judgeRows } from './scan-findings.js'

/** What is wrong with a plan: the `Plan` of what EXPLAIN (FORMAT JSON) answers, with ANALYZE or without. */
export function findPlanFaults(plan: PlanNode): readonly PlanFinding[] {
  return stepsOf(stepOf(plan)).flatMap((step) =>
    [judgeLoops(step, planLimits), judge(step, planLimits)].filter((finding) => finding !== undefined),
  )
}

function judge(step: Step, limits: PlanLimits): PlanFinding | undefined {
  if (/^(Incremental )?Sort$/.test(step.node['Node Type'])) return judgeSort(step, limits)
  // A join whose inner side runs too often is named as such.
  const isLoop = step.node['Node Type'] === 'Nested Loop' && step.inputs.some((input) => judgeLoops(input, limits))
  return isLoop ? undefined : judgeRows(step, limits)
}

/** The inner side of a nested loop, or a sub-plan, that runs many times and is more than a lookup. */
function judgeLoops(step: Step, limits: PlanLimits): PlanFinding | undefined {
  const { node, above, estimated, runs } = step
  const relationship = node['Parent Relationship']
  const isInner = relationship === 'Inner' && above?.node['Node Type'] === 'Nested Loop'
  if (!above || !(isInner || relationship === 'SubPlan') || runs <= limits.loops || isGuess(above)) return undefined
  const result = isInner ? above : step
  const kept = (result.rows * result.runs) / runs
  const read = Math.max(step.rows, estimated ? 0 : readBelow(step) / runs)
  const isCached = /^(Materialize|Memoize)$/.test(node['Node Type'])
  const isCostly = estimated && !isCached && step.cost > limits.costPerLoop * Math.max(1, kept)
  if (read - kept <= limits.rowsPerLoop && !isCostly) return undefined
  const scan = stepsOf(step).find((below) => below.node['Relation Name']) ?? step
  const table = scan.node['Relation Name']
  const each = isCostly
    ? `at an estimated cost of ${written(step.cost)}`
    : `reading ${written(read)} rows to keep ${written(kept)}`
  return findingOf('nested-loop', scan, {
    figure: runs,
    unit: 'loops',
    message: `Runs ${isInner ? 'the inner side of a nested loop' : node['Subplan Name']}${table ? ` over ${table}` : ''} ${rowsOf(step, runs)} times, each time ${each}.`,
    fix: adviseLoop(scan, isInner ? step : undefined),
  })
}

function readBelow(step: Step): number {
  const scans = stepsOf(step).filter(
    ({ node }) => /Scan$/.test(node['Node Type']) && !/^(Bitmap Index|Subquery) /.test(node['Node Type']),
  )
  return scans.reduce((total, scan) => total + (scan.rows + discarded(scan)) * scan.runs, 0)
}

function adviseLoop(scan: Step, inner: Step | undefined): string {
  const { 'Index Cond': found, 'Recheck Cond': rechecked, Filter: filter } = scan.node
  const isDirect = scan === inner || (scan.above === inner && inner?.node['Node Type'] === 'Materialize')
  const joinFilter = isDirect ? inner?.above?.node['Join Filter'] : undefined
  const isLookup = (found || rechecked) && discarded(scan) <= scan.rows
  if (!isLookup && (filter || joinFilter)) return adviseScan(scan, joinFilter)
  return 'Answer all of it at once: join to one grouped query, or batch the keys by = any($1).'
}

/** A sort of many rows, or of more than memory holds. */
function judgeSort(step: Step, limits: PlanLimits): PlanFinding | undefined {
  const { node, estimated } = step
  const input = step.inputs.find((below) => below.node['Parent Relationship'] === 'Outer')
  if (!input || isGuess(step)) return undefined
  const isWhole = node['Node Type'] === 'Sort'
  const space = estimated ? spaceOf(step, input) : diskOf(node)
  const isDisk = space > (estimated ? limits.workMemory * input.processes : 0)
  if (!isDisk && !(isWhole && input.rows >= limits.sortedRows)) return undefined
  const scan = isGather(input) ? (input.inputs[0] ?? input) : input
  const { 'Relation Name': table, 'Index Cond': found, 'Recheck Cond': rechecked, Filter: filter } = scan.node
  const order = { keys: node['Sort Key'] ?? [], isNeeded: true }
  const disk = isDisk ? `, ${rowsOf(step, space)} kB of them on disk` : ''
  return findingOf('sort', table ? scan : step, {
    ...(isDisk ? { figure: space, unit: 'kB' } : { figure: input.rows, unit: 'rows' }),
    message: `Sorts ${rowsOf(step, input.rows)} rows${table ? ` of ${table}` : ''}${disk}.`,
    fix:
      adviseIndex(scan.node, [found, rechecked, filter], order) ??
      `Sort fewer rows: filter before it, or page in the order of an index${isDisk ? ', or raise work_mem' : ''}.`,
  })
}

function isGather(step: Step | undefined): boolean {
  return step?.node['Node Type'].startsWith('Gather') ?? false
}

/** What is sorted in kB; for a Limit that is next to nothing. PostgreSQL counts 24 bytes of its own for a row. */
function spaceOf({ node, above }: Step, { node: { 'Plan Width': width = 0 }, rows }: Step): number {
  const reader = isGather(above) ? above?.above : above
  return node['Node Type'] !== 'Sort' || reader?.node['Node Type'] === 'Limit' ? 0 : (rows * (width + 24)) / 1024
}

/** What a sort wrote to disk in kB, in all processes. */
function diskOf(node: PlanNode): number {
  const sorts = [node, ...(node.Workers ?? [])].filter((sort) => sort['Sort Space Type'] === 'Disk')
  const whole = sorts.reduce((total, sort) => total + (sort['Sort Space Used'] ?? 0), 0)
  const groups = [node['Full-sort Groups'], node['Pre-sorted Groups']]
  return whole + Math.max(...groups.map((group) => group?.['Sort Space Disk']?.['Peak Sort Space Used'] ?? 0))
}
