import 'reflect-metadata'
import {
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLSchema,
  isIntrospectionType,
  isObjectType,
} from 'graphql'
import { type BuildSchemaOptions, buildSchemaSync, getMetadataStorage } from 'type-graphql'
import { type Arguments, compileArgument, type Parameter } from './arguments.js'
import { callField } from './calls.js'
import type { Context } from './context.js'

/** What a schema is built of, but for what would change how TypeGraphQL makes instances and values. */
export type DirectOptions = Omit<BuildSchemaOptions, 'container' | 'emitSchemaFile' | 'scalarsMap'>

type Storage = ReturnType<typeof getMetadataStorage>
type Method = Storage['queries'][number] | Storage['fieldResolvers'][number]
type Property = NonNullable<Storage['objectTypes'][number]['fields']>[number]
type Resolve = GraphQLFieldResolver<unknown, Context, Arguments>
type Field = GraphQLField<unknown, Context, Arguments>
type Found = { readonly method?: Method; readonly property?: Property }
type Take = (source: unknown, args: Arguments, ctx: Context, info: unknown) => unknown
type Class = Method['target']
/** A resolver class's, whatever its methods are called. */
type Instance = { method(...values: unknown[]): unknown }

/**
 * TypeGraphQL's schema of these resolvers, in which a field's wrapper gives way to a direct call of its method, or to
 * graphql's own read of its property, where the answer is the same; such a field has `direct` among its extensions.
 * (One difference: graphql calls a property that is a function, and the wrapper did not. Rows have none.)
 * A wrapper stays where there is a middleware, a role, a validation, a parameter decorator of one's own, a parameter
 * that is one property of source or context, a source or input whose class does more than hold its fields, a method
 * of the type's own class, or an extended resolver class. Each call of a method first sets the context's `at`.
 * @throws Error where a middleware is global.
 */
export function buildDirectSchema(options: DirectOptions): GraphQLSchema {
  if (options.globalMiddlewares?.length)
    throw new Error('A global middleware would run for every field of every row: name it where it is needed instead.')
  const instanceOf = createInstances()
  const schema = buildSchemaSync({ ...options, container: { get: instanceOf } })
  const validated = Boolean(options.validate || options.validateFn)
  const find = createFinder(schema, options.resolvers)
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || isIntrospectionType(type)) continue
    for (const field of Object.values(type.getFields()) as Field[]) {
      if (!field.resolve) continue
      const { property, method } = find(type, field.name)
      const takes = method && compileParameters(method, validated)
      const at = `${type.name}.${field.name}`
      if (method && takes) nameCaller(field, at, compileCall(method, takes, instanceOf), takesInfo(method))
      else if (property) field.resolve = compileRead(field, property)
      else nameCaller(field, at, field.resolve, true)
      if (takes || property) field.extensions = { ...field.extensions, direct: true }
    }
  }
  return schema
}

/** One instance of each class, made when first needed, as TypeGraphQL has it when nobody says otherwise. */
function createInstances(): (target: Class) => Instance {
  const instances = new Map<Class, Instance>()
  return (target) => {
    const instance = instances.get(target) ?? (Reflect.construct(target, []) as Instance)
    instances.set(target, instance)
    return instance
  }
}

/** Finds what a field's wrapper stands for, where it can be but one thing: the method it calls or the property it reads. */
function createFinder(schema: GraphQLSchema, resolvers: readonly Class[]) {
  const { queries, mutations, fieldResolvers, objectTypes, interfaceTypes, resolverClasses } = getMetadataStorage()
  const types = [...objectTypes, ...interfaceTypes]
  const isServed = (target: Class) => resolvers.some((resolver) => resolver === target || isBelow(resolver, target))
  const isExtended = (target: Class) => resolverClasses.some((resolver) => isBelow(resolver.target, target))

  function propertiesOf(target: Class): Property[] {
    const parent = Object.getPrototypeOf(target)
    const own = types.filter((type) => type.target === target)
    return [
      ...own.flatMap(({ fields = [] }) => fields),
      ...own.flatMap(({ interfaceClasses = [] }) => interfaceClasses.flatMap(propertiesOf)),
      ...(parent ? propertiesOf(parent) : []),
    ]
  }

  function findMethod(methods: readonly Method[]): Found {
    const method = only(methods)
    return method && isPlain(method) && !isExtended(method.target) ? { method } : {}
  }

  return ({ name: typeName }: GraphQLObjectType, name: string): Found => {
    if (typeName === schema.getQueryType()?.name || typeName === schema.getMutationType()?.name) {
      const methods = typeName === schema.getQueryType()?.name ? queries : mutations
      return findMethod(methods.filter(({ schemaName, target }) => schemaName === name && isServed(target)))
    }
    const targets = objectTypes.filter((type) => type.name === typeName).map(({ target }) => target)
    const property = only(targets.flatMap(propertiesOf).filter(({ schemaName }) => schemaName === name))
    if (!property || !isPlain(property)) return {}
    const methods = fieldResolvers.filter(
      ({ kind, methodName, target, getObjectType }) =>
        methodName === property.name &&
        getObjectType?.() === property.target &&
        (kind === 'internal' || isServed(target)),
    )
    return methods.length === 0 ? { property } : findMethod(methods)
  }
}

