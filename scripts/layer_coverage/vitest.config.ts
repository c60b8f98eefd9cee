import { defineConfig, mergeConfig } from 'vitest/config'
import base from '../../vitest.config.js'

/** The tests of layers, with checks that are written down. */
export default mergeConfig(
  base,
  defineConfig({
    resolve: {
      alias: [{ find: /^(\.\.\/)+lib\/testing\.js$/, replacement: new URL('testing.ts', import.meta.url).pathname }],
    },
    test: { root: new URL('../..', import.meta.url).pathname, reporters: ['json'] },
  }),
)
