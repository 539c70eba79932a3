/** A node as `EXPLAIN (FORMAT JSON)` of PostgreSQL 15 and later gives it; the `Actual` figures come with ANALYZE. */
export interface PlanNode {
  readonly 'Node Type': string
  readonly 'Parent Relationship'?: string
  readonly 'Subplan Name'?: string
  readonly 'Parallel Aware'?: boolean
  readonly 'Workers Planned'?: number
  readonly Strategy?: string
  readonly Schema?: string
  readonly 'Relation Name'?: string
  readonly Alias?: string
  readonly 'Index Name'?: string
  readonly 'Startup Cost'?: number
  readonly 'Total Cost'?: number
  readonly 'Plan Rows'?: number
  readonly 'Plan Width'?: number
  /** Of one loop, on average, as are the rows removed. */
  readonly 'Actual Rows'?: number
  /** In all processes together. */
  readonly 'Actual Loops'?: number
  readonly 'Index Cond'?: string
  readonly 'Order By'?: readonly string[]
  readonly 'Recheck Cond'?: string
  readonly Filter?: string
  readonly 'Join Filter'?: string
  readonly 'Rows Removed by Filter'?: number
  readonly 'Rows Removed by Join Filter'?: number
  readonly 'Rows Removed by Index Recheck'?: number
  readonly 'Sort Key'?: readonly string[]
  readonly 'Sort Space Used'?: number
  readonly 'Sort Space Type'?: string
  readonly 'Full-sort Groups'?: SortGroups
  readonly 'Pre-sorted Groups'?: SortGroups
  readonly Workers?: readonly Partial<PlanNode>[]
  readonly Plans?: readonly PlanNode[]
}

interface SortGroups {
  readonly 'Sort Space Disk'?: { readonly 'Peak Sort Space Used': number }
}

/** A node in its place: its figures in units that mean the same in an estimated plan and in an analysed one. */
export interface Step {
  readonly node: PlanNode
  readonly above: Step | undefined
  readonly inputs: readonly Step[]
  readonly estimated: boolean
  /** How often it runs in the whole statement. */
  readonly runs: number
  /** How many processes share one run. */
  readonly processes: number
  /** What one run returns, in all processes. */
  readonly rows: number
  /** What the planner thinks one run costs, as far as it is taken; 1 is a page read in order. */
  readonly cost: number
}

/** The plan as steps, the top one's. */
export function stepOf(plan: PlanNode): Step {
  return enter(plan, { runs: 1, share: 1 })
}

/** A step and all below it. */
export function stepsOf(step: Step): Step[] {
  return [step, ...step.inputs.flatMap(stepsOf)]
}

/** The rows of one run that conditions turned away; what an estimated plan does not tell is 0. */
export function discarded({ node, estimated, inputs, rows, runs }: Step): number {
  if (!estimated) {
    const { 'Rows Removed by Filter': filter = 0, 'Rows Removed by Join Filter': join = 0 } = node
    const { 'Rows Removed by Index Recheck': recheck = 0, 'Actual Loops': loops = 0 } = node
    return loops && ((filter + join + recheck) * loops) / runs
  }
  const inner = node['Join Filter'] && inputs.find((input) => input.node['Parent Relationship'] === 'Inner')
  if (inner && node['Node Type'] === 'Nested Loop') return Math.max(0, (inner.rows * inner.runs) / runs - rows)
  const bitmap = node.Filter && inputs.find((input) => input.node['Node Type'].startsWith('Bitmap'))
  return bitmap ? Math.max(0, bitmap.rows - rows) : 0
}

