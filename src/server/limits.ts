import {
  type ASTVisitor,
  type DirectiveNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql'
import type { Config } from '../core/config.js'
import { Failure } from '../core/errors.js'

/** Enough for every tool's introspection query, whose `ofType` chains are 9 long; `graphql` bounds its lists itself. */
const introspectionDepth = 16

const directivesPerSelection = 5

/** Fragments in fragments multiply: counting stops here. */
const countless = 1_000_000

interface Measure {
  /** Levels of fields, those below `__schema` and `__type` aside. */
  readonly depth: number
  readonly introspection: number
  /** A fragment's count as often as it is spread. */
  readonly aliases: number
  readonly directives: number
}

const nothing: Measure = { depth: 0, introspection: 0, aliases: 0, directives: 0 }

/** The rule that refuses an operation that is too deep or has too many aliases; it visits every selection once. */
export function createLimitsRule(config: Pick<Config, 'LIMIT_DEPTH' | 'LIMIT_ALIASES'>): ValidationRule {
  return (context): ASTVisitor => ({
    Document(document) {
      const measureOf = createMeasuring(context)
      for (const operation of document.definitions) {
        if (operation.kind !== Kind.OPERATION_DEFINITION) continue
        const measure = withDirectives(measureOf(operation.selectionSet), operation.directives)
        refuseAbove(context, operation, 'levels of fields', measure.depth, config.LIMIT_DEPTH)
        refuseAbove(context, operation, 'levels of introspection', measure.introspection, introspectionDepth)
        refuseAbove(context, operation, 'aliases', measure.aliases, config.LIMIT_ALIASES)
        refuseAbove(context, operation, 'directives in one place', measure.directives, directivesPerSelection)
      }
    },
  })
}

function refuseAbove(
  context: ValidationContext,
  nodes: OperationDefinitionNode,
  what: string,
  value: number,
  limit: number,
): void {
  if (value <= limit) return
  const count = value >= countless ? `${countless} or more` : value
  context.reportError(
    new Failure('BAD_USER_INPUT', `An operation takes ${limit} ${what}; this has ${count}.`, { nodes }),
  )
}

function createMeasuring(context: ValidationContext): (selections: SelectionSetNode) => Measure {
  const fragments = new Map<string, Measure>()

  function measureSelections({ selections }: SelectionSetNode): Measure {
    return selections
      .map((selection): Measure => {
        if (selection.kind === Kind.FIELD) return measureField(selection)
        const inner =
          selection.kind === Kind.INLINE_FRAGMENT
            ? measureSelections(selection.selectionSet)
            : measureFragment(context.getFragment(selection.name.value))
        return withDirectives(inner, selection.directives)
      })
      .reduce(add, nothing)
  }

  function measureField({ name, alias, selectionSet, directives }: FieldNode): Measure {
    const inner = selectionSet ? measureSelections(selectionSet) : nothing
    const aliases = inner.aliases + (alias ? 1 : 0)
    const introspects = name.value === '__schema' || name.value === '__type'
    const measure = introspects
      ? { ...inner, depth: 1, introspection: inner.depth + 1, aliases }
      : { ...inner, depth: inner.depth + 1, aliases }
    return withDirectives(measure, directives)
  }

  function measureFragment(fragment: FragmentDefinitionNode | null | undefined): Measure {
    if (!fragment) return nothing
    const name = fragment.name.value
    const known = fragments.get(name)
    if (known) return known
    // A fragment that spreads itself is refused by a rule of its own; here it only must not go on for ever.
    fragments.set(name, nothing)
    const measure = withDirectives(measureSelections(fragment.selectionSet), fragment.directives)
    fragments.set(name, measure)
    return measure
  }

  return measureSelections
}

function add(a: Measure, b: Measure): Measure {
  return {
    depth: Math.max(a.depth, b.depth),
    introspection: Math.max(a.introspection, b.introspection),
    aliases: Math.min(a.aliases + b.aliases, countless),
    directives: Math.max(a.directives, b.directives),
  }
}

function withDirectives(measure: Measure, directives: readonly DirectiveNode[] | undefined): Measure {
  return { ...measure, directives: Math.max(measure.directives, directives?.length ?? 0) }
}
