import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Config, loadConfig } from '../../src/core/config.js'
import { readOperation } from '../../src/tools/operation-file.js'
import { profile } from '../../src/tools/profile.js'
import { seedDatabase } from '../../src/tools/seed.js'
import { jwtSecret } from '../settings.js'
import { createTestDatabase } from '../support.js'

const shapes = readdirSync(join(import.meta.dirname, '../../schema/shapes')).map((file) => basename(file, '.graphql'))

let config: Config
let drop: () => Promise<void>
beforeAll(async () => {
  const database = await createTestDatabase('template_business')
  drop = database.drop
  config = loadConfig({ DATABASE_URL: database.url, JWT_SECRET: jwtSecret, LOG_LEVEL: 'silent' })
  await seedDatabase(config, { scale: 0.005 })
})
afterAll(() => drop())

test.each(shapes)('%s can be profiled', async (name) => {
  const { requests, perRequest, packages, profile: found } = await run(name)
  expect(requests).toBeGreaterThan(0)
  expect(perRequest).toBeGreaterThan(10)
  expect(packages.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1)
  expect(packages.map((entry) => entry.name)).toEqual(expect.arrayContaining(['node', '@apollo/server']))
  expect(found.samples?.length).toBeGreaterThan(10)
})

test('so can what clients send, with variables of one own', async () => {
  expect((await run('home-feed')).requests).toBeGreaterThan(0)
  const variables = [{ page: 1, perPage: 5 }]
  expect((await run('product-table', variables)).requests).toBeGreaterThan(0)
  await expect(run('product-table')).rejects.toThrow('Variable \\"$page\\"')
})

async function run(name: string, variables?: object[]) {
  return profile(config, await readOperation(name), { seconds: 0.2, variables })
}
