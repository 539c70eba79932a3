import type { Config } from '../core/config.js'
import { type Finding, fact, type StatementEnd } from '../core/events.js'
import type { Log } from '../core/log.js'
import { currentScope } from '../core/request.js'
import type { Database } from '../db/database.js'
import { findPlanFaults } from './findings.js'
import type { PlanFinding } from './plan-finding.js'
import type { PlanNode } from './plan-steps.js'
import { cut, redactLiterals } from './redact.js'
import { createSeldom } from './seldom.js'

/** In ms: how long a statement's plan is not looked at again, and how long looking may take. */
const restAfterPlan = 600_000
const planTimeout = 5_000

/** What has a plan, behind comments. */
const planned = /^(?:\s+|--.*\n)*(select|insert|update|delete|with)\b/i

const made = fact('finding.made')

/**
 * Logs operations and statements that take long, statements with what is wrong with their plan; without values of
 * parameters, literals or rows. Plans are looked at one at a time, each statement's once in ten minutes. The answer
 * stops it.
 */
export function tellSlow(config: Config, db: Database, log: Log): () => void {
  const look = createPlanLook(config, db, log)
  const stops = [
    fact('operation.finished').listen(({ operation, duration, errors }) => {
      if (duration <= config.SLOW_OPERATION_MS) return
      log.warn({ ...operation, duration: Math.round(duration), errors: errors.length }, 'slow operation')
    }),
    fact('statement.finished').listen((statement) => {
      // An export is long because it is large, not because it is slow.
      const isSlow = statement.pool === 'primary' && statement.duration > config.SLOW_STATEMENT_MS
      if (isSlow) void tellStatement(statement, look, log)
    }),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}

/** A plan as the log shows it. */
interface Plan {
  /** What reads what, and how many rows. */
  readonly outline: string
  readonly estimated: boolean
  readonly findings: readonly PlanFinding[]
}

type Look = (statement: StatementEnd) => Promise<Plan | undefined>

async function tellStatement(end: StatementEnd, look: Look, log: Log): Promise<void> {
  const { statement, text, rows, duration, wait, pool, error } = end
  const fields = whoAsked(end)
  const plan = await look(end)
  const told = { statement, text: redactLiterals(cut(text)), fields, rows, pool }
  const times = { duration: Math.round(duration), wait: Math.round(wait) }
  log.warn({ ...told, ...times, failed: error !== undefined, plan }, 'slow statement')
  for (const { message, fix } of plan?.findings ?? [])
    made.publish({ kind: 'plan', statement, field: fields[0], message: `Plan: ${message} ${fix}` } satisfies Finding)
}

/** The fields that a batch was asked by, or else the one that is known. */
function whoAsked({ field }: StatementEnd): readonly string[] {
  const scope = currentScope()
  if (scope?.batch) return [...new Set(scope.batch.askers.map(({ coordinate }) => coordinate))]
  const known = scope?.field?.coordinate ?? field
  return known ? [known] : []
}

/** Looks at a statement's plan, where it may; undefined where it may not. */
function createPlanLook(config: Config, db: Database, log: Log): Look {
  const isTime = createSeldom(restAfterPlan)
  let isLooking = false

  function mayLook({ statement, text, inTransaction }: StatementEnd): boolean {
    if (config.SLOW_STATEMENT_PLANS === 'off' || isLooking || db.pool.waiting > 0 || !planned.test(text)) return false
    // MikroORM writes values into its texts: each differs.
    return isTime(inTransaction ? statement : text)
  }

  return async (end) => {
    if (!mayLook(end)) return undefined
    const { text, values, inTransaction, error } = end
    isLooking = true
    try {
      const runs = config.SLOW_STATEMENT_PLANS === 'analyzed' && !inTransaction && error === undefined
      const plan = await db.explain<PlanNode>({ text, values: runs ? values : undefined, timeout: planTimeout })
      return { outline: outline(plan), estimated: !runs, findings: findPlanFaults(plan) }
    } catch (failure) {
      log.debug({ err: failure }, 'the plan of a slow statement cannot be had')
      return undefined
    } finally {
      isLooking = false
    }
  }
}

function outline(node: PlanNode): string {
  const { 'Node Type': type, 'Relation Name': table, 'Index Name': index, Plans: inputs = [] } = node
  const rows = node['Actual Rows'] ?? node['Plan Rows']
  const name = [type, table && `on ${table}`, index && `by ${index}`, `(${rows} rows)`].filter(Boolean).join(' ')
  return inputs.length === 0 ? name : `${name} <- ${inputs.map(outline).join(' + ')}`
}
