import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { copyHouse } from './copy.js'

let house: Awaited<ReturnType<typeof copyHouse>>
beforeAll(async () => {
  house = await copyHouse()
})
afterAll(() => house[Symbol.asyncDispose]())

const removal = ['node', 'src/tools/demo-remove.ts']

test('the demo is not removed while git could not bring everything back', async () => {
  const changed = await gitThatAnswers(' M README.md')
  expect(() => house.run(removal, changed)).toThrow('commit your changes first')
  expect(existsSync(join(house.folder, 'src/domain/blog'))).toBe(true)
})

test('what is left without the demo builds, passes the linter and has its own tests', {
  timeout: 900_000,
}, async () => {
  const said = house.run(removal, await gitThatAnswers(''))
  expect(Number(/(\d+) tests/.exec(said)?.[1])).toBeGreaterThan(300)

  expect(await readdir(join(house.folder, 'src/domain'))).toEqual(['index.ts'])
  expect(await readdir(join(house.folder, 'schema'))).toEqual(['schema.graphql'])
  expect(existsSync(join(house.folder, 'dist/main.js'))).toBe(true)
  const papers = await Promise.all(
    ['README.md', 'package.json'].map((name) => readFile(join(house.folder, name), 'utf8')),
  )
  expect(papers.join()).not.toMatch(/demo:remove|<!-- \/?demo -->/)
  house.run(['biome', 'check'])
})

/** A folder with a git that has this to say. */
async function gitThatAnswers(text: string): Promise<string> {
  const folder = join(house.folder, '.data/git')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'git'), `#!/bin/sh\nprintf '${text}'\n`, { mode: 0o755 })
  return folder
}
