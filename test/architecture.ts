import { dirname, join } from 'node:path/posix'

/** Source texts by path from the repository's root, with `/`. */
export type Sources = ReadonlyMap<string, string>

const floors: readonly (readonly string[])[] = [
  ['core'],
  ['db', 'mail', 'redis', 'remote'],
  ['cache', 'jobs', 'observe'],
  ['graph'],
  ['domain'],
  ['server'],
  ['app.ts'],
  ['main.ts', 'telemetry.ts', 'mikro-orm.config.ts', 'tools'],
]
const top = floors.length - 1
const longestFile = 250

/** Imports that go up a floor, into a room beside, out of `src`, or into the business from below the top floor. */
export function findFloorFaults(sources: Sources): string[] {
  return eachImport(sources, (from, to) => {
    const [here, there] = [placeOf(from), placeOf(to)]
    if (!here) return 'is on no floor'
    if (!there || !sources.has(to)) return `imports ${to}, which is in no room`
    if (there.room === 'domain' && here.room !== 'domain' && here.floor < top) return `imports the business: ${to}`
    if (there.floor > here.floor) return `imports upwards: ${to}`
    const beside = there.floor === here.floor && there.room !== here.room && here.floor < top
    return beside ? `imports from the room beside: ${to}` : undefined
  })
}

/** Slices that import one which `domain/index.ts` lists after them, or does not list. */
export function findSliceFaults(sources: Sources): string[] {
  const order = sliceOrder(sources.get('src/domain/index.ts') ?? '')
  return eachImport(sources, (from, to) => {
    const [mine, other] = [sliceOf(from), sliceOf(to)]
    if (!mine || !other || mine === other) return undefined
    const [at, position] = [order.indexOf(mine), order.indexOf(other)]
    return at < 0 || position < 0 || position > at ? `imports a slice that is not before it: ${to}` : undefined
  })
}

/** Circles of imports, those of types included, each once. */
export function findCycles(sources: Sources): string[] {
  const done = new Set<string>()
  const found: string[] = []
  const visit = (path: string, way: readonly string[]): void => {
    const seen = way.indexOf(path)
    if (seen >= 0) found.push([...way.slice(seen), path].join(' → '))
    if (seen >= 0 || done.has(path)) return
    for (const next of importsOf(path, sources.get(path) ?? '')) if (sources.has(next)) visit(next, [...way, path])
    done.add(path)
  }
  for (const path of sources.keys()) visit(path, [])
  return found
}

const fileName = /^[a-z][a-z0-9]*(-[a-z0-9]+)*\.ts$/
const sliceFile = /^[a-z][a-z0-9]*(-[a-z0-9]+)*\.(entity|data|resolver|type|jobs|seed)\.ts$/
const folderName = /^[a-z][a-z0-9]*$/
const vague = /^(utils?|helpers?|common|shared|misc|managers?|base|impls?|services?)$/i
const declaration =
  /^(?:export )?(?:default )?(?:abstract )?(?:async )?(?:class|interface|type|function\*?|const|let|enum) (\w+)/gm

/** Names that are not kebab-case, name no role of a slice's, or say nothing. */
export function findNameFaults(sources: Sources): string[] {
  return [...sources].flatMap(([path, text]) => {
    const [file = '', ...folders] = path.split('/').slice(1).reverse()
    const shape = sliceOf(path) ? sliceFile : fileName
    const found = path === 'src/mikro-orm.config.ts' || shape.test(file) ? [] : [`${path} is misnamed`]
    for (const folder of folders) if (!folderName.test(folder)) found.push(`${path} is in a misnamed folder`)
    const names = [...text.matchAll(declaration)].map(([, name]) => name as string)
    for (const name of [...names, ...folders, file.replace(/\.ts$/, '')])
      if (wordsOf(name).some((word) => vague.test(word))) found.push(`${path} has the vague name ${name}`)
    for (const name of text.matchAll(/^(?:export )?interface (I[A-Z]\w*)/gm)) found.push(`${path} has ${name[1]}`)
    return found
  })
}

