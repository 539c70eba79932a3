import { defaultTypeResolver, type ExecutionResult, GraphQLError, type GraphQLObjectType } from 'graphql'
import { checkOwn, checkType, completeLeaf, completeNull } from './completion.js'
import type { AbstractShape, FieldPlan, LeafShape, Plan, Select, Shape, Variables } from './plan.js'
import { fail, Position, type Run } from './position.js'
import { argumentsOf, callProperty, isObjectLike, isPromise, readProperty } from './resolving.js'

/** Executes a planned query, to the same result as graphql-js's `execute`. */
export function executePlan(
  plan: Plan,
  context: unknown,
  variables: Variables,
): ExecutionResult | Promise<ExecutionResult> {
  const run = createRun(plan, context, variables)
  const respond = (data: unknown) =>
    (run.errors.length === 0 ? { data } : { errors: run.errors, data }) as ExecutionResult
  const root = new Position(run, undefined, undefined as never, rootShape, '')
  try {
    fillFields(root, plan.roots, undefined)
  } catch (error) {
    return respond(fail(run, error))
  }
  if (root.pending === 0) return respond(root.out)
  const data = new Promise((resolve) => {
    run.finish = resolve
  })
  return data.then(respond)
}

const rootShape = { kind: 'object', nullable: true } as Shape

function createRun(plan: Plan, context: unknown, variables: Variables): Run {
  return {
    plan,
    context,
    variables,
    errors: [],
    nulled: new Set(),
    args: new Map(),
    failures: new Map(),
    finish: () => {},
  }
}

type Out = Record<string | number, unknown>

/** Inherits from nothing, so that a field may be called `__proto__`; of a class, so that it stays a fast object. */
class Fields {
  [name: string]: unknown
}
Object.setPrototypeOf(Fields.prototype, null)

function fillFields(at: Position, fields: readonly FieldPlan[], source: unknown): void {
  const out = new Fields()
  at.out = out
  try {
    for (const field of fields) {
      if (field.constant !== undefined) out[field.name] = field.constant
      else if (field.shape.kind === 'leaf') runLeaf(at, out, field, source)
      else runField(placeOf(at, field), out, source)
    }
  } catch (error) {
    if (at.pending === 0) throw error
    at.run.failures.set(at, error)
  }
}

/** Most fields: their value comes at once, and no place is made for it. */
function runLeaf(at: Position, out: Out, field: FieldPlan, source: unknown): void {
  const resolver = field.definition.resolve
  let position: Position | undefined
  try {
    let value: unknown
    if (resolver && !field.informed) {
      value = resolver(source, argumentsOf(at.run, field), at.run.context, undefined as never)
    } else if (resolver) {
      position = placeOf(at, field)
      value = resolver(source, argumentsOf(at.run, field), at.run.context, position.info)
    } else {
      value = readProperty(source, field)
      if (typeof value === 'function') {
        position = placeOf(at, field)
        value = callProperty(position, source)
      }
    }
    if (isPromise(value)) {
      position ??= placeOf(at, field)
      out[field.name] = wait(position, value)
    } else {
      out[field.name] = completeLeaf(field.shape as LeafShape, field, value)
    }
  } catch (error) {
    position ??= placeOf(at, field)
    out[field.name] = position.refuse(error)
  }
}

function placeOf(at: Position, field: FieldPlan): Position {
  return new Position(at.run, at, field, field.shape, field.name)
}

function runField(position: Position, out: Out, source: unknown): void {
  const { field, run } = position
  const resolver = field.definition.resolve
  try {
    let value: unknown
    if (resolver) {
      value = resolver(
        source,
        argumentsOf(run, field),
        run.context,
        field.informed ? position.info : (undefined as never),
      )
    } else {
      value = readProperty(source, field)
      if (typeof value === 'function') value = callProperty(position, source)
    }
    out[field.name] = isPromise(value) ? wait(position, value) : complete(position, value)
  } catch (error) {
    out[field.name] = position.refuse(error)
  }
}

