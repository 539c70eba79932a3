import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { ConfigError } from '../core/config.js'

/** An operation as a file describes it, and how it is sent. */
export interface OperationFile {
  readonly document: string
  /** A query whose answer holds the variables, at `each`: every object there is one request's. */
  readonly from?: string | undefined
  readonly each: string
  /** Whose rights it needs; nobody's where absent. */
  readonly as?: 'USER' | 'ADMIN' | undefined
  /** As how many different documents it is sent: 1 for what clients do. */
  readonly documents: number
  /** With which variables it is asked before clients do; absent where it is not, empty where `from` leads to them. */
  readonly warm?: readonly object[] | undefined
}

const folders = ['operations', 'shapes'].map((folder) => join(import.meta.dirname, '../../schema', folder))

/**
 * The operation that a file under `schema/operations` or `schema/shapes` holds. Lines before it may say how it is sent,
 * as `# from:`, `# each:`, `# as:`, `# documents:` and `# warm`. Throws ConfigError, naming those that there are.
 */
export async function readOperation(name: string): Promise<OperationFile> {
  const paths = (await Promise.all(folders.map(graphqlFiles))).flat()
  const path = paths.find((path) => nameOf(path) === name)
  if (!path) throw new ConfigError(`There is no operation "${name}". There are: ${paths.map(nameOf).join(', ')}.`)
  return parseOperation(await readFile(path, 'utf8'))
}

/** Those of `schema/operations` that are marked by `# warm`, by their names. @throws ConfigError for a mark that says no variables. */
export async function readWarmOperations(): Promise<ReadonlyMap<string, OperationFile>> {
  const found = new Map<string, OperationFile>()
  for (const path of await graphqlFiles(folders[0] as string)) {
    const operation = parseOperation(await readFile(path, 'utf8'), nameOf(path))
    if (operation.warm) found.set(nameOf(path), operation)
  }
  return found
}

export function parseOperation(document: string, name = 'an operation'): OperationFile {
  const said = Object.fromEntries([...document.matchAll(/^# (\w+): (.*)$/gm)].map(([, key, value]) => [key, value]))
  return {
    document,
    from: said.from,
    each: said.each ?? '',
    as: said.as as OperationFile['as'],
    documents: Number(said.documents ?? 1),
    warm: readWarm(document, name),
  }
}

/** The document as clients send it: without the lines of comments before it. */
export function sentDocument({ document }: OperationFile): string {
  return document.replace(/^(?:\s*#.*\n)*\s*/, '').trimEnd()
}

/** `# warm` alone, or once for each set of variables: `# warm: { "first": 20 }`. */
function readWarm(document: string, name: string): readonly object[] | undefined {
  const [head = ''] = /^(?:\s*#.*(?:\n|$))*/.exec(document) ?? []
  const marks = [...head.matchAll(/^\s*# *warm\b *(:?)(.*)$/gm)]
  if (marks.length === 0) return undefined
  return marks.flatMap(([mark, colon, text = '']) => {
    if (!colon && text.trim() === '') return []
    const variables = colon ? parseVariables(text) : undefined
    if (!variables) throw new ConfigError(`${name} has no variables as JSON in "${mark.trim()}".`)
    return [variables]
  })
}

function parseVariables(text: string): object | undefined {
  try {
    const variables: unknown = JSON.parse(text)
    return typeof variables === 'object' && variables !== null && !Array.isArray(variables) ? variables : undefined
  } catch {
    return undefined
  }
}

/** Every object at the end of a path of property names; lists on the way stand for all of their items. */
export function valuesAt(answer: unknown, path: string): Record<string, unknown>[] {
  let found = [answer]
  for (const name of path.split('.'))
    found = found.flatMap((value) => (value as Record<string, unknown> | null)?.[name] ?? [])
  return found as Record<string, unknown>[]
}

async function graphqlFiles(folder: string): Promise<string[]> {
  const files = await readdir(folder).catch(() => [])
  return files.filter((file) => file.endsWith('.graphql')).map((file) => join(folder, file))
}

function nameOf(path: string): string {
  return basename(path, '.graphql')
}
