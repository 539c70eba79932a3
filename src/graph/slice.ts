import type { ClassType } from 'type-graphql'
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
