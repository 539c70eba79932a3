import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { Random } from '../../src/graph/random.js'
import { testWith } from '../needs.js'
import { ownRedis } from '../redis/server.js'
import { plan, type Size } from './model/plan.js'
import { Scene } from './model/scene.js'
import { World } from './model/world.js'

const coherence = 600

/** In ms: the house as ever; in trouble; and after it. */
export interface Times {
  readonly before: number
  readonly during: number
  readonly after: number
  /** Of each of the eight universes, in all. */
  readonly steps: number
}

interface Fault {
  readonly name: string
  begin(world: World): unknown
  end(world: World): unknown
}

/** @throws Error where the server took all of it, and evicted nothing for it: then it is not full. */
async function fill({ keys }: World, policy: string): Promise<void> {
  const info = await keys.info('memory')
  const used = Number(/used_memory:(\d+)/.exec(info)?.[1])
  await keys.config('SET', 'maxmemory-policy', policy)
  await keys.config('SET', 'maxmemory', used + 2 ** 19)
  for (let index = 0; index < 100; index++) {
    const taken = await keys.set(`filler:${index}`, 'x'.repeat(16_384), 'PX', 60_000).catch(() => undefined)
    if (!taken) return
  }
  const stats = await keys.info('stats')
  if (!/evicted_keys:[1-9]/.test(stats)) throw new Error('Redis is not full.')
}

async function empty({ keys }: World): Promise<void> {
  await keys.config('SET', 'maxmemory', 0)
  const fillers = await keys.keys('filler:*')
  if (fillers.length > 0) await keys.del(...fillers)
}

const faults: readonly Fault[] = [
  { name: 'none', begin: () => {}, end: () => {} },
  { name: 'killed', begin: ({ redis }) => redis.kill(), end: ({ redis }) => redis.start() },
  { name: 'stopped', begin: ({ redis }) => redis.pause(), end: ({ redis }) => redis.resume() },
  { name: 'full, noeviction', begin: (world) => fill(world, 'noeviction'), end: empty },
  { name: 'full, allkeys-lru', begin: (world) => fill(world, 'allkeys-lru'), end: empty },
  { name: 'flushed', begin: ({ keys }) => keys.flushall(), end: ({ keys }) => keys.flushall() },
]

/** Two processes under load while something happens to their Redis: nobody is told of it, and nobody waits for long. */
export function describeFaults({ before, during, after, steps }: Times, names: readonly string[]): void {
  const size: Size = { universes: 8, shelves: 2, books: 3, steps, lasts: before + during + after }
  testWith(ownRedis)('whatever happens to Redis, all is answered, and in time', async () => {
    const seed = Number(process.env.FAULTS_SEED ?? Math.floor(Math.random() * 2 ** 31))
    const lines: string[] = []
    const wrongs: string[] = []
    for (const fault of faults.filter(({ name }) => names.includes(name))) {
      const world = await World.open(size, coherence)
      try {
        let value = 0
        const play = async (name: string, lasts: number, isWatched: boolean) => {
          const scene = new Scene(world, name, () => ++value)
          const all = plan(new Random(seed, lines.length), { ...size, lasts }, true)
          const playing = scene.play(all.filter((step) => step.do === 'read' || step.do === 'write'))
          if (isWatched) {
            await sleep(before)
            world.disturb()
            await fault.begin(world)
            await sleep(during)
            await fault.end(world)
            world.disturb()
          }
          await playing
          return scene
        }
        // Compiled, planned, and believed.
        await play('warm', 1_000, false)
        const { timings, wrongs: found } = await play('watched', size.lasts, true)
        wrongs.push(...found.map((wrong) => `${fault.name}: ${wrong}`))
        const phases = [
          [0, before],
          [before, before + during],
          [before + during, Number.POSITIVE_INFINITY],
        ].map(([from = 0, to = 0]) => timings.filter(({ at }) => at >= from && at < to))
        const shares = phases.map((phase) => phase.map(({ took }) => took).sort((a, b) => a - b))
        const cells = shares.map((times) => `${share(times, 0.5)} / ${share(times, 0.99)}`)
        const longest = Math.max(...timings.map(({ took }) => took))
        const stale = Math.max(0, ...(phases[2] ?? []).map((timing) => timing.stale))
        const errors = found.filter((wrong) => wrong.includes('an error')).length
        lines.push(
          `| ${[fault.name, timings.length, errors, ...cells, longest.toFixed(0), stale.toFixed(0), found.length].join(' | ')} |`,
        )
        // Each part of it waits for Redis no longer than its time-out, until the circuit opens.
        expect(longest).toBeLessThan(20_000)
        expect(Math.min(...phases.map((phase) => phase.length))).toBeGreaterThan(5)
      } finally {
        await world.close()
      }
    }
    console.log(
      [
        `FAULTS_SEED ${seed}; times in ms, p50 / p99; Redis was away for ${during} ms, the promise is ${coherence} ms`,
        '| Redis | requests | errors | before | during | after | longest wait | stalest after | promises broken |',
        '|---|--:|--:|--:|--:|--:|--:|--:|--:|',
        ...lines,
      ].join('\n'),
    )
    expect(wrongs).toEqual([])
  })
}

function share(sorted: readonly number[], of: number): string {
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * of))] ?? 0).toFixed(0)
}
