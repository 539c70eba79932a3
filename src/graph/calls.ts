import { fact } from '../core/events.js'
import { currentRequest, type FieldCall, inField } from '../core/request.js'

const resolved = fact('field.resolved')

/** Calls a resolver so that what it causes, before and after it awaits, knows the field; for sampled requests. */
export function callField<Values extends readonly [source: unknown, ...unknown[]]>(
  coordinate: string,
  resolve: (...values: Values) => unknown,
  values: Values,
): unknown {
  const field: FieldCall = { coordinate, source: values[0], isSync: true, hasAsked: false }
  const call = () => resolve(...values)
  return inField(field, () => (currentRequest()?.fieldsTold ? tell(field, call) : run(field, call)))
}

function run(field: FieldCall, call: () => unknown): unknown {
  try {
    return call()
  } finally {
    field.isSync = false
  }
}

async function tell(field: FieldCall, call: () => unknown): Promise<unknown> {
  const started = performance.now()
  let failure: unknown
  try {
    return await run(field, call)
  } catch (error) {
    failure = error
    throw error
  } finally {
    resolved.publish({ coordinate: field.coordinate, duration: performance.now() - started, error: failure })
  }
}
