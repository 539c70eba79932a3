import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The names of the operations in a folder's files; none where there is no such folder. */
export async function readOperationNames(folder: string): Promise<ReadonlySet<string>> {
  const files = await readdir(folder).catch(() => [])
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
  return new Set(texts.flatMap((text) => /^(?:query|mutation|subscription) (\w+)/m.exec(text)?.[1] ?? []))
}
