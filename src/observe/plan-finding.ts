import type { Step } from './plan-steps.js'

/** Something wrong with a plan. No field holds a value of a row, though the plan's conditions may. */
export interface PlanFinding {
  readonly kind: 'full-scan' | 'rows-removed' | 'nested-loop' | 'sort'
  /** Undefined where it is about no table, or several. */
  readonly table: string | undefined
  readonly index: string | undefined
  /** What decided. */
  readonly figure: number
  /** `kB` are 1,024 bytes; `cost` is in the planner's units, of which one is a page read in order. */
  readonly unit: 'rows' | 'loops' | 'kB' | 'cost'
  /** False where the plan was run, and the figure counted. */
  readonly estimated: boolean
  /** What happens and how much of it, in one sentence. */
  readonly message: string
  /** A `CREATE INDEX` statement where one follows from the plan's own conditions, else words. */
  readonly fix: string
}

/** Where findings begin. */
export const planLimits = {
  /** A table of that many rows takes milliseconds to read in order, too long for every request. */
  scannedRows: 10_000,
  /** The same where an estimated plan tells only the cost: 8 MB of pages, or some 40,000 rows of 100 bytes. */
  scannedCost: 1_000,
  /** Rows fetched by an index for nothing: each may be a page from disk. */
  removedRows: 1_000,
  /** Rows that joins and other nodes make for nothing: they cost processor time alone. */
  comparedRows: 100_000,
  /** What part of the rows must be for nothing. */
  removedShare: 0.9,
  /** The same where an estimated plan tells only the cost: ten pages in no order for each row kept. */
  costPerRow: 40,
  /** It takes more: so many rows PostgreSQL assumes of a function that it knows nothing of. */
  loops: 1_000,
  /** What each loop may read beyond what is kept of it. */
  rowsPerLoop: 10,
  /** The same where an estimated plan tells only the cost: two lookups by key for each row kept. */
  costPerLoop: 20,
  /** Sorted at once: milliseconds. */
  sortedRows: 10_000,
  /** PostgreSQL's `work_mem` in kB, beyond which an estimated sort goes to disk. */
  workMemory: 4_096,
  /** No index is advised for a condition that keeps a larger part of its table. */
  selectiveShare: 0.2,
}

export type PlanLimits = typeof planLimits

/** A finding of that kind about that step. */
export function findingOf(
  kind: PlanFinding['kind'],
  { node, estimated }: Step,
  rest: Pick<PlanFinding, 'figure' | 'unit' | 'message' | 'fix'>,
): PlanFinding {
  const index =
    node['Index Name'] ?? node.Plans?.find((input) => input['Index Name'] && !input['Relation Name'])?.['Index Name']
  return { kind, table: node['Relation Name'], index, estimated, ...rest, figure: Math.round(rest.figure) }
}

/** As in `an estimated 60,000`. */
export function rowsOf(step: Step, rows: number): string {
  return `${step.estimated ? 'an estimated ' : ''}${written(rows)}`
}

export function written(figure: number): string {
  return Math.round(figure).toLocaleString('en-US')
}
