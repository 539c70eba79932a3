import {
  type GraphQLError,
  type GraphQLResolveInfo,
  locatedError,
  type ResponsePath,
  responsePathAsArray,
} from 'graphql'
import type { FieldPlan, Plan, Shape, Variables } from './plan.js'

/** One execution of a plan. */
export interface Run {
  readonly plan: Plan
  readonly context: unknown
  readonly variables: Variables
  readonly errors: GraphQLError[]
  /** Where null stands for an error; an error at or below such a place is told no more. */
  readonly nulled: Set<ResponsePath | undefined>
  /** Arguments computed already, of fields whose arguments are all plain values. */
  readonly args: Map<FieldPlan, Record<string, unknown>>
  /** What failed in objects while others of their fields were pending. */
  readonly failures: Map<Position, unknown>
  finish: (data: unknown) => void
}

/**
 * A place in the answer whose value takes more than one step, and the ledger of what it waits for. Values are written
 * in place as they come; no promise is made per object or list. The `ticks` of this file are the microtasks that
 * graphql-js's chains of promises take for the same step: they decide in which order errors are told.
 */
export class Position {
  /** What the fields or items below are written to. */
  out: Record<string | number, unknown> | undefined = undefined
  /** How many below are still to come. */
  pending = 0
  /** Ticks from the end of this value to the place above. */
  delay = 1
  /** True where the place above counts this one among what it waits for. */
  private joined = false
  private closed = false
  private place: ResponsePath | undefined = undefined

  constructor(
    readonly run: Run,
    readonly up: Position | undefined,
    readonly field: FieldPlan,
    readonly shape: Shape,
    readonly key: string | number,
  ) {}

  get path(): ResponsePath | undefined {
    if (!this.up) return undefined
    this.place ??= {
      prev: this.up.path,
      key: this.key,
      typename: typeof this.key === 'number' ? undefined : this.field.parent.name,
    }
    return this.place
  }

  /** The resolver's fourth argument. */
  get info(): GraphQLResolveInfo {
    const { run, up, field } = this
    if (typeof this.key === 'number' && up) return up.info
    return {
      fieldName: field.definition.name,
      fieldNodes: field.nodes,
      returnType: field.definition.type,
      parentType: field.parent,
      path: this.path as ResponsePath,
      schema: run.plan.schema,
      fragments: run.plan.fragments,
      rootValue: undefined,
      operation: run.plan.operation,
      variableValues: run.variables as Record<string, unknown>,
    }
  }

  /** Lets the place above wait for this one if this one waits for anything; answers what stands here meanwhile. */
  join(): unknown {
    if (this.pending > 0 && this.up) {
      this.joined = true
      this.up.pending++
    }
    return this.out
  }

  /** One of those below has come. */
  settle(ticks: number): void {
    // The time matters where a failure waits for its siblings.
    if (this.run.failures.size > 0) after(ticks, () => this.count())
    else this.count()
  }

  /** What is here failed: null, if it may be, or the place above fails. */
  refuse(raw: unknown): null {
    const { path } = this
    const error = locatedError(raw, this.field.nodes, path && responsePathAsArray(path))
    if (!this.shape.nullable) throw error
    tell(this.run, error, path)
    return null
  }

  /** The same when nobody is there to catch it any more. */
  reject(raw: unknown, ticks: number): void {
    after(ticks, () => {
      const { up } = this
      try {
        const value = this.refuse(raw)
        if (up?.out) up.out[this.key] = value
      } catch (error) {
        return up?.abort(error)
      }
      up?.settle(0)
    })
  }

  private count(): void {
    if (--this.pending > 0 || this.closed) return
    if (this.run.failures.has(this)) {
      this.abort(undefined)
    } else {
      this.closed = true
      if (!this.up) this.run.finish(this.out)
      else if (this.joined) this.up.settle(this.levelTicks + this.delay)
    }
  }

  private abort(error: unknown): void {
    if (this.closed) return
    this.closed = true
    const { run } = this
    const ticks = this.levelTicks + this.delay
    const cause = run.failures.has(this) ? run.failures.get(this) : error
    if (!this.up) after(ticks, () => run.finish(fail(run, cause)))
    else if (this.joined) this.reject(cause, ticks)
  }

  private get levelTicks(): number {
    return this.shape.kind === 'list' ? 1 : this.run.failures.has(this) ? 3 : 2
  }
}

/** Tells an error that leaves nothing of the answer. */
export function fail(run: Run, error: unknown): null {
  tell(run, error as GraphQLError, undefined)
  return null
}

function tell({ errors, nulled }: Run, error: GraphQLError, path: ResponsePath | undefined): void {
  if (nulled.size > 0) {
    if (nulled.has(undefined)) return
    for (let at = path; at; at = at.prev) if (nulled.has(at)) return
  }
  nulled.add(path)
  errors.push(error)
}

function after(ticks: number, action: () => void): void {
  if (ticks === 0) action()
  else queueMicrotask(() => after(ticks - 1, action))
}
