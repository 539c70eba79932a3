import { type ChildProcess, spawn } from 'node:child_process'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { root } from './data.js'
import type { Server } from './servers.js'

/** A server's running process. */
export interface Running {
  readonly server: Server
  readonly url: string
  readonly pid: number
  stop(): Promise<void>
}

/** What every server is given. */
export interface Setting {
  readonly databaseUrl: string
  readonly secret: string
  /** How many connections to PostgreSQL it may hold. */
  readonly pool: number
}

const endings = ['exit', 'SIGINT', 'SIGTERM']

/** How long a server may take to its `ready`, in ms. */
const patience = 30_000

/** Starts a server in production mode; resolves when it says `ready` on standard output. */
export async function startServer(server: Server, setting: Setting): Promise<Running> {
  const port = await freePort()
  const { program } = server
  const path =
    'root' in program ? join(root, program.root) : join(import.meta.dirname, 'servers', `${program.bench}.js`)
  const child = spawn(process.execPath, [path], {
    cwd: 'root' in program ? root : join(import.meta.dirname, '..'),
    env: {
      ...process.env,
      NODE_ENV: 'production',
      PORT: String(port),
      DATABASE_URL: setting.databaseUrl,
      JWT_SECRET: setting.secret,
      POOL: String(setting.pool),
      ...server.variables?.(setting.pool),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const kill = () => child.kill('SIGKILL')
  // Where this process is to end, the load fails first, and everything that was opened is closed on the way out.
  for (const event of endings) process.on(event, kill)
  await waitUntilReady(child, server.name)
  return {
    server,
    url: `http://127.0.0.1:${port}`,
    pid: child.pid as number,
    async stop() {
      for (const event of endings) process.off(event, kill)
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      const late = setTimeout(kill, 5_000)
      await ended
      clearTimeout(late)
    },
  }
}

function waitUntilReady(child: ChildProcess, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let told = ''
    const late = setTimeout(() => fail(`is not ready after ${patience / 1000} s`), patience)
    const fail = (why: string) => {
      clearTimeout(late)
      child.kill('SIGKILL')
      reject(new Error(`${name} ${why}\n${told.slice(-2000)}`))
    }
    child.once('exit', (code) => fail(`ended with ${code}`))
    child.once('error', (error) => fail(error.message))
    child.stderr?.on('data', (text) => (told = `${told}${text}`.slice(-4000)))
    child.stdout?.on('data', (text) => {
      told = `${told}${text}`.slice(-4000)
      if (!told.includes('ready')) return
      clearTimeout(late)
      resolve()
    })
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
