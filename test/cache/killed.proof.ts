import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { testWith } from '../needs.js'
import { compileHouse } from '../observe/process.js'
import { ownRedis } from '../redis/server.js'
import { deadly } from './killed.js'
import { World } from './model/world.js'

const coherence = 1_000
const size = { universes: 1, shelves: 1, books: 1, steps: 0, lasts: 0 }

testWith(ownRedis)('what a process wrote that is killed before it tells is seen by others in time', async () => {
  await using house = await compileHouse('test/cache/killed.ts')
  const world = await World.open(size, coherence)
  try {
    const [one] = await Promise.all(world.processes)
    const [universe] = world.universes
    const [shelf, book] = [universe?.shelves[0] as string, universe?.books[0] as string]
    const doomed = await house.run({
      DATABASE_URL: world.url.href,
      REDIS_URL: world.redis.url,
      CACHE_COHERENCE_MS: String(coherence),
      LOG_LEVEL: 'info',
    })
    const write = (value: number) => {
      const order = { how: 'unit', id: book, from: value === 1 ? null : shelf, to: shelf, value, isRefused: false }
      const query = 'mutation Change($order: String!) { change(order: $order) }'
      const body = JSON.stringify({ query, variables: { order: JSON.stringify(order) } })
      return fetch(`${doomed.url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    }
    const id = Buffer.from(`Shelf:${shelf}`).toString('base64url')
    const query = 'query List($id: ID!) { shelf(id: $id) { books { value } } }'
    const read = async () => {
      const { body } = (await one?.ask('read', { query, variables: { id } }, {})) ?? { body: undefined }
      return body.data.shelf.books[0]?.value
    }
    expect((await write(1)).status).toBe(200)
    await sleep(2 * coherence)
    expect([await read(), await read()]).toEqual([1, 1])
    await expect(write(deadly)).rejects.toThrow()
    const killed = performance.now()
    const { rows } = await world.database.query('select value from books')
    expect(rows).toEqual([{ value: deadly }])
    expect((await world.database.query('select from plumbline_cache.changes')).rows).toHaveLength(1)
    let seen = await read()
    // Else nothing was kept, and the test would show nothing.
    expect(seen).toBe(1)
    while (seen !== deadly && performance.now() - killed < 10 * coherence) {
      await sleep(10)
      seen = await read()
    }
    const took = performance.now() - killed
    console.log(`seen ${took.toFixed(0)} ms after the kill, of ${coherence}`)
    expect(took).toBeLessThan(coherence + 100 + world.lag.within(killed, performance.now()))
  } finally {
    await world.close()
  }
})
