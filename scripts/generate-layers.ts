/**
 * The list of layers, and where the class of each is, as lib/registry.ts wants to know it: read off the files of lib/layers and,
 * for Python's, off lib/layers/modules/index.ts. What most nets have comes with every net, the rest when a net names it.
 */
import { readFile } from 'node:fs/promises'
import type TS from 'typescript'
import type { Generated } from './generated.js'
import { type ListedLayer, layerList } from './layer_list.js'

/** The compiler is 9 MB: it is loaded where a list has changed. */
let ts: typeof TS

const LAYERS = 'lib/layers'
const MODULES = 'lib/layers/modules/index.ts'

/**
 * Types that come with every net, and families of those that come together when a net names one. What is in none is in
 * the family `others`.
 */
const FAMILIES: Readonly<Record<string, string>> = {
  common:
    'Accuracy Concat Convolution Dropout Flatten InnerProduct Input Pooling ReLU Softmax SoftmaxWithLoss Split TanH',
  blocks: 'BatchNorm Bias Eltwise EuclideanLoss LRN Power Reshape Scale Sigmoid SigmoidCrossEntropyLoss',
  data: 'AnnotatedData Data DenseImageData DummyData HDF5Data HDF5Output ImageData ImageSegData MemoryData WindowData',
  detection: `BoxAnnotatorOHEM DetectionEvaluate DetectionOutput EvalDetection MultiBoxLoss Normalize Permute PriorBox
    Proposal PSROIPooling RegionLoss Reorg ROIAlign ROIPooling SmoothL1Loss SmoothL1LossOHEM SoftmaxWithLossOHEM
    SegmentationEvaluate YoloDetectionOutput YoloSeg Yolov3 Yolov3DetectionOutput`,
  sequences: `ContinuationIndicator CTCDecoder CTCGreedyDecoder CtcLoss CTCLoss Embed LabelsequenceAccuracy LSTM Lstm LSTMUnit
    Reverse ReverseTime RNN Transpose WarpCTCLoss`,
  maps: `ConvolutionDepthwise Correlation Correlation1D Crop Deconvolution DepthwiseConvolution Downsample Flip FlowWarp
    Im2col Interp Resample ShuffleChannel SPP Upsample UpsampleDarknet`,
  tensors: `Broadcast Gather Gelu GroupNorm InstanceNorm LayerNorm MatMul NonMaxSuppression Padding Recurrence Reduce Resize StridedSlice
    TopK Unary Where`,
}

const familyOf = (type: string): string =>
  Object.keys(FAMILIES).find(family => FAMILIES[family].split(/\s+/).includes(type)) ?? 'others'

const scripts = ['scripts/generate-layers.ts', 'scripts/layer_list.ts']
const sources = [MODULES, ...scripts]
const packages = ['typescript']
const list = await layerList()

/** The list, the table, and one module a family. */
export const layers: readonly Generated[] = [
  {
    name: 'layer_list',
    from: `${LAYERS} by scripts/generate-layers.ts`,
    sources: scripts,
    packages: [],
    options: list,
    make: async () => listModule(),
  },
  {
    name: 'layers',
    from: `${LAYERS} and ${MODULES} by scripts/generate-layers.ts`,
    sources,
    packages,
    options: list,
    make: table,
  },
  ...[...Object.keys(FAMILIES), 'others'].map(family => ({
    name: `layers_${family}`,
    from: `${LAYERS} by scripts/generate-layers.ts`,
    sources: scripts,
    packages: [],
    options: list,
    make: async () => familyModule(family),
  })),
  {
    name: 'layers_modules',
    from: `${MODULES} by scripts/generate-layers.ts`,
    sources,
    packages,
    make: async () => "export { builtInModules as layers } from '../layers/modules/index.js'\n",
  },
]

