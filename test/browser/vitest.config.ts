import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/{browser,studio}/**/*.browser.ts'],
    testTimeout: 300_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // one browser with a software device takes all cores
    maxWorkers: 1,
    fileParallelism: false,
  },
})
