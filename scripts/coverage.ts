/**
 * docs/coverage.md: which layer was checked how, on which engine, from a run of the tests. `--check` fails if the
 * committed page differs. A run that was made already is taken by vitest's JSON report and by what it left in the file
 * that RISTRETTO_COVERAGE named.
 *   npx tsx scripts/coverage.ts [--check] [<report> <checks>]
 * `--forks` writes anew only what is there of forks, without the tests.
 *   npx tsx scripts/coverage.ts --forks
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { forkFields, forkTypes as forks } from '../lib/proto/forks.js'
import { layerTypes } from '../lib/registry.js'
import { hostEngines } from '../test/engines.js'
import { forkTypes } from '../test/golden.js'
import type { CheckRecord } from './layer_coverage/testing.js'

/** One test of a finished run. */
export interface TestRecord {
  /** Relative to the project. */
  readonly file: string
  /** The describes it stands in, and its own name last. */
  readonly path: readonly string[]
  readonly passed: boolean
}

/** Layers that no gradient passes through, and why. */
export const withoutGradient: Record<string, string> = {
  Accuracy: 'counts',
  ArgMax: 'gives places',
  Data: 'source',
  DummyData: 'source',
  HDF5Data: 'source',
  HDF5Output: 'sink',
  ImageData: 'source',
  Input: 'source',
  MemoryData: 'source',
  Silence: 'sink',
  Threshold: 'a step',
  WindowData: 'source',
}

/** Layers whose gradient is checked another way than with differences. */
const otherGradient: Record<string, string> = {
  Parameter: 'shares the param’s',
  Python: 'the layer author’s',
}

const root = fileURLToPath(new URL('..', import.meta.url))
const page = join(root, 'docs/coverage.md')
const golden = (path: string) => JSON.parse(readFileSync(join(root, 'test/golden', path), 'utf8'))

/** Names of golden cases that are not in layers/<type>.json: data layers read files, Python layers are programs. */
export function otherCases(type: string): { file: string; name: string }[] {
  const sources = (golden('io/io.json').sources as { name: string; prototxt: string }[])
    .filter(({ prototxt }) => new RegExp(`type: "${type}"`).test(prototxt))
    .map(({ name }) => ({ file: 'test/data/sources.test.ts', name }))
  const others: Record<string, { file: string; name: string }[]> = {
    HDF5Output: [{ file: 'test/data/hdf5.test.ts', name: 'writes the datasets that Caffe writes' }],
    MemoryData: [
      { file: 'test/data/memory_data.test.ts', name: 'hands out what the program gave it, in Caffe’s shapes' },
    ],
    Python: ['blank_square', 'onehot_euclid', 'triplet'].map(name => ({
      file: `test/walkthroughs/${name}.test.ts`,
      name: '',
    })),
  }
  return [...sources, ...(others[type] ?? [])]
}

interface Cell {
  passed: number
  total: number
}

/** Golden cases of a type on an engine. Tests that name no engine hold for all of them. */
export function goldenCell(type: string, engine: string, tests: readonly TestRecord[]): Cell {
  const file = `layers/${type}.json`
  if (existsSync(join(root, 'test/golden', file))) {
    const names = (golden(file).cases as { name: string }[]).map(c => c.name)
    const group = `${type} on ${engine}`
    const passed = names.filter(name => tests.some(t => t.passed && t.path.at(-2) === group && t.path.at(-1) === name))
    return { passed: passed.length, total: names.length }
  }
  const cases = otherCases(type)
  const others = hostEngines.filter(other => other !== engine)
  const passed = cases.filter(({ file, name }) => {
    const found = tests.filter(t => t.file === file && (name === '' || t.path.at(-1) === name))
    const here = found.filter(t => !others.some(other => new RegExp(`\\b${other}\\b`).test(t.path.join(' '))))
    return here.length > 0 && here.every(t => t.passed)
  })
  return { passed: passed.length, total: cases.length }
}

