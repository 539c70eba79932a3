import { expect } from 'vitest'
import { fact } from '../../../src/core/events.js'
import { Random } from '../../../src/graph/random.js'
import { testWith } from '../../needs.js'
import { ownRedis } from '../../redis/server.js'
import { plan, type Size } from './plan.js'
import { Scene } from './scene.js'
import { World } from './world.js'

/** Each sequence is what happens in one universe in one scene. */
export interface Extent {
  readonly sequences: number
  /** In seconds: no scene begins later. */
  readonly within: number
}

export interface Outcome {
  readonly seed: number
  readonly sequences: number
  readonly reads: number
  readonly writes: number
  readonly scenes: number
  readonly seconds: number
  readonly stalest: number
  readonly hits: { readonly inMemory: number; readonly inRedis: number; readonly missing: number }
  /** The first scene that broke a promise: what it broke, and all that happened in it. */
  readonly broken: { readonly scene: number; readonly wrongs: string[]; readonly log: string[] } | undefined
}

const size: Size = { universes: 8, shelves: 2, books: 3, steps: 24, lasts: 700 }
const coherence = 600
/** Scenes in a world, of which some in a row are calm. */
const scenesInWorld = 24

/** Plays scenes until one breaks a promise, or there are enough. */
export async function play(seed: number, { sequences, within }: Extent): Promise<Outcome> {
  const began = performance.now()
  const seconds = () => (performance.now() - began) / 1_000
  const sum = { sequences: 0, reads: 0, writes: 0, scenes: 0, stalest: 0 }
  let broken: Outcome['broken']
  let value = 0
  const hits = { inMemory: 0, inRedis: 0, missing: 0 }
  const stop = fact('cache.read').listen(({ inMemory, inRedis, missing }) => {
    hits.inMemory += inMemory
    hits.inRedis += inRedis
    hits.missing += missing
  })
  while (!broken && sum.sequences < sequences && seconds() < within) {
    const world = await World.open(size, coherence)
    try {
      const last: string[] = []
      for (let index = 0; index < scenesInWorld && !broken; index++) {
        if (sum.sequences >= sequences || seconds() >= within) break
        const number = sum.scenes++
        const isCalm = index % 12 >= 7
        const scene = new Scene(world, `s${number}`, () => ++value)
        const steps = plan(new Random(seed, number), size, isCalm)
        await scene.play(steps)
        sum.sequences += size.universes
        sum.reads += scene.reads
        sum.writes += scene.writes
        sum.stalest = Math.max(sum.stalest, scene.stalest)
        last.push(`-- scene ${number}`, ...scene.log)
        if (scene.wrongs.length > 0) broken = { scene: number, wrongs: scene.wrongs, log: last.slice(-600) }
      }
    } finally {
      await world.close()
    }
  }
  stop()
  return { seed, ...sum, hits, seconds: seconds(), broken }
}

/** MODEL_SEED, MODEL_SEQUENCES and MODEL_SECONDS say otherwise. */
export function describeModel(extent: Extent): void {
  const { MODEL_SEED, MODEL_SEQUENCES, MODEL_SECONDS } = process.env
  const sequences = Number(MODEL_SEQUENCES ?? extent.sequences)
  const within = Number(MODEL_SECONDS ?? extent.within)
  const test = testWith(ownRedis)
  test(`of ${sequences} sequences none breaks a promise`, async () => {
    const seed = Number(MODEL_SEED ?? Math.floor(Math.random() * 2 ** 31))
    const outcome = await play(seed, { sequences, within })
    console.log(tell(outcome))
    expect(outcome.broken?.wrongs ?? [], `MODEL_SEED=${seed}\n${outcome.broken?.log.join('\n')}`).toEqual([])
    // A model that reads little, or nothing that was kept, proves nothing.
    expect(outcome.reads).toBeGreaterThan(5 * outcome.sequences)
    expect(outcome.hits.inMemory + outcome.hits.inRedis).toBeGreaterThan(0)
  })
}

export function tell({ seed, sequences, reads, writes, scenes, seconds, stalest, hits }: Outcome): string {
  return `MODEL_SEED ${seed}: ${sequences} sequences in ${scenes} scenes, ${reads} reads, ${writes} writes, ${seconds.toFixed(1)} s; stalest read ${stalest.toFixed(0)} of ${coherence} ms; ${JSON.stringify(hits)}`
}
