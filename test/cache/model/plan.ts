import type { Random } from '../../../src/graph/random.js'
import type { Way, Which } from './wire.js'

export const kinds = ['book', 'list', 'page', 'scanned', 'computed', 'mixed'] as const
export const hows = ['unit', 'keys', 'blind'] as const

interface At {
  /** In ms since the scene began. */
  readonly at: number
}

/** A number is an index: of a process, a universe, and in it of a viewer (0 is nobody), a shelf, a book. */
export type Step = At &
  (
    | {
        readonly do: 'read'
        readonly process: number
        readonly universe: number
        readonly kind: (typeof kinds)[number]
        readonly subject: number
        readonly viewer: number
        readonly personal: boolean
        readonly token: boolean
      }
    | {
        readonly do: 'write'
        readonly process: number
        readonly universe: number
        readonly how: (typeof hows)[number]
        readonly book: number
        /** Null removes it. */
        readonly to: number | null
        readonly viewer: number
        readonly refused: boolean
      }
    | { readonly do: 'evict'; readonly what: 'any' | 'version' | 'all'; readonly draw: number }
    | { readonly do: 'lose'; readonly process: number; readonly count: number }
    | { readonly do: 'cut'; readonly process: number; readonly which: Which; readonly lasts: number }
    | {
        readonly do: 'hold'
        readonly process: number
        readonly which: Which
        readonly way: Way
        readonly delay: number | null
        readonly lasts: number
      }
    | { readonly do: 'pause'; readonly lasts: number }
    /** Each answer of the database comes so many ms later. */
    | { readonly do: 'slow'; readonly process: number; readonly delay: number; readonly lasts: number }
    | { readonly do: 'kill'; readonly process: number }
    | { readonly do: 'restart'; readonly process: number }
  )

export interface Size {
  readonly universes: number
  readonly shelves: number
  readonly books: number
  /** Reads and writes, for each universe. */
  readonly steps: number
  /** In ms. */
  readonly lasts: number
}

/** What is done in one scene: reads and writes about a few moments, most of them in the middle of trouble. */
export function plan(draw: Random, size: Size, isCalm: boolean): Step[] {
  const steps: Step[] = []
  const time = () => Math.floor(draw.unit() * size.lasts)
  const chance = (of: number) => draw.unit() < of
  const process = () => draw.whole(0, 1)
  for (let universe = 0; universe < size.universes; universe++) {
    const moments = Array.from({ length: 4 }, time)
    // Few questions, often: what is never asked again is never answered from what was kept.
    const asked = [draw.pick(kinds), draw.pick(kinds)]
    for (let step = 0; step < size.steps; step++) {
      const at = chance(0.75) ? draw.pick(moments) + draw.whole(0, 12) : time()
      if (chance(0.14))
        steps.push({
          at,
          do: 'write',
          process: process(),
          universe,
          how: chance(0.03) ? 'blind' : draw.pick(['unit', 'keys']),
          book: draw.whole(0, size.books - 1),
          to: chance(0.25) ? null : draw.whole(0, size.shelves - 1),
          viewer: chance(0.5) ? 0 : draw.whole(1, 2),
          refused: chance(0.1),
        })
      else {
        const kind = draw.pick(asked)
        steps.push({
          at,
          do: 'read',
          process: process(),
          universe,
          kind,
          subject: chance(0.8) ? 0 : draw.whole(0, (kind === 'book' ? size.books : size.shelves) - 1),
          viewer: draw.whole(0, 2),
          personal: chance(0.3),
          token: chance(0.15),
        })
      }
    }
  }
  for (let count = draw.whole(0, 3); count > 0; count--)
    steps.push({
      at: time(),
      do: 'evict',
      what: draw.pick(['any', 'any', 'version', 'version', 'all']),
      draw: draw.bits(),
    })
  for (let count = draw.whole(1, 4); count > 0; count--)
    steps.push({
      at: time(),
      do: 'slow',
      process: process(),
      delay: draw.whole(5, 25),
      lasts: draw.whole(50, size.lasts),
    })
  if (!isCalm)
    for (let count = draw.whole(1, 3); count > 0; count--) steps.push({ at: time(), ...trouble(draw, size.lasts) })
  return steps.sort((a, b) => a.at - b.at)
}

function trouble(draw: Random, longest: number) {
  const process = draw.whole(0, 1)
  const lasts = draw.whole(20, longest)
  const which = draw.pick(['all', 'hearing', 'hearing', 'asking'] as const)
  const way = draw.pick(['both', 'up', 'down'] as const)
  const kind = draw.unit()
  if (kind < 0.2) return { do: 'lose', process, count: draw.whole(1, 6) } as const
  if (kind < 0.45) return { do: 'cut', process, which, lasts } as const
  if (kind < 0.6) return { do: 'hold', process, which, way, delay: draw.whole(5, 150), lasts } as const
  if (kind < 0.85) return { do: 'hold', process, which, way, delay: null, lasts } as const
  if (kind < 0.9) return { do: 'pause', lasts: Math.min(lasts, 300) } as const
  if (kind < 0.97) return { do: 'kill', process } as const
  return { do: 'restart', process } as const
}
