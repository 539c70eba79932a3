import { randomBytes } from 'node:crypto'
import { link, mkdir, readdir, readFile, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { canPostgresReach, giveToPostgres, runPostgres, systemFolder } from './postgres.js'
import { isAlive, isOrphan, ownName } from './processes.js'

/** Server settings by their PostgreSQL names. */
export type Settings = Record<string, string | number>

/**
 * Makes an empty cluster at `folder`, whole or not at all: it is built aside and moved into place, and where another
 * process was first, its cluster stays. UTF-8, and an order of text that no operating system's locale changes.
 */
export async function createCluster(folder: string): Promise<void> {
  const parent = dirname(folder)
  const reachable = await canPostgresReach(parent)
  const work = join(reachable ? parent : systemFolder, `${basename(folder)}.${ownName()}`)
  await removeOrphans(dirname(work), `${basename(folder)}.`)
  await mkdir(dirname(work), { recursive: true, mode: 0o755 })
  await mkdir(work, { mode: 0o700 })
  const [data, password] = [join(work, 'data'), join(work, 'password')]
  await writeFile(password, randomBytes(24).toString('hex'), { mode: 0o600 })
  await giveToPostgres(work)
  await giveToPostgres(password)
  const locale = ['--encoding=UTF8', '--no-locale', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  const access = ['--username=plumbline', `--pwfile=${password}`, '--auth=scram-sha-256']
  await runPostgres('initdb', ['-D', data, ...access, ...locale, '--no-sync', '--no-instructions'], work)
  await rename(password, join(data, 'password'))
  await place(data, folder, reachable)
  await rm(work, { recursive: true, force: true })
}

/** Starts the server of a cluster on a loopback port, the given one where it is free; resolves when it answers. */
export async function startCluster(folder: string, settings: Settings, port = 0): Promise<void> {
  const data = await realpath(folder)
  await removeStaleLock(data)
  const all: Settings = {
    listen_addresses: '127.0.0.1',
    port: await freePort(port),
    unix_socket_directories: '',
    ...settings,
  }
  const options = Object.entries(all).map(([name, value]) => `-c ${name}='${value}'`)
  const log = join(data, 'server.log')
  const args = ['start', '-w', '-t', '60', '-s', '-D', data, '-l', log, '-o', options.join(' ')]
  await runPostgres('pg_ctl', args, data).catch(async (error) => {
    const told = await readFile(log, 'utf8').catch(() => '')
    throw new Error(`${error.message}\n${told.trim().split('\n').slice(-5).join('\n')}\n(from ${log})`)
  })
}

/** Stops the server after rolling back what is open; one that does not run is no error. */
export async function stopCluster(folder: string): Promise<void> {
  const data = await realpath(folder)
  await runPostgres('pg_ctl', ['stop', '-w', '-t', '30', '-s', '-m', 'fast', '-D', data], data).catch(async (error) => {
    if ((await serverOf(data)).alive) throw error
  })
}

/** Stops the server and deletes its data. */
export async function removeCluster(folder: string): Promise<void> {
  const data = await realpath(folder)
  await stopCluster(data)
  for (const path of [data, folder]) await rm(path, { recursive: true, force: true })
}

/** The URL of the server that runs on this cluster; undefined while none answers. */
export async function clusterUrl(folder: string): Promise<string | undefined> {
  const { alive, ready, port } = await serverOf(folder)
  if (!alive || !ready || !(await answers(port))) return undefined
  const password = await readFile(join(folder, 'password'), 'utf8')
  return `postgresql://plumbline:${password}@127.0.0.1:${port}/postgres`
}

/** What PostgreSQL says of itself in its lock file; false and 0 where there is none. */
export async function serverOf(
  folder: string,
  lock = join(folder, 'postmaster.pid'),
): Promise<{ alive: boolean; ready: boolean; pid: number; port: number }> {
  const lines = (await readFile(lock, 'utf8').catch(() => '')).split('\n').map((line) => line.trim())
  const pid = Number(lines[0])
  return { alive: pid > 0 && isAlive(pid), ready: lines[7] === 'ready', pid, port: Number(lines[3] ?? 0) }
}

/** Removes what processes left beside a cluster that died while they built one. */
async function removeOrphans(folder: string, prefix: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  const orphans = names.filter((name) => name.startsWith(prefix) && isOrphan(name))
  for (const name of orphans) await rm(join(folder, name), { recursive: true, force: true })
}

async function place(data: string, folder: string, reachable: boolean): Promise<void> {
  try {
    if (reachable) return await rename(data, folder)
    const kept = join(systemFolder, `data-${randomBytes(4).toString('hex')}`)
    await symlink(kept, folder)
    await rename(data, kept)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
  }
}

/**
 * PostgreSQL refuses to start while the number in its lock file is some process's: another one's by now, or that of a
 * killed server that nobody reaped. Moved aside first, so that the lock of a server started meanwhile is put back.
 */
async function removeStaleLock(data: string): Promise<void> {
  const stale = await serverOf(data)
  if (!stale.pid || (stale.alive && (await isServerOf(data, stale.pid)))) return
  const lock = join(data, 'postmaster.pid')
  const aside = `${lock}.${ownName()}`
  await rename(lock, aside).catch(() => {})
  const { pid } = await serverOf(data, aside)
  if (pid && pid !== stale.pid) await link(aside, lock).catch(() => {})
  await rm(aside, { force: true })
}

async function isServerOf(data: string, pid: number): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined)
  return command === undefined || command.includes(data)
}

function freePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', (error) => (wanted === 0 ? reject(error) : resolve(freePort(0))))
    server.listen(wanted, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}
