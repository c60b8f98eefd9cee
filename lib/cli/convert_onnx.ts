import { InvalidArgumentError } from 'commander'
import { RistrettoError } from '../errors.js'
import type { NetParameter } from '../generated/caffe.js'
import { Net } from '../net.js'
import type { ImportOptions } from '../onnx/import_options.js'
import { readOnnx } from '../onnx/open.js'
import type { OnnxModel } from '../onnx/read_net.js'
import { printNet } from '../proto/print.js'
import { writeMessage } from '../proto/wire.js'
import { printable } from '../system/escape.js'
import { listNames } from '../system/names.js'
import { writeFilesSafely } from '../system/write_file.js'
import { checkWritten, difference, drawnInputs } from './convert_check.js'
import { mustExist } from './input_file.js'
import { type Output, print, resultFile, warn } from './output.js'

/** What is said of a model that becomes a net. */
export interface FromOnnxOptions {
  shape?: Record<string, number[]>
  dim?: Record<string, number>
  constant?: Record<string, number[]>
  freeze?: string[]
  frozenBatchNorm?: boolean
  strictCaffe?: boolean
  check: boolean
}

/** name=8, added to those before. */
export function dim(text: string, before: Record<string, number> = {}): Record<string, number> {
  const [, name, size] = /^(.+)=(\d+)$/s.exec(text) ?? []
  if (name === undefined) throw new InvalidArgumentError('It must be a name, = and a size.')
  return { ...before, [name]: Number(size) }
}

/** name=16000 or name=1,2,3, added to those before. */
export function constant(text: string, before: Record<string, number[]> = {}): Record<string, number[]> {
  const [, name, list] = /^(.+)=([^=]+)$/s.exec(text) ?? []
  const values = list?.split(',').map(Number) ?? []
  if (name === undefined || values.some(Number.isNaN))
    throw new InvalidArgumentError('It must be a name, = and numbers with commas between them.')
  return { ...before, [name]: values }
}

/** An ONNX model as a prototxt, and its weights beside it. */
export async function convertFromOnnx(
  files: readonly string[],
  options: FromOnnxOptions,
  output: Output,
): Promise<void> {
  const [model, prototxt, weights] = files
  if (files.length !== 3 || !/\.prototxt$/i.test(prototxt) || !/\.caffemodel$/i.test(weights))
    throw new RistrettoError(
      `convert turns a model into a net and its weights: ristretto convert ${model} deploy.prototxt net.caffemodel`,
    )
  await mustExist(model)
  for (const file of [prototxt, weights]) await resultFile(output, file)
  const { shape, dim, constant, freeze, frozenBatchNorm, strictCaffe } = options
  const chosen: ImportOptions = {
    ...(shape && { shapes: shape }),
    ...(dim && { dims: dim }),
    ...(constant && { constants: constant }),
    ...(freeze && { freeze }),
    ...(frozenBatchNorm && { batchNorm: 'frozen' }),
  }
  const read = await readOnnx(model, chosen)
  const { net, report } = read
  const own = report.ownLayers.join(', ')
  if (own && strictCaffe)
    throw new RistrettoError(`${model}: Caffe itself has none of ${own}; --strict-caffe asks for it`)
  const bytes = writeMessage('NetParameter', net)
  await writeFilesSafely([
    [prototxt, new TextEncoder().encode(`${headOf(read)}${printNet(withoutWeights(net))}`)],
    [weights, bytes],
  ])
  const folded = Object.values(report.folded).reduce((a, b) => a + b, 0)
  print(output, `${prototxt}: ${net.layer?.length} layers, ${folded} nodes were computed`)
  print(output, `${weights}: ${(bytes.length / 1e6).toFixed(2)} MB`)
  if (own) warn(output, `Caffe itself has none of ${own}`)
  const shared = Object.entries(report.shared).map(([param, layers]) => `'${param}' (${listNames(layers)})`)
  if (shared.length)
    warn(
      output,
      `layers share params, and learn them as one: ${listNames(shared)}. Where that is not meant, an exporter wrote equal constants once: take the names out of ${prototxt}`,
    )
  if (options.check) await checkWritten(prototxt, 'the model', output, () => compared(net, prototxt, weights))
}

/** The largest difference between the net that the model is, by plain loops, and what stands in the two files. */
async function compared(net: NetParameter, prototxt: string, weights: string): Promise<number> {
  const common = { phase: 'TEST', seed: 1 } as const
  const made = await Net.create(net, { ...common, engine: 'js' })
  try {
    const read = await Net.create(prototxt, { ...common, weights })
    try {
      const values = drawnInputs(made)
      const [expected, got] = [await made.forward(values), await read.forward(values)]
      return Math.max(0, ...made.outputs.map(name => difference(got[name].data, expected[name].data)))
    } finally {
      read.dispose()
    }
  } finally {
    made.dispose()
  }
}

/** What the author of the model wrote beside the graph, as comments. */
const headOf = ({ metadata }: OnnxModel): string =>
  [...metadata].map(([key, value]) => `# onnx: ${printable(`${key} = ${value}`)}\n`).join('')

const withoutWeights = (net: NetParameter): NetParameter => ({
  ...net,
  layer: net.layer?.map(({ blobs: _, ...layer }) => layer),
})
