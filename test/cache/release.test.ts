import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readRelease } from '../../src/cache/release.js'

const config = { DATABASE_URL: 'postgres://user:secret@host/one', CACHE_RELEASE: undefined }
const columns = [['Thing', [{ property: 'boxId', name: 'box_id' }]]]

test('builds whose data files say something else are different releases, and others are not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'release-'))
  try {
    const write = (file: string, text: string) => writeFile(join(folder, 'box', file), text)
    const read = (more = {}, rows: unknown = columns) => readRelease({ ...config, ...more }, rows, folder)
    await mkdir(join(folder, 'box'))
    await write('box.data.js', `cached: ['boxes.id']`)
    await write('box.resolver.js', 'one')
    const first = await read()
    await write('box.resolver.js', 'two')
    expect(await read({ DATABASE_URL: 'postgres://other@host/one' })).toBe(first)
    const others = [await read({ DATABASE_URL: 'postgres://host/two' }), await read({ CACHE_RELEASE: 'a' })]
    others.push(await read({}, []))
    await write('box.data.js', `cached: ['boxes']`)
    others.push(await read())
    await write('lid.data.js', '')
    others.push(await read())
    expect(new Set([first, ...others]).size).toBe(6)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a house without a business has a release too', async () => {
  const folder = join(tmpdir(), 'no such folder')
  expect(await readRelease(config, columns, folder)).toMatch(/^[\w-]{12}$/)
})
