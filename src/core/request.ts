import { AsyncLocalStorage } from 'node:async_hooks'

/** A request being served, or a job being done: whatever it causes belongs to it. */
export interface RequestInfo {
  readonly id: string
  /** The operation's name as the client sent it, once it is known; or the job's. */
  operation?: string
  /** Where it stands in which trace, as W3C Trace Context has it. */
  trace?: { readonly traceId: string; readonly spanId: string; readonly traceFlags: number }
  /** True where somebody wants what costs to know: which field asked for what. Decided before the request is read. */
  sampled?: boolean
  /** True where the process asks itself, to be ready: its operation is told to nobody as a client's. */
  readonly isRehearsal?: boolean
  /** True where the detectors look into it. */
  watched?: boolean
  /** True where each call of a resolver is to be told. */
  fieldsTold?: boolean
  /** The operation while it is executed. */
  executing?: OperationInfo
}

/** A GraphQL operation, as far as it is known. */
export interface OperationInfo {
  readonly name: string | undefined
  /** Undefined where the document was refused. */
  readonly type: 'query' | 'mutation' | 'subscription' | undefined
  /** The document's SHA-256, in hexadecimal digits. */
  readonly hash: string | undefined
}

/** An attempt at a job. */
export interface JobInfo {
  readonly name: string
  /** The same at every attempt. */
  readonly id: string
  /** 1 for the first. */
  readonly attempt: number
  /** How long it has been due, in ms. */
  readonly wait: number
}

/** One dispatch of a loader: the keys of a tick. */
export interface BatchInfo {
  readonly loader: string
  /** Tells loaders of one name apart: pages have one for each set of arguments. */
  readonly of: object
  readonly keys: number
  /** Who asked; empty unless the request is sampled. */
  readonly askers: readonly Asker[]
  /** 1 for what the operation's first rows asked, 2 for what rows of such a batch asked, and so on; 0 unless sampled. */
  readonly depth: number
}

/** A field that asked a loader for keys. */
export interface Asker {
  /** As in `Post.author`. */
  readonly coordinate: string
  /** The batch that the field's object came with; none where it came otherwise. */
  readonly from: BatchInfo | undefined
  /** True where it asked after its resolver had awaited something else than rows. */
  readonly isLate: boolean
}

/** A call of a resolver, in sampled requests. */
export interface FieldCall {
  readonly coordinate: string
  readonly source: unknown
  /** False once the call has returned: what happens from then on, it awaited something for. */
  isSync: boolean
  /** True once it asked for rows: what it asks for after them may depend on them. */
  hasAsked: boolean
}

/** What is going on: in which request, for which batch, or else in which resolver. */
export interface Scope {
  readonly request: RequestInfo
  readonly batch?: BatchInfo
  readonly field?: FieldCall
}

const storage = new AsyncLocalStorage<Scope>()

/** Runs `work` as part of that request. */
export function inRequest<Result>(request: RequestInfo, work: () => Result): Result {
  return storage.run({ request }, work)
}

/** Runs `work` as part of that batch of the current request. */
export function inBatch<Result>(batch: BatchInfo, work: () => Result): Result {
  const scope = storage.getStore()
  return scope ? storage.run({ request: scope.request, batch }, work) : work()
}

/** Runs `work` as part of that resolver of the current request. */
export function inField<Result>(field: FieldCall, work: () => Result): Result {
  const scope = storage.getStore()
  return scope ? storage.run({ request: scope.request, field }, work) : work()
}

/** Where the caller is, if it is part of a request. */
export function currentScope(): Scope | undefined {
  return storage.getStore()
}

/** The request being served, if the caller is part of one. */
export function currentRequest(): RequestInfo | undefined {
  return storage.getStore()?.request
}
