import { AsyncLocalStorage } from 'node:async_hooks'

/** What is known of the request being served, reachable from everything it causes. */
export interface RequestInfo {
  readonly id: string
  /** The operation's name as the client sent it, once it is known. */
  operation?: string
}

const storage = new AsyncLocalStorage<RequestInfo>()

/** Runs `work` as part of that request. */
export function inRequest<Result>(info: RequestInfo, work: () => Result): Result {
  return storage.run(info, work)
}

/** The request being served, if the caller is part of one. */
export function currentRequest(): RequestInfo | undefined {
  return storage.getStore()
}
