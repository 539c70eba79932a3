import { ofPlumbline, type Server } from '../servers.js'
import { f00 } from './f00.client.js'
import { f00f } from './f00f.client.js'
import { tutorial } from './tutorial.client.js'
import { yoga } from './yoga.client.js'

const inMemory = () => ({ RESPONSE_CACHE: 'on' })
/** Without a Redis values end after five seconds, which is less than a row waits for its next turn. */
const found = { CACHE_COHERENCE_MS: '60000' }
const noResponses = { CACHE_RESPONSES: 'off' }

const apollo = { program: { bench: 'tutorial' }, client: tutorial, variables: inMemory }
const yogas = { program: { bench: 'yoga' }, client: yoga, variables: inMemory }

/** Who is asked to compare caches: floors, this project with parts of its cache on, and peers with theirs. */
export const cached = {
  f00: { name: 'f00', title: 'F00', program: { bench: 'f00' }, client: f00, fixed: true },
  f00f: {
    name: 'f00f',
    title: 'F00f',
    program: { bench: 'f00f' },
    client: f00f,
    fixed: true,
    variables: () => ({ NODE_OPTIONS: '--max-semi-space-size=32' }),
  },
  f00r: {
    name: 'f00r',
    title: 'F00r',
    program: { bench: 'f00f' },
    client: f00f,
    fixed: true,
    redis: true,
    variables: () => ({ NODE_OPTIONS: '--max-semi-space-size=32' }),
  },
  off: ofPlumbline('off', 'Plumbline, cache off', { CACHE: 'off' }),
  inProcess: ofPlumbline('process', 'Plumbline, process level', found),
  inRedis: ofPlumbline('redis', 'Plumbline, Redis level', { CACHE_MEMORY_MB: '0' }, true),
  inBoth: ofPlumbline('both', 'Plumbline, both levels', {}, true),
  inLittle: ofPlumbline('full', 'Plumbline, process level of 8 MB', { CACHE_MEMORY_MB: '8' }),
  loadersInProcess: ofPlumbline('loaders', 'Plumbline, loaders in the process', { ...noResponses, ...found }),
  loadersInRedis: ofPlumbline(
    'loaders-redis',
    'Plumbline, loaders in Redis',
    { ...noResponses, CACHE_MEMORY_MB: '0' },
    true,
  ),
  apollo: { name: 'apollo', title: "Apollo Server's plugin", ...apollo },
  apolloRedis: { name: 'apollo-redis', title: "Apollo Server's plugin, Redis", ...apollo, redis: true },
  yoga: { name: 'yoga-cached', title: "Yoga's plugin", ...yogas },
  yogaRedis: { name: 'yoga-redis', title: "Yoga's plugin, Redis", ...yogas, redis: true },
} satisfies Record<string, Server>
