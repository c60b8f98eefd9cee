import { type Command, InvalidArgumentError, Option } from 'commander'
import { RistrettoError } from '../errors.js'
import { isDeployed } from '../net/deploy_plan.js'
import { Net } from '../net.js'
import type { Dim } from '../onnx/graph.js'
import type { OnnxOptions } from '../onnx/options.js'
import { readGraph } from '../onnx/read.js'
import { createFiles } from '../system/files.js'
import { listNames } from '../system/names.js'
import { writeFileSafely } from '../system/write_file.js'
import { checkWritten, difference, drawnInputs } from './convert_check.js'
import { constant, convertFromOnnx, dim, type FromOnnxOptions } from './convert_onnx.js'
import { mustExist } from './input_file.js'
import { layersOption, list, type RunOptions, registerLayers, whole } from './options.js'
import { type Output, print, resultFile, warn } from './output.js'

interface ConvertOptions extends FromOnnxOptions {
  batch?: 'fixed' | 'dynamic'
  outputBlobs?: string[]
  meta?: Record<string, string>
  keepLosses?: boolean
  sequence?: 'steps' | 'whole'
  opset?: number
  untrained?: boolean
  layers?: string[]
}

export function addConvert(program: Command, output: Output): void {
  program
    .command('convert')
    .description('Turn a net with its weights into an ONNX model, or an ONNX model into a net with its weights.')
    .argument(
      '<files...>',
      'the prototxt of the net, its .caffemodel, and the .onnx to write; or the three the other way round',
    )
    .option('--shape <name=sizes>', 'sizes of an input, the batch first, as in data=1,3,224,224; several add up', shape)
    .addOption(new Option('--batch <kind>', 'to ONNX: for any batch or that of the net').choices(['fixed', 'dynamic']))
    .option('--output-blobs <names>', "to ONNX: the model's outputs, separated by commas (default: the net's)", list)
    .option('--meta <key=value>', 'to ONNX: what the file is to say beside the graph; several add up', pair)
    .option('--keep-losses', 'to ONNX: write the net as it stands, with EuclideanLoss layers and labels')
    .addOption(
      new Option('--sequence <kind>', 'to ONNX: LSTM layers step by step, or as one node for whole sequences').choices([
        'steps',
        'whole',
      ]),
    )
    .option('--opset <n>', "to ONNX: version of ONNX's operators, 13 to 21 (default: 13)", whole(13))
    .option('--untrained', 'to ONNX: without a .caffemodel, write what the fillers draw')
    .option('--no-check', 'do not compare what net and model compute')
    .option('--dim <name=size>', 'from ONNX: the size that the model calls so, as in N=8; several add up', dim)
    .option('--constant <name=values>', 'from ONNX: an input that is to be a constant; several add up', constant)
    .option(
      '--freeze <patterns>',
      "from ONNX: layers that keep their weights, as in 'backbone/*', separated by commas",
      list,
    )
    .option('--frozen-batch-norm', 'from ONNX: BatchNorm layers keep their statistics when the net is trained')
    .option('--strict-caffe', 'from ONNX: refuse what Caffe itself has no layer or field for')
    .addOption(layersOption())
    .action((files: string[], options: ConvertOptions) =>
      files.length > 1 && /\.onnx$/i.test(files[0])
        ? convertFromOnnx(files, options, output)
        : convert(files, options, output),
    )
    .addHelpText(
      'after',
      `
Examples:
  ristretto convert deploy.prototxt net.caffemodel net.onnx
  ristretto convert deploy.prototxt net.caffemodel net.onnx --meta mean=104,117,123 --meta channels=BGR
  ristretto convert net.onnx deploy.prototxt net.caffemodel --shape x=1,3,48,192`,
    )
}

/** key=value, added to those before. */
export function pair(text: string, before: Record<string, string> = {}): Record<string, string> {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? []
  if (key === undefined) throw new InvalidArgumentError('It must be a name, = and a value.')
  return { ...before, [key]: value }
}

/** name=1,3,224,224, added to those before. */
export function shape(text: string, before: Record<string, number[]> = {}): Record<string, number[]> {
  const [, name, sizes] = /^(.+)=(\d+(?:,\d+)*)$/s.exec(text) ?? []
  if (name === undefined) throw new InvalidArgumentError('It must be a name, = and sizes with commas between them.')
  return { ...before, [name]: sizes.split(',').map(Number) }
}

