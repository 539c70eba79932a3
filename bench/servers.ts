import type { Client } from './client.js'
import { f0 } from './servers/f0.client.js'
import { f00 } from './servers/f00.client.js'
import { peers } from './servers/peers.js'
import { plumbline } from './servers/plumbline.client.js'

export interface Server {
  /** As `--only` names it. */
  readonly name: string
  readonly title: string
  /** The program: a file of `bench/servers`, or from the root of the repository or of another folder that holds one. */
  readonly program: { readonly bench: string } | { readonly root: string; readonly folder?: string }
  readonly client: Client
  /** One of the floors that ratios are taken to. */
  readonly floor?: boolean
  /** It answers the same bytes to everything: they are not compared. */
  readonly fixed?: boolean
  /** It is given a Redis of its own at REDIS_URL. */
  readonly redis?: boolean
  /** More of its environment, from the pool's size. */
  readonly variables?: (pool: number) => Record<string, string>
}

/** The servers in the order of the table: floors, peers, this project. */
export const servers: readonly Server[] = [
  { name: 'f00', title: 'F00: static bytes', program: { bench: 'f00' }, client: f00, fixed: true },
  { name: 'f0', title: 'F0: SQL that builds the JSON', program: { bench: 'f0' }, client: f0, floor: true },
  { name: 'f1', title: 'F1: SQL rows, serialised by hand', program: { bench: 'f1' }, client: f0, floor: true },
  ...peers,
  ofPlumbline('plumbline', 'Plumbline', {}),
  ofPlumbline('plumbline-off', 'Plumbline, cache off', { CACHE: 'off' }),
]

/** This project, with its defaults where `variables` say nothing else. */
export function ofPlumbline(name: string, title: string, variables: Record<string, string>, redis = false): Server {
  return {
    name,
    title,
    program: { root: 'dist/main.js' },
    client: plumbline,
    redis,
    // The young generation that `npm start` and the image give it.
    variables: (pool) => ({
      DATABASE_POOL_SIZE: String(pool),
      NODE_OPTIONS: '--max-semi-space-size=32',
      CACHE: 'on',
      ...variables,
    }),
  }
}
