import { GraphQLScalarType } from 'graphql'
import { type ClassType, getMetadataStorage } from 'type-graphql'

type Storage = ReturnType<typeof getMetadataStorage>
type Shape = Storage['inputTypes'][number]
type Convert = (value: unknown) => unknown

/** A resolver method's parameter, as TypeGraphQL keeps it. */
export type Parameter = NonNullable<Storage['queries'][number]['params']>[number]

/** A field's arguments by name, as graphql coerced them. */
export type Arguments = Readonly<Record<string, unknown>>

/**
 * How TypeGraphQL takes that parameter's value out of a field's arguments, without its promise: `@Args` and input
 * objects become instances of their classes, lists are copied. Undefined where it does more than that.
 */
export function compileArgument(parameter: Parameter): ((args: Arguments) => unknown) | undefined {
  if (parameter.kind !== 'arg' && parameter.kind !== 'args') return undefined
  if (parameter.validateSettings || parameter.validateFn) return undefined
  const target = parameter.getType()
  if (parameter.kind === 'args') return compileInstance(target as ClassType, getMetadataStorage().argumentTypes, [])
  const convert = compileValue(target, [])
  const { name } = parameter
  return convert && ((args) => convert(args[name]))
}

function compileInstance(
  Class: ClassType,
  shapes: readonly Shape[],
  within: readonly unknown[],
): ((given: Arguments) => unknown) | undefined {
  // TypeGraphQL takes a property that its class made undefined away again where it is not given.
  if (Object.values(new Class()).includes(undefined)) return undefined
  const fields = new Map<string, Convert>()
  for (const { name, schemaName, getType } of fieldsOf(Class, shapes)) {
    const convert = compileValue(getType(), [...within, Class])
    if (!convert || name !== schemaName || fields.has(name)) return undefined
    fields.set(name, convert)
  }
  const conversions = [...fields]
  return (given) => {
    const instance = new Class() as Record<string, unknown>
    for (const [name, convert] of conversions) {
      const value = given[name]
      if (value !== undefined) instance[name] = convert(value)
    }
    return instance
  }
}

function compileValue(target: unknown, within: readonly unknown[]): Convert | undefined {
  if (isPlain(target)) return eachOf((value) => value)
  const { inputTypes } = getMetadataStorage()
  // A type that holds itself would never be done compiling.
  if (within.includes(target) || !inputTypes.some((shape) => shape.target === target)) return undefined
  const convert = compileInstance(target as ClassType, inputTypes, within)
  return convert && eachOf((value) => convert(value as Arguments))
}

/** The fields of a class, then of those it extends. */
function fieldsOf(Class: unknown, shapes: readonly Shape[]): NonNullable<Shape['fields']> {
  if (typeof Class !== 'function') return []
  const own = shapes.find(({ target }) => target === Class)?.fields ?? []
  return [...own, ...fieldsOf(Object.getPrototypeOf(Class), shapes)]
}

const plainClasses: readonly unknown[] = [String, Number, Boolean, Date]

/** True for scalars, and for enums whose values are. */
function isPlain(target: unknown): boolean {
  if (target instanceof GraphQLScalarType || plainClasses.includes(target)) return true
  return getMetadataStorage().enums.some(
    ({ enumObj }) =>
      enumObj === target && Object.values(enumObj).every((value) => ['string', 'number'].includes(typeof value)),
  )
}

function eachOf(convert: Convert): Convert {
  const convertEach: Convert = (value) => {
    if (value === null || value === undefined) return value
    return Array.isArray(value) ? value.map(convertEach) : convert(value)
  }
  return convertEach
}
