import { execFileSync } from 'node:child_process'
import { test } from 'vitest'

/** A program that some tests need, and that a machine may not have. */
export interface Program {
  readonly name: string
  readonly isThere: boolean
  /** The line that installs it. */
  readonly install: string
}

/** Begins what a test says of itself that was not run for the lack of a program. */
export const lacking = 'not run without '

/** Defines a test. */
export type Test = (title: string, run: () => unknown, timeout?: number) => void

/** Tests that need this program: where there is none they are not run, and listed at the end of the run. */
export function testWith({ name, isThere, install }: Program): Test {
  if (isThere) return test
  return (title) => test(title, ({ skip }) => skip(`${lacking}${name}: ${install}`))
}

/** Whether that command can be run and succeeds. */
export function works(command: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore', timeout: 10_000 })
    return true
  } catch {
    return false
  }
}