/** The page, from what a run left behind. */
export function render(tests: readonly TestRecord[], checks: readonly CheckRecord[], engines = hostEngines): string {
  const types = layerTypes().filter(type => !forkTypes().has(type))
  const cells = types.map(type => engines.map(engine => goldenCell(type, engine, tests)))
  const gradient = (type: string, engine: string) => {
    const made = checks.filter(check => check.type === type && check.engine === engine)
    if (made.some(check => check.compared > 0)) return 'yes'
    if (withoutGradient[type]) return `none needed (${withoutGradient[type]})`
    return otherGradient[type] ?? '**no**'
  }
  const show = ({ passed, total }: Cell) =>
    total === 0 ? 'none recorded' : passed === total ? `${passed}` : `**${passed} of ${total}**`
  const rows = types.map((type, i) => [
    type,
    ...engines.flatMap((engine, k) => [show(cells[i][k]), gradient(type, engine)]),
  ])
  const table = [
    ['Layer', ...engines.flatMap(engine => [`${engine}: golden`, `${engine}: gradient`])],
    ['---', ...engines.flatMap(() => ['---:', '---'])],
    ...rows,
  ]
  const sums = engines.map((engine, k) => {
    const sum = (part: keyof Cell) => cells.reduce((n, row) => n + row[k][part], 0)
    const gradients = types.filter(type => gradient(type, engine) === 'yes').length
    return `- **${engine}**: ${sum('passed')} of ${sum('total')} golden cases, ${gradients} layer types with checked gradients`
  })
  return `# What is checked

Made by \`npx tsx scripts/coverage.ts\` from a run of the tests; \`--check\` fails when this page is out of date.

*Golden*: how many cases recorded from BVLC Caffe 1.0 pass, values and gradients within their tolerances (see test/golden/README.md).
Data layers are plain host code, so their cases hold for every engine. *Gradient*: \`checkLayer\` of \`ristretto/testing\` has compared
the layer's results and gradients on this engine with double precision, and those with differences of the forward pass.

${types.length} layer types:

${sums.join('\n')}

${table.map(row => `| ${row.join(' | ')} |`).join('\n')}

${forksSection()}`
}

/** What of the forks is here and what is not, from the list in lib/proto/forks.ts. */
export function forksSection(): string {
  const there = new Set(layerTypes())
  const rows = [...forks].map(([type, { fork, does }]) => [type, fork, does, there.has(type) ? 'yes' : '**no**'])
  const missing = [...forkFields].filter(([, { reads }]) => reads.length === 0)
  return `## Layers of forks

What \`ristretto check\` knows of them. A type that is not here is refused with its fork, and taken from a program by \`registerLayer\`.

| Type | Fork | It | Here |
| --- | --- | --- | --- |
${rows.map(row => `| ${row.join(' | ')} |`).join('\n')}

Fields that are not understood, and refused unless they have the value that changes nothing:

| Field | Fork | It | Changes nothing |
| --- | --- | --- | --- |
${missing.map(([path, { fork, does, harmless }]) => `| ${path} | ${fork} | ${does} | ${harmless ?? ''} |`).join('\n')}

## Public nets

\`npx tsx scripts/zoo.ts FOLDER\` makes every net of a folder, and runs those that fit. Of 138 files of seven public repositories (BVLC/caffe,
cvjena/cnn-models, daijifeng001/R-FCN, eric612/MobileNet-YOLO, happynear/caffe-windows, rbgirshick/py-faster-rcnn, soeaver/caffe-model) all are read; of their
124 nets 123 are made, and run with batches of two at most: 121 forward finite, and of 46 with a loss 46 backward. What is not made, or not finite:

| Net | Why |
| --- | --- |
${publicNets.map(row => `| ${row.join(' | ')} |`).join('\n')}

Of the 980 nets of 36 repositories that were looked through whole 862 are made, and every prototxt is read but templates, in which words stand for numbers. What keeps
the others from it:

| What is missing | Nets | Of |
| --- | ---: | --- |
${refused.map(row => `| ${row.join(' | ')} |`).join('\n')}
`
}

const publicNets: readonly (readonly [net: string, why: string])[] = [
  [
    'happynear/caffe-windows: test/inner_distance_layer',
    "InnerDistance, which the fork's own tests alone have, is not here",
  ],
  [
    'eric612/MobileNet-YOLO: benchmark/yolov3_lite_deploy_inference',
    'made, and not finite without its weights: its BatchNorm layers are folded into convolutions, so that values drawn at random grow until the size of a box is e to the power of some hundred',
  ],
  [
    'eric612/MobileNet-YOLO: mobilenetv2_voc/yolo_lite/yolov3_lite_deploy_pruned',
    'made, and not finite without its weights: a Yolov3 output, too; where it leaves the finite numbers was not traced',
  ],
  [
    'soeaver/caffe-model: det/faster_rcnn, rcnn_deploy_faster_voc_dpn92-merge',
    'made; its 300 regions take 4.5 GB, more than WebAssembly has: finite with 100 of them',
  ],
]

