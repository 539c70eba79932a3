import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** A file or folder name that tells which process it belongs to, and no other maker has: see {@link isOrphan}. */
export function ownName(): string {
  return `${process.pid}-${randomBytes(4).toString('hex')}`
}

/** Whether the process that made this name with {@link ownName} (with or without a prefix) is gone. */
export function isOrphan(name: string): boolean {
  const pid = /(\d+)-[0-9a-f]{8}(\.\w+)?$/.exec(name)?.[1]
  return pid !== undefined && !isAlive(Number(pid))
}

/** Whether a process of that number runs; one that has ended and was not yet reaped does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  return !isZombie(pid)
}

/** Containers without an init process keep them for ever. */
function isZombie(pid: number): boolean {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

/** One process's use of a server that several processes share. */
export interface Use {
  /** Ends this use; runs `stop` when nobody else is left. */
  end(stop: () => Promise<void>): Promise<void>
}

/** How long a process may take to stop the server before it no longer holds up others, in ms. */
const patience = 30_000

/**
 * Registers this process as a user of what `folder` stands for; resolves when nobody is stopping it.
 * Who leaves says so before looking for others, and who comes registers before looking for leavers: so one of the two
 * always sees the other, and a server is never stopped under a new user. Files of dead processes count for nothing.
 */
export async function beginUse(folder: string): Promise<Use> {
  await mkdir(folder, { recursive: true })
  const name = ownName()
  await writeFile(join(folder, `${name}.using`), '')
  const giveUp = Date.now() + patience
  while ((await living(folder)).some((file) => file.endsWith('.stopping')) && Date.now() < giveUp) await sleep(20)

  return {
    async end(stop) {
      const stopping = join(folder, `${name}.stopping`)
      await rename(join(folder, `${name}.using`), stopping)
      try {
        if (!(await living(folder)).some((file) => file.endsWith('.using'))) await stop()
      } finally {
        await rm(stopping, { force: true })
      }
    },
  }
}

async function living(folder: string): Promise<string[]> {
  const files = await readdir(folder)
  const orphans = files.filter(isOrphan)
  for (const file of orphans) await rm(join(folder, file), { force: true })
  return files.filter((file) => !orphans.includes(file))
}
