import { defineConfig } from 'vitest/config'

export default defineConfig({
  // As Node resolves packages: through `module` our imports of graphql would be another copy than the libraries'.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/setup.ts',
    reporters: ['default', './test/unrun.ts'],
    // What is waited for comes: how soon is no test's business that does not say so. These end what hangs.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 30_000 } },
    maxWorkers: 3,
  },
})
