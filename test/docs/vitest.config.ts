import { defineConfig } from 'vitest/config'

/** The tutorials' programs at full length: a minute or two. Run by `npm run test:docs`. */
export default defineConfig({
  test: { include: ['test/docs/*.slow.ts'], testTimeout: 600_000, pool: 'forks', maxWorkers: 1 },
})
