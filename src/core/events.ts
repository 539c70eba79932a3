import { channel } from 'node:diagnostics_channel'

/** A row change that a transaction made: which table, how, and the keys it touched. */
export interface Change {
  table: string
  kind: 'insert' | 'update' | 'delete'
  /** How many rows; a statement that declares a change without knowing the rows gives only this. */
  rows: number
  /** Column values by which later rooms find what to forget: primary and foreign keys, old and new. */
  keys?: readonly Record<string, unknown>[]
}

/** Every fact the house publishes, by channel. Durations and waits are milliseconds. */
export interface Facts {
  /** A request was answered, or its connection closed before it was. */
  'request.finished': { id: string; method: string; path: string; status: number; duration: number }
  /** A GraphQL operation ran to its end. */
  'operation.finished': { name: string | undefined; type: string; errors: number; duration: number }
  /** A loader's batch was answered. */
  'batch.loaded': { loader: string; keys: number; duration: number }
  /** A statement ended; `wait` is the time before a connection was free, not part of `duration`. */
  'statement.finished': {
    statement: string
    text: string
    rows: number
    duration: number
    wait: number
    error?: unknown
  }
  /** A transaction committed; nothing is published for one that rolled back. */
  'transaction.committed': { changes: readonly Change[]; duration: number }
}

export interface Fact<Value> {
  /** True while somebody listens: ask before computing what the fact carries. */
  readonly heard: boolean
  publish(value: Value): void
  /** Calls `listener` with every value from now on; the answer stops it. */
  listen(listener: (value: Value) => void): () => void
}

/** The fact of that name, on the diagnostics channel `plumbline:<name>`. */
export function fact<Name extends keyof Facts>(name: Name): Fact<Facts[Name]> {
  const source = channel(`plumbline:${name}`)
  return {
    get heard() {
      return source.hasSubscribers
    },
    publish: (value) => source.publish(value),
    listen(listener) {
      const subscriber = (value: unknown) => listener(value as Facts[Name])
      source.subscribe(subscriber)
      return () => void source.unsubscribe(subscriber)
    },
  }
}