/** Whether rows are estimated from a comparison such as `> $1`: of any value PostgreSQL assumes a third of the table. */
export function isGuess(step: Step): boolean {
  const isUnknown = (condition: string | undefined) => / [<>]=? (ROW\()?\(*(\$\d|InitPlan)/.test(condition ?? '')
  return step.estimated && stepsOf(step).some(({ node }) => isUnknown(node['Index Cond']) || isUnknown(node.Filter))
}

/** Whether a node takes its whole input before it returns a row. */
export function isBlocking({ 'Node Type': type, Strategy }: PlanNode): boolean {
  return ['Sort', 'Hash', 'Materialize', 'SetOp'].includes(type) || (type === 'Aggregate' && Strategy !== 'Sorted')
}

/** What PostgreSQL before 18 adds to the cost of a node that a setting turns off, such as `enable_seqscan`. */
const disabledCost = 1e10
/** How many rows a `limit $n` is taken to ask for: a plan made for any value counts on a tenth of all there are. */
const unknownLimit = 100

interface Place {
  readonly above?: Step
  /** The Gather whose processes run this. */
  readonly gather?: PlanNode | undefined
  readonly runs: number
  /** How much of the rows is taken, 0 to 1, because of a Limit above; known of estimated plans. */
  readonly share: number
}

function enter(node: PlanNode, place: Place): Step {
  const { 'Actual Loops': loops = 0, 'Actual Rows': actual = 0, 'Plan Rows': planned = 0 } = node
  const estimated = node['Actual Loops'] === undefined
  const processes = place.gather && isDivided(node) ? processesOf(place.gather, loops) : 1
  const inputs: Step[] = []
  const step: Step = {
    node,
    above: place.above,
    inputs,
    estimated,
    processes,
    runs: estimated ? place.runs : loops / processes,
    rows: (estimated ? planned * place.share : actual) * processes,
    cost: costOf(node) * place.share,
  }
  for (const input of node.Plans ?? []) inputs.push(enter(input, { above: step, ...placeOf(input, step, place) }))
  return step
}

/** Whether the processes under a Gather divide the work of a node, rather than do it each or in turn. */
function isDivided(node: PlanNode): boolean {
  return node['Parallel Aware'] || (node.Plans ?? []).some((input) => isFlow(input) && isDivided(input))
}

function isFlow({ 'Node Type': type, 'Parent Relationship': relationship }: PlanNode): boolean {
  return !type.startsWith('Gather') && relationship !== 'InitPlan' && relationship !== 'SubPlan'
}

function processesOf(gather: PlanNode, loops: number): number {
  if (gather['Actual Loops']) return loops / gather['Actual Loops'] || 1
  const workers = gather['Workers Planned'] ?? 0
  // As PostgreSQL counts: the leader helps less, the more workers it has to listen to.
  return workers + Math.max(0, 1 - 0.3 * workers)
}

function placeOf(input: PlanNode, step: Step, { gather, runs, share }: Place): Omit<Place, 'above'> {
  const { 'Node Type': type } = step.node
  const below = type.startsWith('Gather') ? step.node : gather
  switch (input['Parent Relationship']) {
    case 'InitPlan':
      return { gather: below, runs: 1, share: 1 }
    case 'SubPlan':
      return { gather: below, runs: isRepeated(input, step) ? step.runs * step.rows : 1, share: 1 }
    case 'Inner': {
      if (type !== 'Nested Loop') break
      const outer = step.inputs.find(({ node }) => node['Parent Relationship'] === 'Outer')
      return { gather: below, runs: step.runs * (outer?.rows ?? 1), share: 1 }
    }
  }
  if (type === 'Limit') return { gather: below, runs, share: share * taken(step.node, input) }
  // What these keep is not computed again.
  const kept = type === 'Materialize' || type === 'Memoize'
  return { gather: below, runs: kept ? 1 : runs, share: isBlocking(step.node) ? 1 : share }
}

/** A sub-plan that is computed once and looked up in costs less than one that runs for every row. */
function isRepeated(input: PlanNode, { rows, cost }: Step): boolean {
  return cost >= (rows * costOf(input)) / 2
}

function taken(limit: PlanNode, input: PlanNode): number {
  const { 'Plan Rows': wanted = 0, 'Total Cost': cost = 0 } = limit
  const { 'Plan Rows': rows = 0, 'Startup Cost': begin = 0, 'Total Cost': end = 0 } = input
  const share = end > begin ? Math.min(1, (cost - begin) / (end - begin)) : 1
  const isUnknown = Math.abs(wanted - rows / 10) < 1
  return isUnknown ? share * Math.min(1, unknownLimit / wanted) : share
}

function costOf(node: PlanNode): number {
  return (node['Total Cost'] ?? 0) % disabledCost
}
