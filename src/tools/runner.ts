import { readFileSync } from 'node:fs'
import { environment } from '../core/config.js'
import { isAlive } from '../db/processes.js'

/** How soon an ended npm is noticed, in ms. */
const interval = 250

/**
 * Calls `then` once when the npm that runs this process is gone, if npm runs it: a killed npm leaves its script behind
 * (and a terminated one often does, by way of the shell between the two), and the next start would find the port taken.
 */
export function onRunnerGone(then: () => void): void {
  if (!environment().npm_lifecycle_event) return
  const npm = findNpm(process.ppid)
  const timer = setInterval(() => {
    if (isAlive(npm) && process.ppid !== 1) return
    clearInterval(timer)
    then()
  }, interval)
  timer.unref()
}

/** The nearest ancestor named npm; where the system does not tell, the parent. */
function findNpm(parent: number): number {
  try {
    for (let pid = parent; pid > 1; ) {
      const [, name = '', above] = /^\d+ \((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
      if (name.startsWith('npm')) return pid
      pid = Number(above)
    }
  } catch {}
  return parent
}
