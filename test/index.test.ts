/** The faces of the package: what each has, and what loading one brings along. */
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { describe, expect, test } from 'vitest'
import * as root from '../lib/index.js'
import * as types from '../lib/proto/types.js'
import * as pycaffe from '../lib/pycaffe/index.js'
import * as tools from '../lib/tools/index.js'

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

describe('ristretto', () => {
  test('has what a program needs every day, and not much more', () => {
    const wanted =
      `Net Blob Layer Memory Solver SGDSolver NesterovSolver AdaGradSolver RMSPropSolver AdaDeltaSolver AdamSolver createSolver
      registerLayer registerLayerModule registerEngine layerTypes solverTypes parseNet parseSolver printNet printSolver upgradeNet upgradeSolver
      parseParamStr MemoryDataLayer gpuKernel view RandomStream RistrettoError FormatError NetError EngineError NumericsError`.split(
        /\s+/,
      )
    expect(Object.keys(root)).toEqual(expect.arrayContaining(wanted))
    expect(Object.keys(root).length).toBeLessThanOrEqual(40)
  })

  test('loads one small package, and none that only drawings, pictures or tools need', async () => {
    expect(await loadedWith('lib/index.ts')).toEqual(['ndarray'])
    expect(await loadedWith('lib/pycaffe/index.ts')).toContain('@dagrejs/dagre')
  })
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
    compressed: kilobytes(files.map(({ contents }) => gzipSync(contents).length)),
    modules: [...seen].flatMap(name => Object.keys(metafile.outputs[name].inputs)),
  }
}

test('a page that makes and trains nets loads no layer that most nets lack, and is as small as it was', async () => {
  const { plain, compressed, modules } = await loadedSize("export { Net, createSolver } from './lib/index.ts'")
  expect(modules).toEqual(expect.arrayContaining(['lib/layers/convolution.ts', 'lib/proto/wire.ts']))
  for (const name of [
    'layers/detection_output',
    'layers/data',
    'layers/lstm',
    'net/hdf5',
    'onnx/import',
    'onnx/export',
    'proto/forks',
    'solver/lint',
  ])
    expect(modules).not.toContain(`lib/${name}.ts`)
  expect(modules.filter(name => /protobufjs|dagre|gpu\.js/.test(name))).toEqual([])
  expect(plain).toBeLessThan(368)
  // of sources in many pieces; the package, in one, is smaller (test/package/bundlers.test.ts)
  expect(compressed).toBeLessThan(140)
})

test('ristretto/pycaffe and ristretto/tools have what ristretto has not', () => {
  expect(Object.keys(pycaffe)).toEqual(
    expect.arrayContaining(
      'io NetSpec L P Classifier Detector coordMap crop drawNet castToConvolution loadImage'.split(' '),
    ),
  )
  expect(Object.keys(tools)).toEqual(
    expect.arrayContaining(
      'convertImageset convertMnist computeImageMean extractFeatures parseLog summarize'.split(' '),
    ),
  )
  for (const name of [...Object.keys(pycaffe), ...Object.keys(tools)]) expect(root, name).not.toHaveProperty(name)
})

test('ristretto/schema is types alone', () => {
  expect(Object.keys(types)).toEqual([])
})

test('every way in of package.json has its source where tsconfig.json and typedoc.json say', () => {
  const read = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8'))
  const ways = Object.entries<{ types: string; default: string }>(read('package.json').exports).filter(
    ([name]) => !['./package.json', './models/*'].includes(name),
  )
  expect(ways).toHaveLength(6)
  const { paths } = read('tsconfig.json').compilerOptions
  const sources = ways.map(([name, { types, default: code }]) => {
    const source = code.replace('dist/', '').replace('.js', '.ts')
    expect(types).toBe(code.replace('.js', '.d.ts'))
    expect(paths[name.replace('.', 'ristretto')]).toEqual([source])
    return source.replace('./', '')
  })
  expect(Object.keys(paths)).toHaveLength(ways.length)
  expect(read('typedoc.json').entryPoints.toSorted()).toEqual(sources.toSorted())
})