/** Every class at once, for who cannot wait. */
const listModule = (): string =>
  [
    "import type { LayerClass } from '../layer.js'",
    ...importsOf(list),
    '',
    '/** Prototxt type → class; some classes have two types. */',
    'export const builtInLayers = {',
    ...list.map(({ type, name }) => `  ${type}: ${name},`),
    '} as const satisfies Record<string, LayerClass>',
    '',
  ].join('\n')

const importsOf = (entries: readonly ListedLayer[]): string[] => [
  ...new Set(entries.map(({ name, file }) => `import { ${name} } from '../layers/${file}.js'`)),
]

async function table(): Promise<string> {
  const modules = await read(MODULES, 'builtInModules')
  const all = list.map(({ type }) => type)
  const missing = Object.values(FAMILIES)
    .flatMap(names => names.split(/\s+/))
    .filter(type => !all.includes(type))
  if (missing.length) throw new Error(`${LAYERS} has no ${missing.join(', ')}`)
  const families = [...new Set(all.map(familyOf))].filter(family => family !== 'common')
  return [
    "import type { LayerClass } from '../layer.js'",
    '',
    "export { layers as commonLayers } from './layers_common.js'",
    '',
    '/** Fetches classes of layers, by type. */',
    'type Fetch = () => Promise<Readonly<Record<string, LayerClass>>>',
    '',
    ...families.map(family => `const ${family}: Fetch = () => import('./layers_${family}.js').then(m => m.layers)`),
    '',
    '/** Prototxt type → its family, of what comes when a net names it. */',
    'export const lateLayers: Readonly<Record<string, Fetch>> = {',
    ...all.filter(type => familyOf(type) !== 'common').map(type => `  ${type}: ${familyOf(type)},`),
    '}',
    '',
    '/** Python module → the classes that it has here. */',
    'export const lateModules: Readonly<Record<string, readonly string[]>> = {',
    ...Object.entries(modules as Record<string, Table>).map(
      ([module, classes]) => `  '${module}': ${JSON.stringify(Object.keys(classes))},`,
    ),
    '}',
    '',
    '/** Fetches these: Python module → class → ours. */',
    'export const fetchModules = (): Promise<Readonly<Record<string, Readonly<Record<string, LayerClass>>>>> =>',
    "  import('./layers_modules.js').then(m => m.layers)",
    '',
  ].join('\n')
}

function familyModule(family: string): string {
  const entries = list.filter(({ type }) => familyOf(type) === family)
  return [
    "import type { LayerClass } from '../layer.js'",
    ...importsOf(entries),
    '',
    '/** Prototxt type → class. */',
    'export const layers: Readonly<Record<string, LayerClass>> = {',
    ...entries.map(({ type, name }) => `  ${type}: ${name},`),
    '}',
    '',
  ].join('\n')
}

type Table = { [name: string]: string | Table }

/** A table of a file. */
async function read(file: string, table: string): Promise<Table> {
  ts ??= (await import('typescript')).default
  const text = await readFile(new URL(`../${file}`, import.meta.url), 'utf8')
  for (const statement of ts.createSourceFile(file, text, ts.ScriptTarget.ESNext).statements) {
    if (!ts.isVariableStatement(statement)) continue
    for (const { name, initializer } of statement.declarationList.declarations)
      if (ts.isIdentifier(name) && name.text === table && initializer) return entryOf(initializer, file) as Table
  }
  throw new Error(`${file} declares no table ${table}`)
}

function entryOf(value: TS.Expression, file: string): string | Table {
  if (ts.isAsExpression(value) || ts.isSatisfiesExpression(value)) return entryOf(value.expression, file)
  if (ts.isIdentifier(value)) return value.text
  if (!ts.isObjectLiteralExpression(value)) throw new Error(`${file}: a table holds names of classes`)
  return Object.fromEntries(
    value.properties.map(property => {
      if (ts.isShorthandPropertyAssignment(property)) return [property.name.text, property.name.text]
      if (!ts.isPropertyAssignment(property)) throw new Error(`${file}: an entry is a name and a class`)
      return [(property.name as TS.Identifier | TS.StringLiteral).text, entryOf(property.initializer, file)]
    }),
  )
}
