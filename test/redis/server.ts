import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Program, works } from '../needs.js'
import { freePort } from '../ports.js'

/** A Redis of a test's own, on loopback and in memory. */
export interface RedisServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Stops it where it stands: it keeps its connections and answers nothing. */
  pause(): void
  resume(): void
  /** Ends it without a chance to do anything. */
  kill(): Promise<void>
  /** Starts it again at the same port, with nothing in it. */
  start(): Promise<void>
}

const image = 'redis:8'
const install = 'apt-get install redis-server'
const binary = ['redis-server', 'valkey-server'].find((name) => works(name, '--version'))
const hasDocker = binary === undefined && works('docker', 'info')

/** A server that a test may stop, kill and fill. */
export const ownRedis: Program = { name: 'redis-server', isThere: binary !== undefined || hasDocker, install }

/** Any server: one's own, or else the one at REDIS_URL. */
export const anyRedis: Program = { ...ownRedis, isThere: ownRedis.isThere || Boolean(process.env.REDIS_URL) }

/** One that binaries can be had for: Sentinels have to reach it at the address where it listens. */
export const redisBinary: Program = { ...ownRedis, isThere: binary !== undefined }

/** Where there is any server: others may use it too. */
export async function reachRedis(): Promise<Pick<RedisServer, 'url'> & AsyncDisposable> {
  if (ownRedis.isThere) return startRedis()
  return { url: process.env.REDIS_URL ?? '', [Symbol.asyncDispose]: async () => {} }
}

/** Starts one, with these further settings (`--maxmemory`, `2mb`). */
export async function startRedis(...settings: readonly string[]): Promise<RedisServer> {
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), 'redis-'))
  const listening = hasDocker ? [] : ['--bind', '127.0.0.1', '--dir', folder]
  const quick = ['--save', '', '--appendonly', 'no', '--repl-diskless-sync-delay', '0', '--protected-mode', 'no']
  const args = ['--port', String(port), ...listening, ...quick, ...settings]
  const running = hasDocker ? inDocker(port, args) : onMachine(args)
  return { ...(await keep(running, port)), [Symbol.asyncDispose]: async () => end(running, folder) }
}

/** Starts a Sentinel that watches this master as `house`, and is alone in deciding that it is gone. */
export async function startSentinel(master: number): Promise<RedisServer> {
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), 'sentinel-'))
  const lines = [`port ${port}`, 'bind 127.0.0.1', `dir ${folder}`, `sentinel monitor house 127.0.0.1 ${master} 1`]
  const quick = ['sentinel down-after-milliseconds house 200', 'sentinel failover-timeout house 2000']
  await writeFile(join(folder, 'sentinel.conf'), [...lines, ...quick, ''].join('\n'))
  const running = onMachine([join(folder, 'sentinel.conf'), '--sentinel'])
  return { ...(await keep(running, port)), [Symbol.asyncDispose]: async () => end(running, folder) }
}

interface Running {
  start(): void
  send(signal: NodeJS.Signals): void
  ended(): Promise<void>
}

async function keep(running: Running, port: number) {
  const start = async () => {
    running.start()
    for (let i = 0; !(await answers(port)); i++) {
      if (i > 500) throw new Error('Redis does not start.')
      await sleep(10)
    }
  }
  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    start,
    pause: () => running.send('SIGSTOP'),
    resume: () => running.send('SIGCONT'),
    async kill() {
      running.send('SIGKILL')
      await running.ended()
    },
  }
}

async function end(running: Running, folder: string): Promise<void> {
  running.send('SIGKILL')
  await running.ended()
  await rm(folder, { recursive: true, force: true })
}

function onMachine(args: readonly string[]): Running {
  let child: ReturnType<typeof spawn> | undefined
  const kill = () => void child?.kill('SIGKILL')
  return {
    start() {
      child = spawn(binary as string, args, { stdio: 'ignore' })
      process.once('exit', kill)
    },
    send: (signal) => void child?.kill(signal),
    async ended() {
      if (child && child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      process.off('exit', kill)
    },
  }
}

function inDocker(port: number, args: readonly string[]): Running {
  const name = `plumbline-redis-${port}`
  const docker = (...words: string[]) => spawnSync('docker', words, { stdio: 'ignore' })
  return {
    start: () =>
      void docker(
        'run',
        '-d',
        '--rm',
        '--name',
        name,
        '-p',
        `127.0.0.1:${port}:${port}`,
        image,
        'redis-server',
        ...args,
      ),
    send: (signal) => void docker('kill', '--signal', signal, name),
    async ended() {
      docker('wait', name)
      while (docker('container', 'inspect', name).status === 0) await sleep(20)
    },
  }
}

/** Whether something that speaks Redis answers there. */
async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    socket.on('error', () => {})
    socket.write('PING\r\n')
    const [reply] = await once(socket, 'data', { signal: AbortSignal.timeout(1_000) })
    return /^[+-]/.test(String(reply)) && !String(reply).startsWith('-LOADING')
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