async function convert(files: readonly string[], options: ConvertOptions, output: Output): Promise<void> {
  const file = files[files.length - 1]
  if (files.length < 2 || files.length > 3 || !/\.onnx$/i.test(file))
    throw new RistrettoError(
      `convert takes a prototxt, its .caffemodel, and last the .onnx to write: ristretto convert deploy.prototxt net.caffemodel net.onnx`,
    )
  const [model, weights] = files.slice(0, -1)
  await mustExist(model)
  if (weights !== undefined) await mustExist(weights)
  await resultFile(output, file)
  await registerLayers({ layers: options.layers } as RunOptions, output)
  const net = await trained(model, weights, options, output)
  try {
    await write(net, file, options, output)
  } finally {
    net.dispose()
  }
}

/** The net as an ONNX file, and what is in it. */
async function write(net: Net, file: string, options: ConvertOptions, output: Output): Promise<void> {
  const onnx: OnnxOptions = {
    batch: options.batch,
    outputs: options.outputBlobs,
    metadata: options.meta,
    losses: options.keepLosses,
    sequence: options.sequence,
    opset: options.opset,
  }
  const bytes = await net.toBytes({ format: 'onnx', ...onnx })
  await writeFileSafely(file, bytes)
  const { nodes, opset, inputs, outputs } = await readGraph(bytes)
  const shown = (values: typeof inputs): string =>
    values.map(({ name, shape }) => `${name} ${shapeOf(shape)}`).join(', ')
  print(output, `${file}: ${nodes.length} nodes of opset ${opset}, ${(bytes.length / 1e6).toFixed(2)} MB`)
  print(output, `${shown(inputs)} → ${shown(outputs)}`)
  if (options.check) await checkWritten(file, 'the net', output, () => compared(net, bytes))
}

/** The largest difference between model and net, from the same numbers. */
async function compared(net: Net, bytes: Uint8Array): Promise<number> {
  const values = drawnInputs(net)
  const { inputs } = await readGraph(bytes)
  const shapes = inputs.flatMap(({ name }) => (net.inputs.includes(name) ? [[name, net.blobs[name].shape]] : []))
  const back = await Net.create(bytes, { seed: 1, shapes: Object.fromEntries(shapes) })
  try {
    const { blobs: made } = back
    const blobOf = (name: string): string => (net.blobs[name] ? name : name.replace(/_out$/, ''))
    const blobs = back.outputs.map(blobOf).filter(name => net.blobs[name])
    const expected = await net.forward(values, { blobs })
    const feeds = back.inputs.map(name => [name, values[name] ?? new Float32Array(made[name].count)])
    const got = await back.forward(Object.fromEntries(feeds))
    const shares = back.outputs.flatMap(name =>
      expected[blobOf(name)] ? [difference(got[name].data, expected[blobOf(name)].data)] : [],
    )
    return Math.max(0, ...shares)
  } finally {
    back.dispose()
  }
}

const shapeOf = (shape: readonly Dim[] = []): string => `[${shape.map(size => size ?? '?').join(', ')}]`

/** The net that is used, with its weights: all of them. */
async function trained(
  model: string,
  weights: string | undefined,
  { keepLosses, untrained, shape: given = {} }: ConvertOptions,
  output: Output,
): Promise<Net> {
  const files = createFiles()
  const param = await Net.read(model, files)
  const log = (line: string): void => {
    if (line.startsWith('The ONNX file')) warn(output, line)
  }
  const common = { near: files.near(model), log, seed: 1 }
  const net =
    keepLosses || (await isDeployed(param))
      ? await Net.create(param, { ...common, phase: 'TEST' })
      : await Net.deploy(param, {
          ...common,
          shapes: Object.fromEntries(Object.entries(given).map(([name, [, ...item]]) => [name, item])),
          ...(weights !== undefined && { weights }),
        })
  try {
    for (const [name, sizes] of Object.entries(given)) {
      if (!net.inputs.includes(name))
        throw new RistrettoError(`--shape ${name}: the net has no such input; it has ${listNames(net.inputs)}`)
      net.blob(name).reshape(sizes)
    }
    net.reshape()
    if (weights === undefined) {
      const learning = Object.keys(net.params)
      if (learning.length && !untrained)
        throw new RistrettoError(
          `which weights? ${listNames(learning)} of ${model} would get what their fillers draw: give the .caffemodel after the prototxt, or --untrained if that is meant`,
        )
      if (learning.length) warn(output, 'No weights are given: the model gets those of the fillers')
    } else {
      const { missing } = await net.copyFrom(weights)
      if (missing.length) throw new RistrettoError(`${weights} has no weights for ${listNames(missing)}`)
    }
    return net
  } catch (error) {
    net.dispose()
    throw error
  }
}
