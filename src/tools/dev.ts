import { spawn } from 'node:child_process'
import { onRunnerGone } from './runner.js'

/** Compiles at each change and restarts the server with what came out, until Ctrl-C or until one of the two ends. */
const compiler = spawn('tsc', ['--watch', '--preserveWatchOutput'], {
  stdio: 'inherit',
  shell: process.platform === 'win32',
})
const server = spawn(process.execPath, ['--watch', 'dist/main.js', '--embedded'], { stdio: 'inherit' })

const stop = (signal: NodeJS.Signals) => {
  compiler.kill(signal)
  server.kill(signal)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)
onRunnerGone(() => stop('SIGTERM'))
compiler.on('exit', () => server.kill('SIGTERM'))
server.on('exit', () => compiler.kill('SIGTERM'))
