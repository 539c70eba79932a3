import { type ExecutionResult, execute, GraphQLError, type GraphQLSchema, parse, validate } from 'graphql'
import { createExecutor } from '../../src/graph/executor.js'

/** What a result is, down to where its errors come from. */
export function describeResult(result: ExecutionResult): unknown {
  const errors = result.errors?.map((error) => ({
    isOne: error instanceof GraphQLError,
    name: error.name,
    path: error.path,
    locations: error.locations,
    extensions: error.extensions,
    nodes: error.nodes?.map(({ loc }) => `${loc?.start}-${loc?.end}`),
    source: error.source?.body,
    origin: describeOrigin(error.originalError),
  }))
  return { text: JSON.stringify(result), errors }
}

function describeOrigin(error: Error | undefined): unknown {
  return error && { name: error.constructor.name, message: error.message, extensions: Reflect.get(error, 'extensions') }
}

/** Runs a document by graphql-js once and by plan three times; undefined if it is not valid. */
export async function runBoth(schema: GraphQLSchema, text: string, variables: Record<string, unknown> = {}) {
  const document = parse(text)
  if (validate(schema, document).length > 0) return undefined
  const executor = createExecutor(schema, 1)
  const planned: unknown[] = []
  let isPlanned = false
  for (let use = 1; use <= 3; use++) {
    const result = await executor({ document, variables, context: { use } })
    isPlanned ||= ranByPlan(result)
    planned.push(describeResult(result))
  }
  // Until everything that was started has ended.
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
  const expected = describeResult(await execute({ schema, document, variableValues: variables, contextValue: {} }))
  return { planned, expected, isPlanned }
}

/** The one thing that tells: graphql-js's objects have no prototype at all. */
export function ranByPlan({ data }: ExecutionResult): boolean {
  return data !== null && data !== undefined && Object.getPrototypeOf(data) !== null
}
