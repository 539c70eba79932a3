import type { ClassType } from 'type-graphql'
import { refuseNamesakes } from '../core/names.js'
import type { Entity } from '../db/connection.js'
import type { Database } from '../db/database.js'
import type { Job } from '../jobs/job.js'
import type { Remote } from '../remote/remote.js'
import type { Export } from './export.js'
import type { NodeDefinition } from './node.js'
import type { Warmer } from './warmer.js'

/** A part of the business: what the house must know to serve it. */
export interface Slice {
  readonly name: string
  readonly entities: readonly Entity[]
  readonly resolvers: readonly ClassType[]
  readonly nodes: readonly NodeDefinition[]
  readonly jobs?: readonly Job[]
  /** The other services that it calls. */
  readonly remotes?: readonly Remote[]
  /** What it answers at /exports/<name>. */
  readonly exports?: readonly Export[]
  /** What is read before anybody asks for it. */
  readonly warm?: readonly Warmer[]
  /** Fills the slice's empty tables with realistic rows, the same for the same scale and day; in the slices' order. */
  readonly seed?: (seeding: Seeding) => Promise<void>
}

/** What a slice seeds with. */
export interface Seeding {
  /** 1 is the full size; every count is proportional to it, but that of a vocabulary grows slower. */
  readonly scale: number
  /** The start of a UTC day, in microseconds since 1970: no row is dated after its first minute. */
  readonly day: number
  readonly write: Database['write']
  /** Told after each chunk how many of a table's rows are in. */
  readonly progress: (table: string, rows: number, of: number) => void
}

/** @throws Error where two of their jobs, exports, warmers or node types have one name: only one of them would be there. */
export function checkNames(slices: readonly Slice[]): void {
  const names = {
    jobs: slices.flatMap(({ jobs = [] }) => jobs.map(({ name }) => name)),
    exports: slices.flatMap(({ exports = [] }) => exports.map(({ name }) => name)),
    warmers: slices.flatMap(({ warm = [] }) => warm.map(({ name }) => name)),
    'node types': slices.flatMap(({ nodes }) => nodes.map(({ type }) => type)),
  }
  for (const [kind, all] of Object.entries(names)) refuseNamesakes(kind, all)
}
