import type { Client } from './client.js'
import { f0 } from './servers/f0.client.js'
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
  { name: 'f0', title: 'F0: SQL that builds the JSON', program: { bench: 'f0' }, client: f0, floor: true },
  {
    name: 'plumbline',
    title: 'Plumbline, cache off',
    program: { root: 'dist/main.js' },
    client: plumbline,
    variables: (pool) => ({ DATABASE_POOL_SIZE: String(pool), JWT_MAX_AGE_SECONDS: '86400' }),
  },
]
