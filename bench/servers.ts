import type { Client } from './client.js'
import { f0 } from './servers/f0.client.js'
import { f00 } from './servers/f00.client.js'
import { peers } from './servers/peers.js'
import { plumbline } from './servers/plumbline.client.js'

export interface Server {
  /** As `--only` names it. */
  readonly name: string
  readonly title: string
  /** The program: a file of `bench/servers`, or from the root of the repository. */
  readonly program: { readonly bench: string } | { readonly root: string }
  readonly client: Client
  /** One of the floors that ratios are taken to. */
  readonly floor?: boolean
  /** It answers the same bytes to everything: they are not compared. */
  readonly fixed?: boolean
  /** More of its environment, from the pool's size. */
  readonly variables?: (pool: number) => Record<string, string>
}

/** The servers in the order of the table: floors, peers, this project. */
export const servers: readonly Server[] = [
  { name: 'f00', title: 'F00: static bytes', program: { bench: 'f00' }, client: f00, fixed: true },
  { name: 'f0', title: 'F0: SQL that builds the JSON', program: { bench: 'f0' }, client: f0, floor: true },
  { name: 'f1', title: 'F1: SQL rows, serialised by hand', program: { bench: 'f1' }, client: f0, floor: true },
  ...peers,
  // What is cached by default becomes a line of its own here, with its variables, when there is a cache.
  {
    name: 'plumbline',
    title: 'Plumbline, cache off',
    program: { root: 'dist/main.js' },
    client: plumbline,
    // The young generation that `npm start` and the image give it.
    variables: (pool) => ({ DATABASE_POOL_SIZE: String(pool), NODE_OPTIONS: '--max-semi-space-size=32' }),
  },
]