/** Files longer than 250 lines. */
export function findLongFiles(sources: Sources): string[] {
  return [...sources]
    .map(([path, text]) => ({ path, lines: text.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > longestFile)
    .map(({ path, lines }) => `${path} has ${lines} lines`)
}

const habits: readonly { readonly pattern: RegExp; readonly says: string; readonly except?: string }[] = [
  { pattern: /\bprocess\.env\b/, says: 'reads process.env', except: 'src/core/config.ts' },
  { pattern: /\bNODE_ENV\b/, says: 'asks for NODE_ENV' },
  { pattern: /(?<!\btx\.)\bem\.(find|count|refresh|populate|execute|createQueryBuilder)/, says: 'reads by entities' },
  { pattern: /\bwillResolveField\b|\bPluginCacheControl\b|ServerPluginCacheControl\(/, says: 'wraps every field' },
  { pattern: /\bglobalMiddlewares\b/, says: 'has a global middleware', except: 'src/graph/direct.ts' },
  { pattern: /\b(ctx|context)\.rooms\b/, says: 'goes around the context', except: 'src/graph/computed.ts' },
  { pattern: /^(export )?let /m, says: 'keeps state in the module' },
  {
    pattern: /^(export )?const \w+(: [^=]+)? = new (Weak)?(Map|Set)(<[^=]*>)?\(\)/m,
    says: 'keeps state in the module',
  },
  { pattern: /^export (type )?(\*|\{[^}]*\}) from /m, says: 'hands on what another file exports' },
]

/** What no file may do, wherever it stands. */
export function findHabits(sources: Sources): string[] {
  return [...sources].flatMap(([path, text]) =>
    habits.filter(({ pattern, except }) => path !== except && pattern.test(text)).map(({ says }) => `${path} ${says}`),
  )
}

const definition = /\bdefine(Query|SlowQuery|Loader|ListLoader|Page|Computed)\(\s*(?:\{[^}]*?\bname: )?'(\w+)'/g

/** Names that two statements have, or two of what may be kept: the house refuses the second one that is used, not before. */
export function findNamesakes(sources: Sources): string[] {
  const owners = new Map<string, string>()
  const found: string[] = []
  for (const [path, text] of sources)
    for (const [, kind = '', name] of text.matchAll(definition)) {
      const asStatement = kind === 'Computed' ? [] : [`statement ${name}`]
      if (kind === 'Page') asStatement.push(`statement ${name}Count`)
      const asKept = kind.endsWith('Query') ? [] : [`loader, page or computed value ${name}`]
      for (const owned of [...asStatement, ...asKept]) {
        const other = owners.get(owned)
        if (other) found.push(`${path} has the ${owned}, as ${other} does`)
        owners.set(owned, path)
      }
    }
  return found
}

function eachImport(sources: Sources, judge: (from: string, to: string) => string | undefined): string[] {
  return [...sources].flatMap(([path, text]) =>
    importsOf(path, text).flatMap((to) => {
      const fault = judge(path, to)
      return fault ? [`${path} ${fault}`] : []
    }),
  )
}

const imported = [
  /^(?:import|export)\b[^'"`]*?\bfrom\s+['"]([^'"]+)['"]/gm,
  /^import\s+['"]([^'"]+)['"]/gm,
  /\bimport\(\s*['"]([^'"]+)['"]/g,
]

/** The files that a file imports, for values or types. */
function importsOf(path: string, text: string): string[] {
  return imported
    .flatMap((pattern) => [...text.matchAll(pattern)].map(([, target]) => target as string))
    .filter((target) => target.startsWith('.'))
    .map((target) => join(dirname(path), target.replace(/\.js$/, '.ts')))
}

function placeOf(path: string): { floor: number; room: string } | undefined {
  const [root, room = ''] = path.split('/')
  const floor = root === 'src' ? floors.findIndex((rooms) => rooms.includes(room)) : -1
  return floor < 0 ? undefined : { floor, room }
}

function sliceOf(path: string): string | undefined {
  return /^src\/domain\/([^/]+)\//.exec(path)?.[1]
}

/** The slices' folders in the order of the list. */
function sliceOrder(index: string): (string | undefined)[] {
  const folders = new Map(
    [...index.matchAll(/import \{ (\w+) \} from '\.\/(\w+)\//g)].map(([, name, dir]) => [name, dir]),
  )
  const list = /slices: readonly Slice\[\] = \[([^\]]*)\]/.exec(index)?.[1] ?? ''
  return list.split(',').map((name) => folders.get(name.trim()))
}

function wordsOf(name: string): string[] {
  return name.split(/[^a-zA-Z]+|(?<=[a-z])(?=[A-Z])/)
}
