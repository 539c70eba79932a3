import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { loadConfig } from '../src/core/config.js'

const house = join(import.meta.dirname, '..')
const papers = ['README.md', 'CHANGELOG.md', ...markdownIn('docs')]
const readme = read('README.md')
const { scripts, dependencies, devDependencies, optionalDependencies } = JSON.parse(read('package.json'))

test.each(['README.md', ...markdownIn('docs')])('every npm command that %s names exists', (paper) => {
  const code = [...read(paper).matchAll(/```.*?```|`[^`]+`/gs)].join('\n')
  const names = [...code.matchAll(/\bnpm (?:run )?([a-z][\w:-]*)/g)].map(([, name]) => name)
  expect(Object.keys({ ...scripts, ci: 'of npm itself' })).toEqual(expect.arrayContaining(names))
})

test('every script is explained in the README', () => {
  const unexplained = Object.keys(scripts).filter((name) => !new RegExp(`\`(npm (run )?)?${name}[\` ]`).test(readme))
  expect(unexplained).toEqual([])
  expect(Object.keys(scripts).length).toBeLessThanOrEqual(16)
})

test('every dependency has its reason in the README', () => {
  const names = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })
  expect(names.filter((name) => !readme.includes(`\`${name}\``))).toEqual([])
})

test('.ci/run tests with the command that the README gives', () => {
  const [, command = ''] = /## Test\n\n```sh\n(.*)\n```/.exec(readme) ?? []
  const steps = [...read('.ci/run').matchAll(/^\s*step (.*)$/gm)].map(([, step]) => step)
  expect(steps).toEqual(expect.arrayContaining(command.split(' && ')))
})

test('the README has at most 150 lines', () => {
  expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(150)
})

test.each(papers)('every file that %s names exists', (paper) => {
  const text = read(paper)
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, path = '']) => join(dirname(paper), path))
  const named = [...text.matchAll(/`((?:src|test|docs|schema|deploy|\.ci)\/[\w./-]*\w)\/?`/g)].map(
    ([, path = '']) => path,
  )
  const files = [...text.matchAll(/`([\w-]+\.(?:yml|json|md))`/g)].map(([, path = '']) => path)
  expect([...links, ...named, ...files].filter((path) => !existsSync(join(house, path)))).toEqual([])
})

test.each(papers)('what %s says of the demo stands between two marks, or the whole paper is about it', (paper) => {
  const marks = [...read(paper).matchAll(/<!-- (\/?demo) -->/g)].map(([, mark]) => mark)
  const lines = [...read(paper).matchAll(/^<!-- (\/?demo) -->$/gm)].map(([, mark]) => mark)
  const whole = read(paper).startsWith('<!-- demo -->')
  expect(marks).toEqual(whole ? ['demo'] : lines.map((_, index) => (index % 2 === 0 ? 'demo' : '/demo')))
  expect(whole || marks.length % 2 === 0).toBe(true)
})

test('docs/operations.md has every variable with its default', () => {
  const rows = [...read('docs/operations.md').matchAll(/^\| `([A-Z_]+)` \| ([^|]+?) \|/gm)]
  const documented = Object.fromEntries(rows.map(([, name, value]) => [name, value]))
  const required = { DATABASE_URL: 'postgresql://somewhere/something', JWT_SECRET: 'a secret of 32 characters or more' }
  const given = /^ {4}([A-Z_]+):/gm
  const names = [...read('src/core/config.ts').matchAll(given)].map(([, name]) => name as string)
  const config: Record<string, unknown> = loadConfig(required)
  const defaults = names.map((name) => [name, name in required ? 'required' : show(name, config[name])])
  expect(documented).toEqual(Object.fromEntries(defaults))
})

function show(name: string, value: unknown): string {
  if (name === 'DATABASE_POOL_SIZE') return '2 × cores + 1'
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return 'none'
  return typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value)
}

test.each(markdownIn('docs/decisions'))('%s has at most 200 words', (paper) => {
  expect(read(paper).split(/\s+/).filter(Boolean).length).toBeLessThanOrEqual(200)
})

function markdownIn(folder: string): string[] {
  return readdirSync(join(house, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))
}

function read(path: string): string {
  return readFileSync(join(house, path), 'utf8')
}
