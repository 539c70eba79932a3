import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  visit,
} from 'graphql'
import { executePlan } from './execution.js'
import { createPlan, type Plan, type Variables } from './plan.js'

/** An operation to execute, parsed and validated. */
export interface Operation {
  readonly document: DocumentNode
  readonly operationName?: string | null | undefined
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined
  readonly context: unknown
}

export type Executor = (operation: Operation) => ExecutionResult | Promise<ExecutionResult>

/**
 * Executes operations to the result that graphql-js's `execute` gives. Queries run by a plan from their document's
 * use number `planAt` on; mutations, subscriptions and what fails before anything ran are left to graphql-js. Plans
 * live as long as their document does.
 */
export function createExecutor(schema: GraphQLSchema, planAt: number): Executor {
  const documents = new WeakMap<DocumentNode, Prepared>()
  return ({ document, operationName, variables, context }) => {
    const prepared = documents.get(document) ?? { uses: 0, operations: new Map<string | null, Query | undefined>() }
    if (prepared.uses === 0) documents.set(document, prepared)
    prepared.uses++
    if (prepared.uses >= planAt) {
      const query = findQuery(prepared, document, operationName ?? null)
      const coerced = query && coerce(schema, query.operation, variables ?? {})
      const plan = query && coerced && findPlan(schema, query, coerced)
      if (plan && coerced) return executePlan(plan, context, coerced)
    }
    return execute({ schema, document, operationName, variableValues: variables, contextValue: context })
  }
}

interface Prepared {
  uses: number
  /** By operation name; undefined for what is no query. */
  readonly operations: Map<string | null, Query | undefined>
}

interface Query {
  readonly operation: OperationDefinitionNode
  readonly fragments: Record<string, FragmentDefinitionNode>
  /** The variables that decide what `@skip` and `@include` leave. */
  readonly conditions: readonly string[]
  /** By the values of those variables. */
  readonly plans: Map<string, Plan>
}

/** A document with many conditions has more outcomes than are worth remembering: those beyond run on graphql-js. */
const mostPlans = 32

function findQuery({ operations }: Prepared, document: DocumentNode, name: string | null): Query | undefined {
  const known = operations.get(name)
  if (known || operations.has(name)) return known
  const operation = getOperationAST(document, name)
  const query = operation?.operation === OperationTypeNode.QUERY ? prepare(document, operation) : undefined
  // A name that the document has not is one of any number.
  if (operation) operations.set(name, query)
  return query
}

function prepare(document: DocumentNode, operation: OperationDefinitionNode): Query {
  const fragments: Record<string, FragmentDefinitionNode> = Object.create(null)
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments[definition.name.value] = definition
  const defined = new Set(operation.variableDefinitions?.map(({ variable }) => variable.name.value))
  const conditions = new Set<string>()
  visit(document, {
    Directive({ name, arguments: given }) {
      if (name.value !== 'skip' && name.value !== 'include') return
      for (const { value } of given ?? [])
        if (value.kind === Kind.VARIABLE && defined.has(value.name.value)) conditions.add(value.name.value)
    },
  })
  return { operation, fragments, conditions: [...conditions], plans: new Map() }
}

function coerce(schema: GraphQLSchema, operation: OperationDefinitionNode, given: Variables): Variables | undefined {
  return getVariableValues(schema, operation.variableDefinitions ?? [], given, { maxErrors: 50 }).coerced
}

function findPlan(schema: GraphQLSchema, query: Query, variables: Variables): Plan | undefined {
  let outcome = ''
  for (const name of query.conditions) {
    // Null may come where a default allows a nullable variable: an error, which graphql-js tells.
    if (typeof variables[name] !== 'boolean') return undefined
    outcome += variables[name] ? '1' : '0'
  }
  const known = query.plans.get(outcome)
  if (known || query.plans.size >= mostPlans) return known
  const plan = createPlan(schema, query.operation, query.fragments, variables)
  query.plans.set(outcome, plan)
  return plan
}
