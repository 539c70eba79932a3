import { type GraphQLResolveInfo, getArgumentValues } from 'graphql'
import type { FieldPlan } from './plan.js'
import type { Position, Run } from './position.js'

/** The property that a field without a resolver is called after. */
export function readProperty(source: unknown, { definition }: FieldPlan): unknown {
  if (!isObjectLike(source) && typeof source !== 'function') return undefined
  return (source as Record<string, unknown>)[definition.name]
}

/** What that property answers as a method. */
export function callProperty({ field, run, info }: Position, source: unknown): unknown {
  const methods = source as Record<string, (args: object, context: unknown, info: GraphQLResolveInfo) => unknown>
  // As one expression, so that the method has its object as `this`.
  return methods[field.definition.name]?.(argumentsOf(run, field), run.context, info)
}

/** What a resolver's second argument is, for one call. */
export function argumentsOf(run: Run, field: FieldPlan): Record<string, unknown> {
  if (field.definition.args.length === 0) return {}
  const known = run.args.get(field)
  if (known) return { ...known }
  const args = getArgumentValues(field.definition, field.nodes[0] as never, run.variables as Record<string, unknown>)
  // Objects are made anew for each call: a resolver may change what it is given.
  if (!Object.values(args).some(isObjectLike)) run.args.set(field, { ...args })
  return args
}

export function isObjectLike(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return isObjectLike(value) && typeof (value as { then?: unknown }).then === 'function'
}
