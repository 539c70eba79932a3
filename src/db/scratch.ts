import { existsSync } from 'node:fs'
import { readdir, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clusterUrl, createCluster, removeCluster, type Settings, startCluster } from './cluster.js'
import { isOrphan, ownName } from './processes.js'

/** Fast because a crash may lose everything. */
const settings: Settings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  shared_buffers: '128MB',
  max_connections: 200,
}

const prefix = 'plumbline-'

/** A throw-away PostgreSQL 18 in memory, for tests; `stop` removes it, and the next one removes what a crash left. */
export async function startScratch(): Promise<{ url: string; stop(): Promise<void> }> {
  const memory = await findMemory()
  await removeOrphans(memory)
  const folder = join(memory, `${prefix}${ownName()}`)
  await createCluster(folder)
  await startCluster(folder, settings)
  const url = await clusterUrl(folder)
  if (!url) throw new Error('The scratch PostgreSQL started and does not answer')
  return {
    url,
    stop: () => removeCluster(folder),
  }
}

/** Containers give shared memory 64 MB, too little for a cluster. */
async function findMemory(): Promise<string> {
  const memory = '/dev/shm'
  if (!existsSync(memory)) return tmpdir()
  const { bavail, bsize } = await statfs(memory)
  return bavail * bsize > 2 ** 30 ? memory : tmpdir()
}

async function removeOrphans(memory: string): Promise<void> {
  const names = (await readdir(memory)).filter((name) => name.startsWith(prefix) && isOrphan(name))
  for (const name of names) {
    // Another user's leftover stays: it is theirs to remove.
    await removeCluster(join(memory, name)).catch(() => {})
  }
}
