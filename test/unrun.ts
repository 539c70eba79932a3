import type { Reporter, TestModule } from 'vitest/node'
import { lacking } from './needs.js'

/**
 * Lists at the end of a run the tests that were not run for the lack of a program. TESTS_REQUIRE names, separated by
 * commas, the programs without which the run fails.
 */
export default class Unrun implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const unrun = modules
      .flatMap((module) => [...module.children.allTests('skipped')])
      .flatMap((test) => {
        const result = test.result()
        const note = 'note' in result ? result.note : undefined
        return note?.startsWith(lacking) ? [{ note, title: `${test.module.relativeModuleId} > ${test.fullName}` }] : []
      })
    for (const note of new Set(unrun.map((test) => test.note))) {
      const titles = unrun.filter((test) => test.note === note).map(({ title }) => `  ${title}`)
      console.log([`\n${titles.length} ${titles.length > 1 ? 'tests' : 'test'} ${note}`, ...titles].join('\n'))
    }
    const required = (process.env.TESTS_REQUIRE ?? '').split(',').filter(Boolean)
    const missed = required.filter((name) => unrun.some(({ note }) => note.startsWith(`${lacking}${name}:`)))
    if (missed.length === 0) return
    console.error(`\nTESTS_REQUIRE: tests were not run for the lack of ${missed.join(', ')}.`)
    process.exitCode = 1
  }
}
