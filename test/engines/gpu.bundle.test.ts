import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

// kernels are compiled from the text of their functions, which a bundler rewrites
const program = `
  import { createGpuEngine } from './lib/engines/gpu.ts'
  import { jsKernels } from './lib/engines/js.ts'
  import { compareKernel, onEveryDevice } from './lib/testing/kernel_cases/run.ts'
  const wrong = []
  for (const mode of ['webasm', 'cpu']) {
    const engine = await createGpuEngine(mode)
    for (const name of onEveryDevice) {
      const { worst, at, error } = await compareKernel(name, jsKernels, engine)
      if (error !== undefined || !(worst <= 1)) wrong.push([mode, name, error ?? at])
    }
  }
  console.log(JSON.stringify(wrong))
`

test.each([
  { name: 'minified', minify: true, keepNames: false },
  { name: 'minified with names kept', minify: true, keepNames: true },
])('every kernel survives esbuild, $name', async ({ minify, keepNames }) => {
  const folder = await mkdtemp(join(tmpdir(), 'ristretto-'))
  const outfile = join(folder, 'kernels.mjs')
  const root = new URL('../../', import.meta.url).pathname
  await build({
    stdin: { contents: program, resolveDir: root, loader: 'ts' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    external: ['koffi', 'sharp', 'h5wasm'],
    minify,
    keepNames,
    outfile,
    logLevel: 'silent',
  })
  const { stdout } = await promisify(execFile)(process.execPath, [outfile])
  await rm(folder, { recursive: true })
  expect(JSON.parse(stdout)).toEqual([])
})
