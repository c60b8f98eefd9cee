import { defineConfig } from 'vitest/config'

/**
 * Checks of what users install: slower than `npm test`, and they need the package registry. Run by `npm run
 * test:package`.
 */
export default defineConfig({
  test: {
    include: ['test/package/**/*.test.ts'],
    globalSetup: ['test/package/install.ts'],
    testTimeout: 120_000,
    hookTimeout: 300_000,
    pool: 'forks',
    maxWorkers: 2,
  },
})
