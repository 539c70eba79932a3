import type { WriteStream } from 'node:tty'

/** Told how much of something named is done; may be told often. */
export type Progress = (name: string, done: number, of: number) => void

const width = 30

/** On a terminal a bar for each name, redrawn where it stands; elsewhere a line for each name that is complete. */
export function showProgress(stream: Pick<WriteStream, 'isTTY' | 'write'>): Progress {
  return (name, done, of) => {
    const complete = done >= of
    if (!stream.isTTY) {
      if (complete) stream.write(`${name}: ${of.toLocaleString('en')}\n`)
      return
    }
    const filled = Math.floor((width * done) / Math.max(of, 1))
    const bar = `${'█'.repeat(filled)}${'░'.repeat(width - filled)}`
    const counts = `${done.toLocaleString('en')} of ${of.toLocaleString('en')}`
    // Back to the line's beginning, and what a longer line left is erased.
    stream.write(`\r${name.padEnd(15)} ${bar} ${counts}\x1b[K${complete ? '\n' : ''}`)
  }
}
