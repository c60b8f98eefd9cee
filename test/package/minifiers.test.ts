import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { minify as swc } from '@swc/core'
import { build, transform } from 'esbuild'
import { minify as terser } from 'terser'
import { minify as oxc } from 'vite'
import { afterAll, beforeAll, expect, test } from 'vitest'

// kernels are compiled from the text of their functions, which a bundler rewrites
const program = `
  import { createGpuEngine } from './lib/engines/gpu.ts'
  import { jsKernels } from './lib/engines/plain_loops.ts'
  import { compareKernel, onEveryDevice } from './lib/testing/kernel_cases/run.ts'
  import { wrongOwnKernels } from './test/engines/own_kernels.ts'
  const wrong = []
  const [part, of, ...modes] = process.argv.slice(2)
  const share = { part: Number(part), of: Number(of) }
  for (const mode of modes) {
    wrong.push(...(await wrongOwnKernels(mode)))
    const engine = await createGpuEngine(mode)
    for (const name of onEveryDevice) {
      const { worst, at, error } = await compareKernel(name, jsKernels, engine, { share })
      if (error !== undefined || !(worst <= 1)) wrong.push([mode, name, error ?? at])
    }
  }
  console.log(JSON.stringify(wrong))
`

const minifiers: Record<string, (text: string) => Promise<string>> = {
  esbuild: async text => (await transform(text, { minify: true, format: 'esm' })).code,
  'esbuild with names kept': async text => (await transform(text, { minify: true, keepNames: true })).code,
  terser: async text => (await terser(text, { module: true, compress: { passes: 2, unsafe: true } })).code!,
  oxc: async text => (await oxc('kernels.mjs', text, { compress: true, mangle: true, module: true })).code,
  swc: async text => (await swc(text, { module: true, compress: { passes: 2, unsafe: true }, mangle: true })).code,
}

let folder: string
let bundled: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ristretto-'))
  const root = new URL('../../', import.meta.url).pathname
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: root, loader: 'ts' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    external: ['koffi', 'sharp', 'h5wasm'],
    write: false,
    logLevel: 'silent',
  })
  bundled = outputFiles[0].text
})
afterAll(() => rm(folder, { recursive: true }))

// every kernel is compiled from each text; of its cases, each text computes some
test.each(Object.keys(minifiers).map((name, part, { length }) => [name, part, length] as const))(
  'every kernel survives %s',
  async (name, part, of) => {
    const outfile = join(folder, `${name.replaceAll(' ', '_')}.mjs`)
    const text = await minifiers[name](bundled)
    expect(text.length).toBeLessThan(0.8 * bundled.length)
    await writeFile(outfile, text)
    // both read one syntax tree of a kernel, so one of the two sees what a minifier did to it
    const modes = name === 'esbuild' ? ['webasm', 'cpu'] : ['webasm']
    const { stdout } = await promisify(execFile)(process.execPath, [outfile, `${part}`, `${of}`, ...modes])
    expect(JSON.parse(stdout)).toEqual([])
  },
)
