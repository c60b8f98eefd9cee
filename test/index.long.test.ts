/** What loading the faces of the package brings along, as a bundler sees it. */
import { join, relative } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

const folder = join(import.meta.dirname, '..')

/** Packages that are loaded with a module, not on demand. */
async function loadedWith(entry: string): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: [join(folder, entry)],
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'neutral',
    metafile: true,
    write: false,
  })
  const packages = new Set<string>()
  const seen = new Set<string>()
  const follow = (name: string): void => {
    if (seen.has(name)) return
    seen.add(name)
    for (const { path, kind, external } of metafile.inputs[name].imports)
      if (kind === 'import-statement') external ? packages.add(path) : follow(path)
  }
  follow(Object.values(metafile.outputs)[0].entryPoint!)
  return [...packages].sort()
}

test('ristretto loads one small package, and none that only drawings, pictures or tools need', async () => {
  expect(await loadedWith('lib/index.ts')).toEqual(['ndarray'])
  expect(await loadedWith('lib/pycaffe/index.ts')).toContain('@dagrejs/dagre')
})

/** What a page loads of a program, minified, without what it fetches later, in kB. */
async function loadedSize(contents: string): Promise<{ plain: number; compressed: number; modules: string[] }> {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: folder, loader: 'ts' },
    bundle: true,
    minify: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    external: ['node:*', 'h5wasm', 'ndarray-pixels', 'webgpu', 'koffi', 'sharp', 'classic-level', 'gl'],
    outdir: join(folder, 'out'),
    metafile: true,
    write: false,
  })
  const chunks = Object.entries(metafile.outputs)
  const seen = new Set<string>()
  const follow = (name: string): void => {
    if (seen.has(name)) return
    seen.add(name)
    for (const { path, kind, external } of metafile.outputs[name].imports)
      if (kind === 'import-statement' && !external) follow(path)
  }
  follow(chunks.find(([, chunk]) => chunk.entryPoint === '<stdin>')![0])
  const files = outputFiles.filter(({ path }) => seen.has(relative(process.cwd(), path)))
  expect(files).toHaveLength(seen.size)
  const kilobytes = (sizes: number[]) => sizes.reduce((sum, size) => sum + size, 0) / 1000
  return {
    plain: kilobytes(files.map(({ contents }) => contents.length)),
    // as one file, which the package is
    compressed: gzipSync(Buffer.concat(files.map(({ contents }) => contents))).length / 1000,
    modules: [...seen].flatMap(name => Object.keys(metafile.outputs[name].inputs)),
  }
}

test('a page that makes and trains nets loads no layer that most nets lack, and is as small as it was', async () => {
  const { plain, compressed, modules } = await loadedSize("export { Net, createSolver } from './lib/index.ts'")
  expect(modules).toEqual(expect.arrayContaining(['lib/layers/convolution.ts', 'lib/proto/text.ts']))
  for (const name of [
    'layers/detection_output',
    'layers/batch_norm',
    'layers/data',
    'layers/lstm',
    'layers/memory_data',
    'net/files',
    'net/hdf5',
    'onnx/import',
    'onnx/export',
    'proto/forks',
    'proto/upgrade',
    'proto/wire',
    'solver/lint',
    'system/write_file',
  ])
    expect(modules).not.toContain(`lib/${name}.ts`)
  expect(modules.filter(name => /protobufjs|dagre|gpu\.js/.test(name))).toEqual([])
  // of sources, in many pieces that import from each other; the package is 7 and 2 kB smaller
  expect(plain).toBeLessThan(252)
  expect(compressed).toBeLessThan(89)
})
