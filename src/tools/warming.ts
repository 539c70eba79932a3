import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import type { App } from '../app.js'
import { type OperationFile, sentDocument, valuesAt } from './operation-file.js'
import type { Progress } from './progress.js'

export interface Warming {
  readonly operations: ReadonlyMap<string, OperationFile>
  /** Whether this process will be asked the same: then it makes what it makes of each document, too. */
  readonly isServing: boolean
  readonly progress: Progress
  /** Once it is aborted nothing more is begun. */
  readonly signal: AbortSignal
}

/** How many answers are made at a time: clients come first. */
const concurrency = 2

/** In ms: how often it is looked whether Redis is there. */
const pause = 50

/**
 * Has what many will ask for read before they ask: what the slices' warmers read, and the answers to the operations as
 * somebody gets them who is not signed in. Where no other process shares the cache, values would be gone before anybody
 * came: only documents are made ready. May be run at any time, once the app
 * listens. Answers why what failed did, by name.
 */
export async function warm(app: App, warming: Warming): Promise<ReadonlyMap<string, string>> {
  const work = () => warmAll(app, warming)
  return app.cache ? app.cache.values.demands.fill(work) : work()
}

async function warmAll(app: App, warming: Warming): Promise<ReadonlyMap<string, string>> {
  const { operations, progress, signal } = warming
  const failures = new Map<string, string>()
  const attempt = async (name: string, work: () => Promise<void>) => {
    if (signal.aborted) return
    await work().catch((error: Error) => failures.set(name, error.message))
  }
  if (app.cache?.isShared)
    for (const warmer of app.warmers)
      await attempt(warmer.name, () => app.warm(warmer, (done, of) => progress(warmer.name, done, of)))
  for (const [name, operation] of operations) await attempt(name, () => send(app, warming, { name, ...operation }))
  return failures
}

/** Whether what is put into the cache is shared with other processes; waits for it up to so many ms. */
export async function awaitRedis({ cache }: App, patience: number, signal?: AbortSignal): Promise<boolean> {
  const end = performance.now() + patience
  while (cache && !cache.isShared && !signal?.aborted && performance.now() < end) await sleep(pause)
  return cache?.isShared ?? false
}

async function send(
  app: App,
  { isServing, progress, signal }: Warming,
  operation: OperationFile & { readonly name: string },
): Promise<void> {
  const query = sentDocument(operation)
  const sets = await findVariables(app, operation)
  if (isServing) await app.rehearse({ query, variables: sets[0] })
  const left = app.cache?.isShared ? [...sets] : []
  let done = 0
  const work = async () => {
    for (let variables = left.shift(); variables && !signal.aborted; variables = left.shift()) {
      await setImmediate()
      await ask(app, { query, variables })
      progress(operation.name, ++done, sets.length)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
}

async function findVariables(app: App, { warm = [], from, each }: OperationFile): Promise<readonly object[]> {
  if (warm.length > 0) return warm
  return from ? valuesAt(await ask(app, { query: from }), each) : [{}]
}

/** As a client does who is not signed in: its answer is kept as theirs are. */
async function ask({ url }: App, operation: { query: string; variables?: object }): Promise<unknown> {
  const response = await fetch(new URL('/graphql', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(operation),
  })
  const { data, errors } = (await response.json()) as { data?: unknown; errors?: { message: string }[] }
  if (errors?.[0]) throw new Error(errors[0].message)
  return data
}
