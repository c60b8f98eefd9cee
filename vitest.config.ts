import { defineConfig } from 'vitest/config'

export default defineConfig({
  // examples import the package by its name
  resolve: {
    alias: [
      { find: /^ristretto$/, replacement: new URL('lib/index.ts', import.meta.url).pathname },
      { find: /^ristretto\/testing$/, replacement: new URL('lib/testing.ts', import.meta.url).pathname },
      { find: /^ristretto\/(pycaffe|tools)$/, replacement: new URL('lib/$1/index.ts', import.meta.url).pathname },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/slow/**', 'test/package/**'],
    testTimeout: 30_000,
    pool: 'forks',
    maxWorkers: 2,
  },
})