/** Completes a value when it comes; until then null keeps its place among its siblings. */
function wait(position: Position, promise: PromiseLike<unknown>): null {
  const up = position.up as Position
  up.pending++
  const arrive = (value: unknown) => {
    position.delay = 2
    try {
      ;(up.out as Out)[position.key] = complete(position, value)
    } catch (error) {
      return position.reject(error, 1)
    }
    up.settle(1)
  }
  const native = promise instanceof Promise ? promise : Promise.resolve(promise)
  native.then(arrive, (error) => position.reject(error, 1))
  return null
}

function complete(position: Position, value: unknown): unknown {
  const { shape, field } = position
  if (shape.kind === 'leaf') return completeLeaf(shape, field, value)
  if (value === null || value === undefined) return completeNull(shape, field)
  if (value instanceof Error) throw value
  if (shape.kind === 'object') return completeObject(position, shape.type, value)
  if (shape.kind === 'list') return completeList(position, shape.item, value)
  return completeAbstract(position, shape, value)
}

function completeList(position: Position, item: Shape, value: unknown): unknown {
  const { parent, definition } = position.field
  if (!isObjectLike(value) || typeof (value as Iterable<unknown>)[Symbol.iterator] !== 'function')
    throw new GraphQLError(`Expected Iterable, but did not find one for field "${parent.name}.${definition.name}".`)
  const out: unknown[] = []
  position.out = out as unknown as Out
  try {
    for (const each of value as Iterable<unknown>) completeItem(position, out, item, each)
  } catch (error) {
    // Nobody waits for the items behind the one that failed: rejected, they would end the process.
    if (Array.isArray(value)) for (const rest of value.slice(out.length + 1)) if (isPromise(rest)) ignore(rest)
    throw error
  }
  return position.join()
}

function ignore(promise: PromiseLike<unknown>): void {
  Promise.resolve(promise).catch(() => {})
}

function completeItem(list: Position, out: unknown[], shape: Shape, value: unknown): void {
  const key = out.length
  let position: Position | undefined
  try {
    if (isPromise(value)) {
      position = itemOf(list, shape, key)
      out[key] = wait(position, value)
    } else if (shape.kind === 'leaf') {
      out[key] = completeLeaf(shape, list.field, value)
    } else {
      position = itemOf(list, shape, key)
      out[key] = complete(position, value)
    }
  } catch (error) {
    position ??= itemOf(list, shape, key)
    out[key] = position.refuse(error)
  }
}

function itemOf(list: Position, shape: Shape, key: number): Position {
  return new Position(list.run, list, list.field, shape, key)
}

function completeAbstract(position: Position, shape: AbstractShape, value: unknown): unknown {
  const resolveType = shape.type.resolveType ?? defaultTypeResolver
  const name = resolveType(value, position.run.context, position.info, shape.type)
  if (!isPromise(name)) return completeObject(position, checkType(position, shape, name, value), value)
  return postpone(position, name, (known) => completeObject(position, checkType(position, shape, known, value), value))
}

function completeObject(position: Position, type: GraphQLObjectType, value: unknown): unknown {
  const { select } = position.shape as { select: Select }
  if (type.isTypeOf) {
    const accepted = type.isTypeOf(value, position.run.context, position.info)
    if (isPromise(accepted))
      return postpone(position, accepted, (known) => {
        checkOwn(position, type, known, value)
        fillFields(position, select(type, position.run.variables), value)
        return position.join()
      })
    checkOwn(position, type, accepted, value)
  }
  fillFields(position, select(type, position.run.variables), value)
  return position.join()
}

/** For types that are known only later. */
function postpone(position: Position, promise: PromiseLike<unknown>, go: (known: unknown) => unknown): null {
  const up = position.up as Position
  up.pending++
  Promise.resolve(promise).then(
    (known) => {
      try {
        ;(up.out as Out)[position.key] = go(known)
      } catch (error) {
        return position.reject(error, position.delay)
      }
      up.settle(position.delay)
      position.delay++
    },
    (error) => position.reject(error, position.delay),
  )
  return null
}
