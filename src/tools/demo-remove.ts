import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What belongs to the demo beside its slices, and this command with its tests, which has then no more to do. */
const belongings = [
  'test/domain',
  'migrations',
  'schema/operations',
  'schema/shapes',
  'src/tools/demo-remove.ts',
  'test/demo',
  'bench',
]

/** A paper begins with this where all of it is about the demo; elsewhere the two marks enclose what is. */
const [begin, end] = ['<!-- demo -->', '<!-- /demo -->']

const noSlices = `import type { Slice } from '../graph/slice.js'

/** The business, in order: a slice may use those before it. */
export const slices: readonly Slice[] = []
`

// Runs as it is, without a build, and imports nothing of the house: what it deletes would be among its imports.
if (import.meta.main) await removeDemo(join(import.meta.dirname, '../..'), process.argv.includes('--force'))

/** Deletes the demo business and leaves a house that builds, boots and passes its own tests. */
async function removeDemo(house: string, force: boolean): Promise<void> {
  if (!force && !isCommitted(house)) {
    console.error('Git could not bring everything back: commit your changes first, or run it with "-- --force".')
    process.exitCode = 1
    return
  }
  console.log(
    `Deleting what is in src/domain, ${belongings.join(', ')}; then what is left is checked, for a minute or two…`,
  )
  await removeSlices(join(house, 'src/domain'))
  for (const path of belongings) await rm(join(house, path), { recursive: true, force: true })
  for (const paper of await findPapers(house)) await removeFromPaper(paper)
  await removeScripts(join(house, 'package.json'))
  await rm(join(house, 'dist'), { recursive: true, force: true })

  run(house, 'tsc')
  run(house, 'node', 'dist/tools/schema.js')
  run(house, 'tsc', '-p', 'test')
  const tests = JSON.parse(run(house, 'vitest', 'list', '--no-staticParse', '--json')) as unknown[]
  console.log(`The demo is removed. ${tests.length} tests of the house are left: npm test`)
  if (existsSync(join(house, '.data')))
    console.log('Its rows are not: to begin with an empty database, delete the folder .data while no server runs.')
}

/** Runs a command and answers what it printed; where it fails, that is shown: compilers complain there. */
function run(house: string, command: string, ...args: string[]): string {
  const shell = process.platform === 'win32'
  try {
    return execFileSync(command, args, { cwd: house, encoding: 'utf8', shell, maxBuffer: 2 ** 26 })
  } catch (error) {
    console.error((error as { stdout?: string }).stdout)
    throw error
  }
}

function isCommitted(house: string): boolean {
  try {
    return execFileSync('git', ['status', '--porcelain'], { cwd: house, encoding: 'utf8', stdio: 'pipe' }) === ''
  } catch {
    return false
  }
}

async function removeSlices(domain: string): Promise<void> {
  for (const name of await readdir(domain)) await rm(join(domain, name), { recursive: true })
  await writeFile(join(domain, 'index.ts'), noSlices)
}

async function findPapers(house: string): Promise<string[]> {
  const docs = await readdir(join(house, 'docs'), { recursive: true })
  return ['README.md', ...docs.map((name) => join('docs', name))]
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(house, name))
}

async function removeFromPaper(paper: string): Promise<void> {
  const text = await readFile(paper, 'utf8')
  if (text.startsWith(begin)) return rm(paper)
  const parts = text.split(new RegExp(`^${begin}\n.*?^${end}\n\n?`, 'ms'))
  if (parts.length > 1) await writeFile(paper, parts.join(''))
}

async function removeScripts(path: string): Promise<void> {
  const manifest = JSON.parse(await readFile(path, 'utf8'))
  for (const name of ['demo:remove', 'bench']) delete manifest.scripts[name]
  await writeFile(path, `${JSON.stringify(manifest, null, 2)}\n`)
}
