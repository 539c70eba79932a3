import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { copyHouse } from './copy.js'

let house: Awaited<ReturnType<typeof copyHouse>>
beforeAll(async () => {
  house = await copyHouse()
  house.run(['node', 'src/tools/demo-remove.ts', '--force'])
})
afterAll(() => house[Symbol.asyncDispose]())

test('a house without the demo boots and answers', async () => {
  expect(await askNewServer('{ __typename }')).toEqual({ data: { __typename: 'Query' } })
})

test('a house without the demo passes its own tests', () => {
  expect(house.run(['npm', 'test'])).toMatch(/Tests .*\d+ passed/)
})

test('the first noun of a house without the demo is migrated and served', async () => {
  await addFixtureToBusiness()
  expect(house.run(['npm', 'run', 'db:migration', '--', 'things'])).toContain('Written: migrations/')
  expect(await readdir(join(house.folder, 'migrations'))).toHaveLength(2)
  house.run(['npm', 'run', 'schema:emit'])
  expect(await readFile(join(house.folder, 'schema/schema.graphql'), 'utf8')).toContain('type Thing implements Node')
  expect(await askNewServer('{ things { nodes { name } } }')).toEqual({ data: { things: { nodes: [] } } })
})

/** The tests' noun as one of the business: three files and a line. */
async function addFixtureToBusiness(): Promise<void> {
  const [from, to] = [join(house.folder, 'test/fixture'), join(house.folder, 'src/domain/things')]
  await mkdir(to)
  for (const file of await readdir(from)) {
    await cp(join(from, file), join(to, file))
    await rewrite(join(to, file), '../../src/', '../../')
  }
  const index = join(house.folder, 'src/domain/index.ts')
  await rewrite(index, '= []', '= [fixture]')
  await rewrite(index, "slice.js'", "slice.js'\nimport { fixture } from './things/thing.resolver.js'")
}

async function rewrite(file: string, what: string, by: string): Promise<void> {
  await writeFile(
    file,
    (await readFile(file, 'utf8')).replaceAll(what, () => by),
  )
}

/** Starts the server as `npm start` does, asks it once and stops it; it must end by itself. */
async function askNewServer(query: string): Promise<unknown> {
  const server = spawn('node', ['dist/main.js', '--embedded'], { cwd: house.folder, env: house.env })
  try {
    let said = ''
    server.stdout.on('data', (text) => (said += text))
    const address = () => /Ready: (\S+)/.exec(said)?.[1]
    while (!address() && server.exitCode === null) await sleep(50)
    const response = await fetch(address() ?? said, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    })
    return await response.json()
  } finally {
    server.kill('SIGTERM')
    if (server.exitCode === null) await once(server, 'exit')
    expect(server.exitCode).toBe(0)
  }
}