/** Kinds of nets that are refused. */
const refused: readonly (readonly [what: string, nets: number, repository: string])[] = [
  [
    'BoxOutput, DetectionLoss, DetectionAccuracy, ProposalTarget, BboxAccuracy, DecodeBBox; `pad_ratio` of ROIPooling',
    69,
    'zhaoweicai/mscnn',
  ],
  ['`bn_stats_batch_size`', 10, 'intel/caffe'],
  [
    'Python layers that are the program’s own, with them DetectNetTransformation',
    8,
    'CongWeilin/mtcnn-caffe, NVIDIA/caffe, sanghoon/pva-faster-rcnn',
  ],
  [
    'labels that are maps of the size of the net (CPMData): `--shape` says them',
    4,
    'CMU-Perceptual-Computing-Lab/openpose_train',
  ],
  ['sequences of a number that only a Reshape says: `--shape` says it', 4, 'intel/caffe'],
  ['HoleConvolution; a BN with `decay` and four blobs', 4, 'yangguorun/SegStereo'],
  ['MultiStageMeanfield', 4, 'torrvision/crfasrnn'],
  ['TRT', 1, 'NVIDIA/caffe'],
  ['Gather, which there is a layer of this library', 2, 'yjxiong/caffe'],
  ['`multinode`', 2, 'intel/caffe'],
  ['AssistedExcitation', 1, 'eric612/MobileNet-YOLO'],
  ['`per_fla_fuse` of Concat', 1, 'intel/caffe'],
  ['nets that Caffe would refuse, and others one by one', 8, 'several'],
]

/** Rooms whose tests count. */
const rooms = ['test/layers', 'test/data', 'test/walkthroughs']
const counts = (file: string): boolean => rooms.some(room => file.startsWith(`${room}/`))
const fromRoot = (file: string): string => relative(root, file).replaceAll('\\', '/')

/** The page, from what a run of the tests left behind. */
function pageOf(report: string, checks: string): string {
  const made = readFileSync(checks, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line) as CheckRecord)
  const tests = testsOf(JSON.parse(readFileSync(report, 'utf8')))
  return render(
    tests.filter(({ file }) => counts(file)),
    made.filter(({ file }) => counts(fromRoot(file))),
  )
}

/** Run the tests of layers. */
function measure(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ristretto-coverage-'))
  try {
    const files = ['results.json', 'checks.jsonl'].map(file => join(folder, file))
    writeFileSync(files[1], '')
    spawnSync(process.execPath, ['--import', 'tsx', 'scripts/generate.ts'], { cwd: root })
    const run = spawnSync('npx', ['vitest', 'run', '--reporter=json', '--outputFile', files[0], ...rooms], {
      cwd: root,
      env: { ...process.env, RISTRETTO_COVERAGE: files[1] },
      encoding: 'utf8',
      shell: process.platform === 'win32',
    })
    if (!existsSync(files[0])) throw new Error(`the tests did not run:\n${run.stdout}\n${run.stderr}`)
    return pageOf(files[0], files[1])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Results {
  testResults: { name: string; assertionResults: { ancestorTitles: string[]; title: string; status: string }[] }[]
}

const testsOf = ({ testResults }: Results): TestRecord[] =>
  testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ ancestorTitles, title, status }) => ({
      file: fromRoot(name),
      path: [...ancestorTitles.filter(Boolean), title],
      passed: status === 'passed',
    })),
  )

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  if (process.argv.includes('--forks')) {
    const old = readFileSync(page, 'utf8').split('\n## Layers of forks')[0].trimEnd()
    writeFileSync(page, `${old}\n\n${forksSection()}`)
    process.exit()
  }
  const [report, checks] = process.argv.slice(2).filter(argument => !argument.startsWith('--'))
  const text = checks === undefined ? measure() : pageOf(report, checks)
  if (!process.argv.includes('--check')) {
    writeFileSync(page, text)
    console.log('docs/coverage.md written')
  } else if (!existsSync(page) || readFileSync(page, 'utf8') !== text) {
    console.error('docs/coverage.md is out of date: npx tsx scripts/coverage.ts')
    process.exitCode = 1
  }
}
