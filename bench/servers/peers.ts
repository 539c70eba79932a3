import type { Server } from '../servers.js'
import { mercurius } from './mercurius.client.js'
import { postgraphile } from './postgraphile.client.js'
import { tutorial } from './tutorial.client.js'
import { yoga } from './yoga.client.js'

/** What one would pick instead of this project. */
export const peers: readonly Server[] = [
  { name: 'postgraphile', title: 'PostGraphile 5', program: { bench: 'postgraphile' }, client: postgraphile },
  { name: 'mercurius', title: 'Mercurius + JIT, tuned', program: { bench: 'mercurius' }, client: mercurius },
  { name: 'yoga', title: 'Yoga + Pothos + Drizzle', program: { bench: 'yoga' }, client: yoga },
  {
    name: 'tutorial',
    title: 'Apollo + Express + TypeGraphQL + MikroORM find',
    program: { bench: 'tutorial' },
    client: tutorial,
  },
]
