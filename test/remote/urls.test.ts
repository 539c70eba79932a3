import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { loadConfig } from '../../src/core/config.js'
import { defineRemote } from '../../src/remote/remote.js'
import { startStandIns } from '../../src/remote/stand-in.js'
import { jwtSecret } from '../settings.js'

const read = (REMOTE_URLS: string) =>
  loadConfig({ DATABASE_URL: 'postgresql://somewhere/something', JWT_SECRET: jwtSecret, REMOTE_URLS }).REMOTE_URLS

test('REMOTE_URLS is a list of names and URLs', () => {
  const urls = read('one=http://127.0.0.1:1, two-2 = https://user:secret@example.com/v1/,')
  expect(urls.map(([name, { href }]) => [name, href])).toEqual([
    ['one', 'http://127.0.0.1:1/'],
    ['two-2', 'https://user:secret@example.com/v1/'],
  ])
})

test.each([
  ['one', 'REMOTE_URLS: must be a list of name=url'],
  ['one=secret', 'that of one is no http:// URL'],
  ['one=ftp://secret', 'that of one is no http:// URL'],
  ['one=http://secret/?a', 'that of one is no http:// URL without a query'],
  ['one=http://secret,one=http://secret', 'names a service twice'],
])('%s is refused, and no URL is told', (value, says) => {
  expect(() => read(value)).toThrow(says)
  expect(() => read(value)).not.toThrow('secret')
})

test('stand-ins are started for the services without a URL, on loopback, and end', async () => {
  const answering = (name: string) => ({ standIn: (_: unknown, response: ServerResponse) => void response.end(name) })
  const define = (name: string, more = {}) => defineRemote({ name, timeout: 100, attempts: 1, ...more })
  const remotes = [define('one', answering('one')), define('two', answering('two')), define('bare')]
  const { urls, close } = await startStandIns(remotes, [['two', new URL('http://elsewhere.example')]])
  expect(urls.map(([name, { hostname }]) => [name, hostname])).toEqual([['one', '127.0.0.1']])
  const url = String(urls[0]?.[1])
  expect(await (await fetch(url)).text()).toBe('one')
  await close()
  await expect(fetch(url)).rejects.toThrow()
})
