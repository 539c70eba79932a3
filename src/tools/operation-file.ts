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
}

const folders = ['operations', 'shapes'].map((folder) => join(import.meta.dirname, '../../schema', folder))

/**
 * The operation that a file under `schema/operations` or `schema/shapes` holds. Its first lines may say how it is sent,
 * as `# from:`, `# each:`, `# as:` and `# documents:`. Throws ConfigError, naming those that there are.
 */
export async function readOperation(name: string): Promise<OperationFile> {
  const paths = (await Promise.all(folders.map(graphqlFiles))).flat()
  const path = paths.find((path) => nameOf(path) === name)
  if (!path) throw new ConfigError(`There is no operation "${name}". There are: ${paths.map(nameOf).join(', ')}.`)
  return parseOperation(await readFile(path, 'utf8'))
}

export function parseOperation(document: string): OperationFile {
  const said = Object.fromEntries([...document.matchAll(/^# (\w+): (.*)$/gm)].map(([, key, value]) => [key, value]))
  return {
    document,
    from: said.from,
    each: said.each ?? '',
    as: said.as as OperationFile['as'],
    documents: Number(said.documents ?? 1),
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
