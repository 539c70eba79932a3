import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../core/config.js'

/**
 * What tells builds apart that keep other values: whoever reads another database, other columns, or by data files that say
 * something else of what is read and what it rests on, finds nothing of this one's. `domain` is the folder of the slices.
 */
export async function readRelease(
  { DATABASE_URL, CACHE_RELEASE }: Pick<Config, 'DATABASE_URL' | 'CACHE_RELEASE'>,
  columns: unknown,
  domain: string,
): Promise<string> {
  const place = URL.parse(DATABASE_URL)
  const files = await readDataFiles(domain)
  return createHash('sha256')
    .update(JSON.stringify([CACHE_RELEASE, place?.host, place?.pathname, columns, files]))
    .digest('base64url')
    .slice(0, 12)
}

/** Each with its path; none where there is no such folder, as in a bundle. */
async function readDataFiles(folder: string): Promise<[string, string][]> {
  const paths = await readdir(folder, { recursive: true }).catch((error) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const found = paths.filter((path) => /\.data\.[jt]s$/.test(path)).sort()
  return Promise.all(found.map(async (path) => [path, await readFile(join(folder, path), 'utf8')]))
}
