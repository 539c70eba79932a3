import { defineConfig } from 'vitest/config'
import tests from './vitest.config.js'

/**
 * The long proofs: too slow for every `npm test`, which keeps a short form of each. One after another: each takes all
 * there is.
 */
export default defineConfig({
  ...tests,
  test: {
    ...tests.test,
    include: ['test/**/*.proof.ts'],
    testTimeout: 900_000,
    hookTimeout: 300_000,
    fileParallelism: false,
  },
})
