import { cached } from './servers/cached.js'
import { type Server, servers } from './servers.js'
import type { ShapeName } from './shapes.js'

/**
 * How requests are sent: as POST, with somebody's token too, as GET, with the ETag that one has too, or as POST without
 * the fields whose values answers have in common.
 */
export type Manner = 'POST' | 'signed in' | 'GET' | '304' | 'nothing shared'

/** A server and what it is asked. */
export interface Row {
  readonly server: Server
  readonly shape: ShapeName
  readonly manner: Manner
  /** The numbers of its requests, which are asked again and again; without them none comes twice. */
  readonly numbers?: readonly number[]
}

/** What one row costs by what another does. */
export interface Ratio {
  readonly of: Row
  readonly to: Row
  /** What it is to be at most. */
  readonly goal?: number
}

export interface Part {
  /** As `--parts` names it. */
  readonly name: string
  readonly title: string
  readonly ratios: readonly Ratio[]
}

/** As many as can be asked in a warm-up, and fit into every cache. */
const every = (stride: number) => Array.from({ length: 500 }, (_, index) => index * stride)

/** Of 11 kB, the same one always. */
const one = (server: Server, manner: Manner = 'POST'): Row => ({ server, shape: 'S2', manner, numbers: [0] })
/** Pages of the size that F00f's answer has: the first 2,000 are. */
const pages = (server: Server): Row => ({ server, shape: 'S7', manner: 'POST', numbers: every(3) })
/** Pages of every size. */
const warm = (server: Server, shape: ShapeName): Row => ({ server, shape, manner: 'POST', numbers: every(97) })
const fresh = (server: Server, shape: 'S1' | 'S7'): Row => ({
  server,
  shape,
  // Authors would be found: there are few of them.
  manner: shape === 'S7' ? 'nothing shared' : 'POST',
})

const { f00, f00f, f00r, off, inProcess, inRedis, inBoth, inLittle, apollo, apolloRedis, yoga, yogaRedis } = cached
const f0 = servers.find(({ name }) => name === 'f0') as Server

const hits: Part = {
  name: 'hits',
  title: 'Whole responses, found',
  ratios: [
    { of: one(f00f), to: one(f00) },
    { of: one(inProcess), to: one(f00f), goal: 1.3 },
    { of: pages(inProcess), to: pages(f00f), goal: 1.3 },
    { of: one(inProcess, 'signed in'), to: one(f00f, 'signed in'), goal: 1.3 },
    { of: one(inProcess, 'GET'), to: one(f00f, 'GET'), goal: 1.3 },
    { of: one(inProcess, '304'), to: one(f00f, 'GET'), goal: 1.1 },
    { of: one(inProcess, '304'), to: one(f00f, '304') },
    { of: one(inRedis), to: one(f00f), goal: 2 },
    { of: pages(inRedis), to: pages(f00f), goal: 2 },
    { of: one(f00r), to: one(f00f) },
    { of: one(inRedis), to: one(f00r) },
    { of: pages(inRedis), to: pages(f00r) },
    { of: one(inProcess), to: one(apollo), goal: 0.5 },
    { of: one(inProcess), to: one(yoga), goal: 0.5 },
    { of: one(inProcess, 'signed in'), to: one(apollo, 'signed in'), goal: 0.5 },
    { of: one(inProcess, 'signed in'), to: one(yoga, 'signed in'), goal: 0.5 },
    { of: one(inRedis), to: one(apolloRedis), goal: 0.5 },
    { of: one(inRedis), to: one(yogaRedis), goal: 0.5 },
    { of: one(inProcess), to: one(off) },
  ],
}

const found = (shape: ShapeName, goal: number): Ratio[] => [
  { of: warm(cached.loadersInProcess, shape), to: warm(f0, shape), goal },
  { of: warm(cached.loadersInRedis, shape), to: warm(f0, shape) },
  { of: warm(off, shape), to: warm(f0, shape) },
]
const loaders: Part = {
  name: 'loaders',
  title: 'Loaders and lists, found; whole responses off',
  ratios: [...found('S2', 1), ...found('S3', 0.75), ...found('S7', 0.75)],
}

const missed = (shape: 'S1' | 'S7'): Ratio[] => [
  { of: fresh(inProcess, shape), to: fresh(off, shape), goal: 1.05 },
  { of: fresh(inLittle, shape), to: fresh(off, shape), goal: 1.05 },
  { of: fresh(inBoth, shape), to: fresh(off, shape), goal: 1.25 },
]
const misses: Part = {
  name: 'misses',
  title: 'Nothing found: no key comes twice',
  ratios: [...missed('S1'), ...missed('S7')],
}

export const parts: readonly Part[] = [hits, loaders, misses]
