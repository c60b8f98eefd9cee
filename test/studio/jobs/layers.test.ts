import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as ristretto from '../../../lib/index.js'
import { layerTypes, Net, parseNet } from '../../../lib/index.js'
import { checkLayerFiles } from '../../../lib/studio/jobs/check_layers.js'
import { importLayerFiles, withLayers } from '../../../lib/studio/jobs/layers.js'
import { bundled } from '../../bundled.js'
import { inputLayer } from '../../shapes.js'

const blankSquare = readFileSync('docs/examples/occlusion/blank_square.ts', 'utf8')

/** y = x², with a mistake where `factor` is not 2. */
const square = (factor: number) => `import { type Blob, Layer } from 'ristretto'

export class SquareLayer extends Layer {
  override readonly bottomCount = { exactly: 1 }
  override readonly topCount = { exactly: 1 }
  reshape(bottom: Blob[], top: Blob[]): void {
    top[0].reshapeLike(bottom[0])
  }
  forward(bottom: Blob[], top: Blob[]): void {
    bottom[0].dataArray.forEach((x, i) => { top[0].dataArray[i] = x * x })
  }
  override backward(top: Blob[], down: boolean[], bottom: Blob[]): void {
    if (down[0]) bottom[0].dataArray.forEach((x, i) => { bottom[0].diffArray[i] = ${factor} * x * top[0].diffArray[i] })
  }
}
`

const net = (layer: string) =>
  parseNet(`${inputLayer('data', '2×1×4×4')}
    layer { name: "own" ${layer} bottom: "data" top: "own" }`)

describe('Files of layers', () => {
  test('are compiled and run with this very library; their classes make nets by type, by file and as in DIGITS', async () => {
    const files = { 'square.ts': square(2) }
    const { 'square.ts': classes } = await importLayerFiles(files)
    expect(Object.keys(classes)).toEqual(['SquareLayer'])
    expect(classes['SquareLayer'].prototype).toBeInstanceOf(ristretto.Layer)
    const before = layerTypes()
    for (const layer of [
      'type: "SquareLayer"',
      'type: "Python" python_param { module: "square" layer: "SquareLayer" }',
      'type: "Python" python_param { module: "digits_python_layers" layer: "SquareLayer" }',
    ]) {
      using made = await withLayers(files, () => Net.create(net(layer), { engine: 'js' }))
      const { own } = await made.forward({ data: new Float32Array(32).fill(3) })
      expect([...own.data]).toEqual(new Array(32).fill(9))
    }
    expect(layerTypes()).toEqual(before)
    await expect(Net.create(net('type: "SquareLayer"'), { engine: 'js' })).rejects.toThrow(/unknown type/)
  })

  test('the same text gives the same classes, another one others; nets that stand keep theirs', async () => {
    const first = await importLayerFiles({ 'square.ts': square(2) })
    expect(await importLayerFiles({ 'square.ts': square(2) })).toBe(first)
    expect(await importLayerFiles({ 'square.ts': square(3) })).not.toBe(first)
  })

  test('tasks with layers of one name have their turns', async () => {
    const seen = await Promise.all(
      [2, 3, 2].map(factor =>
        withLayers({ 'square.ts': square(factor) }, async () => {
          await new Promise(resolve => setTimeout(resolve, 5))
          using made = await Net.create(net('type: "SquareLayer"'), { engine: 'js' })
          return String(made.layers[1].backward)
        }),
      ),
    )
    expect(seen.map(text => /\d \* x/.exec(text)?.[0])).toEqual(['2 * x', '3 * x', '2 * x'])
  })

  test('import from each other, in any order and form', async () => {
    const base = 'export const least = 0.5\nexport default function twice(x: number): number { return 2 * x }\n'
    const user = square(2).replace(
      "from 'ristretto'",
      "from 'ristretto'\nimport twice, { least } from './a_base.js'\nexport { least }\nexport const four = twice(2)",
    )
    const modules = await importLayerFiles({ 'z.ts': user, 'a_base.ts': base })
    expect(Object.keys(modules['z.ts'])).toEqual(['SquareLayer'])
    expect(modules['a_base.ts']).toEqual({})
  })

  test('plain JavaScript, and a class that is the default', async () => {
    const source = `import { Layer } from 'ristretto'\nexport default class Plain extends Layer { reshape(b, t) { t[0].reshapeLike(b[0]) } forward() {} }`
    expect(Object.keys((await importLayerFiles({ 'plain.js': source }))['plain.js'])).toEqual(['Plain'])
  })
})

