import { adviseIndex } from './index-advice.js'
import { findingOf, type PlanFinding, type PlanLimits, rowsOf, written } from './plan-finding.js'
import { discarded, isBlocking, isGuess, type Step } from './plan-steps.js'
import { redactLiterals } from './redact.js'

/** A scan of a table, or a join, that reads or makes more than it keeps. */
export function judgeRows(step: Step, limits: PlanLimits): PlanFinding | undefined {
  // What belongs together is judged at its first part.
  const parts = partsOf(step)
  if (parts[0] !== step) return undefined
  if (step.node['Node Type'] === 'Seq Scan') return judgeFullScan(step, parts, limits)
  return judgeRemoved(step, parts, limits) ?? (isWholeIndex(step) ? judgeFullScan(step, parts, limits) : undefined)
}

/** A large table that is read row by row, for want of a condition or of an index for it. */
function judgeFullScan(step: Step, parts: readonly Step[], limits: PlanLimits): PlanFinding | undefined {
  const { node, estimated } = step
  const { Filter: filter, 'Index Name': index } = node
  if (isPage(step) && !filter) return undefined
  const kept = sum(parts, ({ rows }) => rows)
  const cost = sum(parts, (part) => part.cost)
  // An estimated plan tells the rows after the filter only; those before are in the cost.
  const isCost = estimated && filter !== undefined
  const read = isCost ? cost * rowsPerCost : kept + sum(parts, discarded)
  if (isCost ? cost < limits.scannedCost : read < limits.scannedRows) return undefined
  const amount = isCost ? `at an estimated cost of ${written(cost)}` : `${rowsOf(step, read)} rows`
  const way = `row by row${index ? ` along ${index}` : ''}`
  const isSelective = filter !== undefined && kept <= limits.selectiveShare * read
  return findingOf('full-scan', step, {
    ...(isCost ? { figure: cost, unit: 'cost' } : { figure: read, unit: 'rows' }),
    message: `Reads ${named(parts)} ${way}, ${amount}${filter ? `, to keep ${rowsOf(step, kept)}${conditionOf(step)}` : ''}.`,
    fix: isSelective ? adviseScan(step) : adviseOrder(step),
  })
}

/** Rows that are fetched, or compared, for nothing. */
function judgeRemoved(step: Step, parts: readonly Step[], limits: PlanLimits): PlanFinding | undefined {
  const { node, estimated } = step
  if (isGuess(step)) return undefined
  const isFetch = /^(Index|Index Only|Bitmap Heap) Scan$/.test(node['Node Type'])
  const kept = sum(parts, ({ rows, runs }) => rows * runs)
  const gone = sum(parts, (part) => discarded(part) * part.runs)
  const least = isFetch ? limits.removedRows : limits.comparedRows
  const isMany = gone >= least && gone >= limits.removedShare * (gone + kept)
  const cost = isFetch && estimated && node.Filter ? sum(parts, (part) => part.cost * part.runs) : 0
  const isCostly = cost >= limits.scannedCost && cost >= limits.costPerRow * Math.max(1, kept)
  if (!isMany && !isCostly) return undefined
  const doing = isFetch ? `Fetches rows of ${named(parts)}` : 'Compares rows'
  const amount = isMany ? rowsOf(step, gone) : `most, at an estimated cost of ${written(cost)}`
  return findingOf('rows-removed', step, {
    ...(isMany ? { figure: gone, unit: 'rows' } : { figure: cost, unit: 'cost' }),
    message: `${doing} and discards ${amount}, to keep ${rowsOf(step, kept)}${conditionOf(step)}.`,
    fix: isFetch ? adviseScan(step) : 'Compare fewer rows: join by equality, or filter before the join.',
  })
}

/** How an index could find the rows of a scan, given what a join above compares them by. */
export function adviseScan(step: Step, joinFilter?: string): string {
  const { 'Node Type': type, 'Index Name': used, Filter: filter } = step.node
  const { 'Index Cond': found, 'Recheck Cond': rechecked } = step.node
  if (!filter && !joinFilter)
    return 'Index what is asked for more exactly, or raise work_mem where the bitmap is lossy.'
  const index = type.startsWith('Index') && isPage(step) ? used : undefined
  const advice = adviseIndex(step.node, [found, rechecked, filter, joinFilter], { keys: sortKeysAbove(step), index })
  const others = partsOf(step).length - 1
  if (advice) return others > 0 ? `${advice} -- and on ${others} partitions more` : advice
  return 'No index follows from this condition: compare columns with values, or index the very expression (a pattern takes a trigram index).'
}

/** An index serves a scan that keeps most of what it reads by its order alone. */
function adviseOrder(step: Step): string {
  const advice = adviseIndex(step.node, [step.node.Filter], { keys: sortKeysAbove(step), isNeeded: true })
  return advice ?? 'Read less of it: a page, a narrower condition, or a total that is kept beside it.'
}

/** Rows of some 100 bytes that are read in order at a cost of 1. */
const rowsPerCost = 40

/** The scans of all partitions of a table, where this is one of them: they are judged together, at the first. */
function partsOf(step: Step): readonly Step[] {
  const family = familyOf(step)
  return step.above && family ? step.above.inputs.filter((input) => familyOf(input) === family) : [step]
}

/** Partitions have the alias of their table with a number, and conditions in common. */
function familyOf({ node, above }: Step): string | undefined {
  const alias = /^(.*)_\d+$/.exec(node.Alias ?? '')?.[1]
  if (!alias || !above?.node['Node Type'].endsWith('Append')) return undefined
  return JSON.stringify([alias, node['Node Type'], node['Index Cond'], node.Filter])
}

function sum(steps: readonly Step[], figure: (step: Step) => number): number {
  return steps.reduce((total, step) => total + figure(step), 0)
}

function named([first, ...others]: readonly Step[]): string {
  return `${first?.node['Relation Name']}${others.length > 0 ? ` and ${others.length} partitions more` : ''}`
}

function conditionOf({ node }: Step): string {
  const condition = node.Filter ?? node['Join Filter'] ?? node['Recheck Cond'] ?? node['Index Cond']
  return condition ? ` by ${redactLiterals(condition)}` : ''
}

/** Where sequential scans are switched off, a table is read by an index that has no condition to answer. */
function isWholeIndex({ node, estimated }: Step): boolean {
  const isScan = /^Index (Only )?Scan$/.test(node['Node Type']) && !node['Index Cond'] && !node['Order By']
  // What an estimated plan costs with a filter is judged by what is kept.
  return isScan && !(estimated && node.Filter)
}

/** Whether the scan ends at a Limit, which may be what the order of its index is for. */
function isPage({ node, above }: Step): boolean {
  if (!above || isBlocking(above.node) || node['Parent Relationship'] === 'Inner') return false
  return above.node['Node Type'] === 'Limit' || isPage(above)
}

function sortKeysAbove({ above }: Step): readonly string[] {
  if (above?.node['Node Type'].startsWith('Gather')) return sortKeysAbove(above)
  return (above?.node['Node Type'] === 'Sort' && above.node['Sort Key']) || []
}
