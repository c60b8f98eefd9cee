/**
 * Worker code travels as text inside the package, so that a bundler needs no worker plug-in and a page no second
 * request. Each entry becomes one self-contained string: lib/generated/<name>.ts, `export const source = …`.
 */
import type { Generated } from './generated.js'

const root = new URL('../', import.meta.url)

export const workers: Generated[] = [
  // the threads of the WebAssembly engine
  worker('wasm_worker', 'lib/engines/wasm/worker.ts', 'iife'),
  // reads, decodes and transforms the next batches of a data layer
  worker('prefetch_worker', 'lib/data/prefetch_worker.ts', 'esm'),
  // decodes the pictures of a dataset that is made
  worker('decode_worker', 'lib/tools/dataset/decode_worker.ts', 'esm'),
]

function worker(name: string, entry: string, format: 'iife' | 'esm'): Generated {
  return {
    name,
    from: entry,
    sources: [
      'lib',
      'proto',
      'scripts/generate-schema.ts',
      'scripts/schema_text.ts',
      'scripts/proto_root.ts',
      'scripts/generate-workers.ts',
    ],
    packages: ['esbuild', 'protobufjs', 'fflate'],
    make: async () => {
      const { build } = await import('esbuild')
      const result = await build({
        entryPoints: [new URL(entry, root).pathname],
        bundle: true,
        minify: true,
        format,
        platform: 'neutral',
        mainFields: ['module', 'main'],
        // the worker gets its modules by URL
        external: ['node:*', 'ndarray-pixels', 'sharp'],
        target: 'es2022',
        write: false,
      })
      return `export const source: string = ${JSON.stringify(result.outputFiles[0].text)}\n`
    },
  }
}