describe('What is wrong with them has its line and column', () => {
  const error = (files: Record<string, string>) =>
    importLayerFiles(files).then(
      () => undefined,
      error => error,
    )

  test.each([
    ['a mistake of grammar', 'const x = 1\nlet y = ;\n', { line: 2, column: 9, message: /Unexpected token/ }],
    [
      'what the compiler lets pass and the engine does not',
      'export {}\nconst x = 1\nconst x = 2\n',
      { message: /SyntaxError.*already been declared/ },
    ],
    [
      'what fails when it is run',
      "import 'ristretto'\n\n  missing()\n",
      { line: 3, column: 3, message: /ReferenceError: missing is not defined/ },
    ],
    [
      'an import of something else',
      "import 'node:fs'\n",
      { line: 1, message: /imports 'node:fs': layers import from 'ristretto', and from nothing else/ },
    ],
  ])('%s', async (_, source, { message, ...place }) => {
    const found = await error({ 'a.ts': source })
    expect(found).toBeInstanceOf(ristretto.FormatError)
    expect(found).toMatchObject({ file: 'a.ts', ...place })
    expect(found.message).toMatch(message)
  })

  test('names of files that lead elsewhere are refused', async () => {
    for (const name of ['../a.ts', 'a/b.ts', 'a.txt', ''])
      expect(await error({ [name]: '' })).toBeInstanceOf(ristretto.FormatError)
  })
})

describe('The check', () => {
  test('passes a right layer with its derivatives counted', async () => {
    const { marks, layers } = await checkLayerFiles({ 'square.ts': square(2) })
    expect(marks).toEqual([])
    expect(layers).toMatchObject([{ type: 'SquareLayer', file: 'square.ts', verdict: 'passed', derivatives: 14400 }])
  })

  test('says which derivative of a wrong one differs, and how to say that it is meant to', async () => {
    const { layers } = await checkLayerFiles({ 'square.ts': square(3) })
    expect(layers).toMatchObject([{ verdict: 'failed' }])
    expect(layers[0].message).toMatch(/∂top\[0\].*by backward.*static readonly gradient = 'on purpose'/)
  })

  test('takes the word of a class that passes its gradient whole, on purpose', async () => {
    const { layers } = await checkLayerFiles({ 'blank_square.ts': blankSquare })
    expect(layers).toMatchObject([{ type: 'BlankSquareLayer', verdict: 'on purpose', derivatives: 0 }])
    const silent = blankSquare.replace(/^.*static override readonly gradient.*$/m, '')
    expect((await checkLayerFiles({ 'blank_square.ts': silent })).layers).toMatchObject([{ verdict: 'failed' }])
  })

  test('gives losses a pair of rows, labels where these do not fit, and says when there is no backward pass', async () => {
    const read = (name: string) => readFileSync(`docs/examples/custom-layer/${name}`, 'utf8')
    const { layers } = await checkLayerFiles({ 'euclidean_loss.ts': read('euclidean_loss.ts') })
    expect(layers).toMatchObject([{ type: 'EuclideanLossLayer', verdict: 'passed' }])
    const still = square(2).replace(/ {2}override backward[\s\S]*?\n {2}\}\n/, '')
    expect((await checkLayerFiles({ 'still.ts': still })).layers).toMatchObject([{ verdict: 'none', derivatives: 0 }])
  })

  test('marks errors of compiling, and files without layers', async () => {
    expect(await checkLayerFiles({ 'a.ts': 'let = 3 +' })).toMatchObject({
      marks: [{ severity: 'error', file: 'a.ts', line: 1 }],
      layers: [],
    })
    expect((await checkLayerFiles({ 'a.ts': 'export const a = 1' })).marks).toMatchObject([
      { severity: 'warning', file: 'a.ts' },
    ])
  })
})

test("under Node's permission model layers are compiled and run, and reach neither files nor programs", async () => {
  const program = await bundled('test/studio/jobs/confined_child.ts')
  const reaching = square(2).replace(
    'export class',
    "const { readFileSync } = process.getBuiltinModule('node:fs')\nreadFileSync('/etc/hostname')\nexport class",
  )
  const flag = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission'
  const run = (files: Record<string, string>) =>
    new Promise<{ layers: { verdict: string }[]; marks: { message: string; line: number }[] }>((resolve, reject) => {
      const args = [flag, `--allow-fs-read=${process.cwd()}/*`, program, JSON.stringify(files)]
      execFile(process.execPath, args, (error, stdout) => (error ? reject(error) : resolve(JSON.parse(stdout))))
    })
  expect((await run({ 'square.ts': square(2) })).layers).toMatchObject([{ verdict: 'passed' }])
  const { marks } = await run({ 'square.ts': reaching })
  expect(marks).toMatchObject([{ line: 4 }])
  expect(marks[0].message).toMatch(/Access to this API has been restricted/)
}, 60_000)