/** What each parameter of a method is given; undefined where one is given more than can be taken directly. */
function compileParameters({ params = [] }: Method, validated: boolean): Take[] | undefined {
  const takes = params.toSorted((a, b) => a.index - b.index).map((parameter) => compileParameter(parameter, validated))
  return takes.every((take) => take !== undefined) ? takes : undefined
}

function compileParameter(parameter: Parameter, validated: boolean): Take | undefined {
  switch (parameter.kind) {
    case 'root':
      // Of another class than Object the source would be made an instance; types that are no classes emit Object.
      if (parameter.propertyName || (parameter.getType?.() ?? Object) !== Object) return undefined
      return (source) => source
    case 'context':
      return parameter.propertyName ? undefined : (_source, _args, ctx) => ctx
    case 'info':
      return (_source, _args, _ctx, info) => info
    default: {
      const take = validated ? undefined : compileArgument(parameter)
      return take && ((_source, args) => take(args))
    }
  }
}

/** The call itself. Each number of parameters is written out: spreading them takes 120 ns, this 20. */
function compileCall(
  { methodName, target }: Method,
  takes: readonly Take[],
  instanceOf: (target: Class) => Instance,
): Resolve {
  const name = methodName as keyof Instance
  const [a, b, c] = takes as [Take, Take, Take]
  let made: Instance | undefined
  const instance = () => {
    made ??= instanceOf(target)
    return made
  }
  switch (takes.length) {
    case 0:
      return () => instance()[name]()
    case 1:
      return (source, args, ctx, info) => instance()[name](a(source, args, ctx, info))
    case 2:
      return (source, args, ctx, info) => instance()[name](a(source, args, ctx, info), b(source, args, ctx, info))
    case 3:
      return (source, args, ctx, info) =>
        instance()[name](a(source, args, ctx, info), b(source, args, ctx, info), c(source, args, ctx, info))
    default:
      return (source, args, ctx, info) => instance()[name](...takes.map((take) => take(source, args, ctx, info)))
  }
}

/** Without a resolver the executor reads the property in place, and waits for it where it is a promise. */
function compileRead(field: Field, { name }: Property): Resolve | undefined {
  return name === field.name ? undefined : (source) => (source as Record<string, unknown>)[name]
}

/** A resolver that takes no `info` does not declare it either: making one takes longer than most resolvers. */
function nameCaller(field: Field, at: string, resolve: Resolve, isInformed: boolean): void {
  const call: Resolve = (source, args, ctx, info) => {
    ctx.at = at
    return ctx.sampled ? callField(at, resolve, [source, args, ctx, info]) : resolve(source, args, ctx, info)
  }
  field.resolve = isInformed ? call : (source, args, ctx) => call(source, args, ctx, undefined as never)
}

function takesInfo({ params = [] }: Method): boolean {
  return params.some(({ kind }) => kind === 'info')
}

/** The one thing in a list, however often. */
function only<Thing>(list: readonly Thing[]): Thing | undefined {
  const [one, ...more] = new Set(list)
  return more.length === 0 ? one : undefined
}

function isBelow(target: Class, parent: Class): boolean {
  return Object.prototype.isPrototypeOf.call(parent, target)
}

/** True where TypeGraphQL puts nothing between the field and its method or property. */
function isPlain(origin: Method | Property): boolean {
  return !origin.roles && origin.middlewares?.length === 0 && !('kind' in origin && origin.kind === 'internal')
}
