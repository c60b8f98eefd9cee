import { fileURLToPath } from 'node:url'
import { defineConfig, mergeConfig } from 'vite'
import example from '../../docs/examples/browser/vite.config.js'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** docs/examples/browser inside the repository, where the package is its source: `npx vite --config` this file. */
export default mergeConfig(
  example,
  defineConfig({
    resolve: { alias: { ristretto: `${root}lib/index.ts` } },
    server: { fs: { allow: [root] } },
    build: { outDir: `${root}examples-output/browser`, emptyOutDir: true },
  }),
)
