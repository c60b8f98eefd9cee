import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { compilers } from '../typescript.js'
import { consumer, node22, run, runModule, trainTiny, write } from './helpers.js'

interface Manifest {
  name: string
  scripts?: Record<string, string>
  optionalDependencies?: Record<string, string>
}

/** The manifests of everything that was installed. */
function installed(folder = join(consumer, 'node_modules')): { path: string; manifest: Manifest }[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    if (!entry.isDirectory() || entry.name === '.bin') return []
    if (entry.name.startsWith('@')) return installed(path)
    const nested = join(path, 'node_modules')
    const manifest = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as Manifest
    return [{ path, manifest }, ...(existsSync(nested) ? installed(nested) : [])]
  })
}

const bytesOf = (path: string): number =>
  statSync(path).isDirectory()
    ? readdirSync(path).reduce((sum, name) => sum + bytesOf(join(path, name)), 0)
    : statSync(path).size

describe('the installed package', () => {
  it('is small, with everything it depends on', () => {
    // of its own 2.6 MB are Studio's: the page, and the programs of a site without a server
    expect(bytesOf(join(consumer, 'node_modules')) / 1e6).toBeLessThan(19)
    expect(bytesOf(join(consumer, 'node_modules/ristretto')) / 1e6).toBeLessThan(10.5)
    expect(bytesOf(inject('tarball')) / 1e6).toBeLessThan(3.15)
  })

  it('needs no install script, nor does anything it depends on', () => {
    const packages = installed()
    expect(packages.map(({ manifest }) => manifest.name)).toContain('ristretto')
    for (const { path, manifest } of packages) {
      for (const script of ['preinstall', 'install', 'postinstall', 'prepare'])
        if (manifest.name === 'ristretto' || script !== 'prepare')
          expect(manifest.scripts?.[script], `${manifest.name} ${script}`).toBeUndefined()
      // npm builds what has a binding.gyp even without a script
      expect(existsSync(join(path, 'binding.gyp')), manifest.name).toBe(false)
    }
  })

  it('ships the licence, the schema and declarations, and no tests', () => {
    const root = join(consumer, 'node_modules/ristretto')
    for (const file of [
      'LICENSE',
      'README.md',
      'CHANGELOG.md',
      'proto/caffe.proto',
      'dist/lib/index.d.ts',
      'dist/lib/testing.d.ts',
    ])
      expect(existsSync(join(root, file)), file).toBe(true)
    for (const file of ['test', 'lib', 'kernels', 'bench', 'docs/api'])
      expect(existsSync(join(root, file)), file).toBe(false)
  })

  it('ships the documentation: every link in it leads to something that was installed', () => {
    const root = join(consumer, 'node_modules/ristretto')
    const pages = (readdirSync(join(root, 'docs'), { recursive: true }) as string[]).filter(file =>
      file.endsWith('.md'),
    )
    expect(pages.length).toBeGreaterThan(70)
    const dead: string[] = []
    for (const page of ['README.md', 'CHANGELOG.md', ...pages.map(file => join('docs', file))]) {
      // not in code
      const text = readFileSync(join(root, page), 'utf8').replace(/```[\s\S]*?```|`[^`\n]*`/g, '')
      for (const [, link] of text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)) {
        const target = join(page, '..', link)
        // tests that a page names, and pictures that it shows, are those of the repository
        const place = /^test\/|\/images\/[^/]+\.png$/.test(target) ? join(import.meta.dirname, '../..') : root
        if (!/^[a-z]+:/.test(link) && !existsSync(join(place, target))) dead.push(`${page}: ${link}`)
      }
    }
    expect(dead).toEqual([])
  })

  it.each(['wasm', 'js'])('trains in plain Node, on engine %s', engine => {
    const { code, out, err } = runModule(
      `train_${engine}.mjs`,
      `import { Net, SGDSolver } from 'ristretto'
       const engine = '${engine}'
       ${trainTiny}
       const copy = await Net.create(net, { engine })
       await copy.copyFrom(model)
       copy.blobs['data'].dataArray.set(points.flat())
       const { loss } = await copy.forward({ label: points.map(([a, b]) => a ^ b) })
       console.log(JSON.stringify({ engine: solver.engine.name, first, last, copied: loss.get(), bytes: state.length }))`,
    )
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const report = JSON.parse(out)
    expect(report.engine).toBe(engine)
    expect(report.first).toBeGreaterThan(0.3)
    expect(report.last).toBeLessThan(0.05)
    expect(report.copied).toBeLessThan(0.05)
  })

  it('lets authors of layers check them', () => {
    const { code, out, err } = runModule(
      'check.mjs',
      `import { Layer } from 'ristretto'
       import { checkLayer } from 'ristretto/testing'
       class Square extends Layer {
         reshape(bottom, top) { top[0].reshapeLike(bottom[0]) }
         forward(bottom, top) { bottom[0].dataArray.forEach((x, i) => { top[0].dataArray[i] = x * x }) }
         backward(top, propagateDown, bottom) {
           if (!propagateDown[0]) return
           bottom[0].dataArray.forEach((x, i) => { bottom[0].diffArray[i] = FACTOR * x * top[0].diffArray[i] })
         }
       }
       for (const factor of [2, 3]) {
         globalThis.FACTOR = factor
         await checkLayer(Square, { bottoms: [[2, 3]] }).then(() => console.log(factor, 'right'), error => console.log(factor, error.name))
       }`,
    )
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toBe('2 right\n3 CheckError\n')
  })

  it.each(['NodeNext', 'Bundler'])(
    "type-checks in a strict consumer's project (%s), declarations included",
    resolution => {
      write(
        'consumer.ts',
        `import { type Blob, type FillerParameter, Layer, Net, NetError, parseNet, registerLayer, SGDSolver, type NetParameter, type SolverParameter } from 'ristretto'
       import type { LayerType } from 'ristretto/schema'
       import { checkLayer } from 'ristretto/testing'
       // nor do these ask for optional packages
       import 'ristretto/pycaffe'
       import 'ristretto/studio'
       import 'ristretto/tools'

       class Twice extends Layer {
         override reshape(bottom: Blob[], top: Blob[]) { top[0].reshapeLike(bottom[0]) }
         override forward(bottom: Blob[], top: Blob[]) { top[0].dataArray.set(bottom[0].dataArray.map(x => 2 * x)) }
       }
       registerLayer('Twice', Twice)
       await checkLayer(Twice, { bottoms: [[2, 3]] })

       const param: NetParameter = parseNet('name: "x"')
       const net = await Net.create(param, { phase: 'TEST', engine: 'js' })
       const { prob } = await net.forward({ data: new Float32Array(3) })
       const first: number = prob.get(0) + net.blobs['data'].data.pick(0).get(0)
       const solver = await SGDSolver.create('solver.prototxt', { signal: new AbortController().signal })
       await solver.step(1)
       const loss: number = await solver.loss()
       // @ts-expect-error a phase is TRAIN or TEST
       await Net.create(param, { phase: 'NIGHT' })
       // @ts-expect-error fields are those of the schema
       const wrong: NetParameter = { nam: 'x' }
       // @ts-expect-error a slip in a name
       const slip: SolverParameter = { lr_policy: 'stpe' }
       // @ts-expect-error the same of a filler
       const filler: FillerParameter = { type: 'xaviar' }
       const own: NetParameter = { layer: [{ name: 'mine', type: 'Twice', bottom: ['x'], top: ['y'] }] }
       const known: LayerType = 'Convolution'
       export { filler, first, known, loss, own, slip, wrong, NetError }`,
      )
      write(
        'tsconfig.json',
        JSON.stringify({
          compilerOptions: {
            strict: true,
            noEmit: true,
            skipLibCheck: false,
            target: 'ES2022',
            module: resolution === 'NodeNext' ? 'NodeNext' : 'ESNext',
            moduleResolution: resolution,
            types: [],
          },
          files: ['consumer.ts'],
        }),
      )
      // each compiler once
      const tsc = compilers[resolution === 'NodeNext' ? 6 : 7]
      expect(run(process.execPath, [tsc, '-p', '.'])).toEqual({ code: 0, out: '', err: '' })
    },
  )
})

describe('the command line', () => {
  // not through npx, which has warnings of its own for standard error
  const ristretto = (args: string[]) => run(join(consumer, 'node_modules/.bin/ristretto'), args)
  const model = () =>
    write(
      'noise.prototxt',
      `layer { name: "x" type: "DummyData" top: "x" dummy_data_param { shape { dim: 2 } data_filler { type: "constant" value: 3 } } }
       layer { name: "y" type: "Python" bottom: "x" top: "y" python_param { module: "twice" layer: "Twice" } loss_weight: 1 }`,
    )
  const layer = (types: boolean) => `
    import { Layer } from 'ristretto'
    export class Twice extends Layer {
      reshape(bottom, top) { top[0].reshapeLike(bottom[0]) }
      forward(bottom${types ? ': any' : ''}, top${types ? ': any' : ''}) { top[0].dataArray.set(bottom[0].dataArray.map(x => 2 * x)) }
      backward() {}
    }`

  it('is there after installing', () => {
    const { code, out } = run('npx', ['ristretto', '--help'])
    expect(code).toBe(0)
    expect(out).toContain('Usage: ristretto')
    expect(out).toMatch(/^ {2}train +Train a net/m)
  })

  it('takes custom layers from a JavaScript file', () => {
    const { code, out, err } = ristretto([
      'time',
      '-model',
      model(),
      '-iterations',
      '2',
      '-layers',
      write('twice.js', layer(false)),
    ])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain('Initial loss: 12')
  })

  it('says in one line which package reads pictures, where it is not installed', () => {
    const list = write('pictures.txt', 'a.png 0\nb.png 1\nc.png 2\n')
    for (const name of ['a.png', 'b.png', 'c.png']) write(name, 'not looked at')
    const { code, err } = ristretto(['convert-imageset', './', list, 'pictures_lmdb'])
    expect(code).toBe(1)
    expect(err).toMatch(
      /^ristretto: all pictures but plain PNGs are read by two packages: npm install ndarray-pixels sharp [^\n]+\n$/,
    )
  })

  it('names the way out where Node does not run TypeScript', ({ skip }) => {
    if ((process.features as { typescript?: unknown }).typescript) skip('this Node runs TypeScript')
    const args = ['time', '-model', model(), '-layers', write('twice.ts', layer(true))]
    const { code, err } = ristretto(args)
    expect(code).toBe(1)
    expect(err).toMatch(
      /^ristretto: --layers .*: Node [\d.]+ does not run TypeScript: npm install -D tsx, then put NODE_OPTIONS="--import tsx" before [^\n]+\n$/,
    )
  })

  it('runs TypeScript layers on a Node that does', ({ skip }) => {
    const node = node22()
    if (!node) skip('there is no Node 22 for this platform on the registry')
    const command = join(consumer, 'node_modules/ristretto/dist/lib/cli/main.js')
    const args = [command, 'time', '-model', model(), '-iterations', '2', '-layers', write('twice.ts', layer(true))]
    const { code, out, err } = run(node!, args)
    expect({ code, err: err.replace(/.*(ExperimentalWarning|--trace-warnings|MODULE_TYPELESS).*\n/g, '') }).toEqual({
      code: 0,
      err: '',
    })
    expect(out).toContain('Initial loss: 12')
  })
})

describe('CommonJS', () => {
  it('can require the package on Node 22 and later', ({ skip }) => {
    const node = node22()
    if (!node) skip('there is no Node 22 for this platform on the registry')
    const file = write(
      'old.cjs',
      "const { Net, layerTypes } = require('ristretto'); console.log(typeof Net.create, layerTypes().includes('ReLU'))",
    )
    const { code, out } = run(node!, [file])
    expect({ code, out }).toEqual({ code: 0, out: 'function true\n' })
  })
})
