/**
 * Worker code travels as text inside the package, so that a bundler needs no worker plug-in and a page no second
 * request. Each entry becomes one self-contained string: lib/generated/<name>.ts, `export const source = …`.
 */
import { writeFile } from 'node:fs/promises'
import { build } from 'esbuild'

const root = new URL('../', import.meta.url)

const workers = {
  /** The threads of the WebAssembly engine. */
  wasm_worker: { entry: 'lib/engines/wasm/worker.ts', format: 'iife' },
  /** Reads, decodes and transforms the next batches of a data layer. */
  prefetch_worker: { entry: 'lib/data/prefetch_worker.ts', format: 'esm' },
} as const

export async function generateWorkers(): Promise<void> {
  for (const [name, { entry, format }] of Object.entries(workers)) {
    const result = await build({
      entryPoints: [new URL(entry, root).pathname],
      bundle: true,
      minify: true,
      format,
      platform: 'neutral',
      mainFields: ['module', 'main'],
      // the worker gets its modules by URL
      external: ['node:*', 'ndarray-pixels'],
      target: 'es2022',
      write: false,
    })
    const text = `// generated from ${entry}\nexport const source = ${JSON.stringify(result.outputFiles[0].text)}\n`
    await writeFile(new URL(`lib/generated/${name}.ts`, root), text)
  }
}
