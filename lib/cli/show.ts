import type { Command } from 'commander'
import { RistrettoError } from '../errors.js'
import type { NetNode } from '../net/node.js'
import type { Statistics } from '../net/statistics.js'
import type { Net } from '../net.js'
import { g6 } from '../system/format.js'
import { didYouMean, listNames } from '../system/names.js'
import { writeFileSafely } from '../system/write_file.js'
import { encodeLayerPicture, type LayerPicture, layerPicture } from '../tools/layer_picture.js'
import { isArchiveFile, loadArchive } from './archive_file.js'
import { loadFiles } from './classify.js'
import { addGpuSwitch } from './gpu_flag.js'
import { mustExist } from './input_file.js'
import { addRunOptions, addStateOptions, type RunOptions, registerLayers, type StateOptions, whole } from './options.js'
import { type Output, print, printJson, resultFile } from './output.js'
import { tableLines } from './table.js'

interface ShowOptions extends RunOptions, StateOptions {
  layer?: string
  image?: string
  param: number
  eachPlane?: boolean
  output?: string
  json?: boolean
  trust?: boolean
}

export function addShow(program: Command, output: Output): void {
  const command = program
    .command('show')
    .description('What a net sees: filters of a layer, or what its layers make of a picture, with statistics.')
    .argument('<model>', 'an archive (model.zip), or a prototxt with the weights behind it')
    .argument('[weights]', '.caffemodel')
    .option('--layer <name>', 'the layer to show (default: a table of all)')
    .option('--image <file>', 'show what the layers give for this picture instead of weights')
    .option('--param <k>', 'which weights of the layer: 0 are those proper, 1 the bias', whole(0), 0)
    .option('--each-plane', 'black to white over each plane by itself instead of over all')
    .option('--output <file>', 'write the picture as a PNG file')
    .option('--json', 'print the statistics as JSON')
    .option('--trust', 'run the custom layers that the archive holds: they are programs')
  addStateOptions(command)
  addGpuSwitch(addRunOptions(command)).action((model, weights: string | undefined, options: ShowOptions) => {
    if (options.output !== undefined && options.layer === undefined)
      command.error('error: --output draws one layer: --layer names it')
    return show(model, weights, options, output)
  })
  command.addHelpText(
    'after',
    `
Examples:
  ristretto show model.zip --layer conv1 --output filters.png
  ristretto show model.zip --image cat.jpg
  ristretto show deploy.prototxt net.caffemodel --layer conv1 --image cat.jpg --output conv1.png`,
  )
}

/** Values with a name: the weights of a layer, or what it gave. */
interface Shown {
  readonly layer: string
  readonly type: string
  readonly blob: string
  readonly shape: readonly number[]
  readonly picture: LayerPicture
}

async function show(model: string, weights: string | undefined, options: ShowOptions, output: Output): Promise<void> {
  const { layer, image, json } = options
  if (options.output !== undefined) {
    if (!/\.png$/i.test(options.output)) throw new RistrettoError(`--output writes .png files, not '${options.output}'`)
    await resultFile(output, options.output)
  }
  await registerLayers(options, output)
  await mustExist(model)
  if (image !== undefined) await mustExist(image)
  const net = await open(model, weights, options, output)
  try {
    const nodes = layer === undefined ? written(net) : [named(net, layer)]
    const shown = image === undefined ? weightsOf(net, nodes, options) : await activationsOf(net, nodes, image, options)
    if (options.output !== undefined) await writeFileSafely(options.output, await encodeLayerPicture(shown[0].picture))
    if (json) {
      printJson(
        output,
        shown.map(({ picture, ...rest }) => ({ ...rest, ...picture.statistics })),
      )
      return
    }
    for (const line of tableLines([HEAD, ...shown.map(row)], 3)) print(output, line)
    if (options.output === undefined) return
    const { width, height, plane } = shown[0].picture
    print(output, `${options.output}: ${plane.count} × ${plane.width}×${plane.height}, ${width}×${height} pixels`)
  } finally {
    net.dispose()
  }
}

async function open(model: string, weights: string | undefined, options: ShowOptions, output: Output): Promise<Net> {
  if (await isArchiveFile(model)) {
    if (weights !== undefined)
      throw new RistrettoError(`${model} is an archive and has its weights: leave out ${weights}`)
    return loadArchive(model, options, output)
  }
  if (weights === undefined) throw new RistrettoError(`which weights? A .caffemodel follows ${model}`)
  return loadFiles(model, weights, options, output)
}

/** The layers as the prototxt has them: without the splits that come between. */
const written = (net: Net): NetNode[] => {
  const names = new Set(net.built.filtered.layer?.map(({ name }) => name))
  return net.built.nodes.filter(({ name }) => names.has(name))
}

function named(net: Net, layer: string): NetNode {
  const nodes = written(net)
  const node = nodes.find(({ key }) => key === layer)
  if (node) return node
  const known = nodes.map(({ key }) => key)
  throw new RistrettoError(
    `net '${net.name}' has no layer '${layer}'${didYouMean(layer, known)}; its layers are ${listNames(known)}`,
  )
}

function weightsOf(net: Net, nodes: readonly NetNode[], { layer, param, eachPlane }: ShowOptions): Shown[] {
  const shown = nodes.flatMap(({ key, layer }) => {
    const blob = layer.blobs[param]
    if (!blob) return []
    const picture = layerPicture(blob, { weights: true, eachPlane })
    return [{ layer: key, type: layer.type, blob: `param ${param}`, shape: blob.shape, picture }]
  })
  if (shown.length) return shown
  throw new RistrettoError(
    layer === undefined
      ? `no layer of net '${net.name}' has a param ${param}`
      : `layer '${layer}' (${nodes[0].layer.type}) has ${nodes[0].layer.blobs.length || 'no'} params${nodes[0].layer.blobs.length ? `: --param is 0 to ${nodes[0].layer.blobs.length - 1}` : '; --image shows what it gives'}`,
  )
}

/** One pass, and every layer's first top. A layer in place shows what the last one in its place left. */
async function activationsOf(
  net: Net,
  nodes: readonly NetNode[],
  image: string,
  { eachPlane }: ShowOptions,
): Promise<Shown[]> {
  await net.predict([image], { batch: 1 })
  const shown: Shown[] = []
  for (const { key, layer, top } of nodes) {
    const blob = top[0]
    // inputs have their own batch again
    if (!blob || net.inputs.includes(blob.name)) continue
    await blob.pull()
    const picture = layerPicture(blob, { eachPlane })
    shown.push({ layer: key, type: layer.type, blob: blob.name, shape: blob.shape, picture })
  }
  if (!shown.length)
    throw new RistrettoError(
      `layer '${nodes[0]?.key}' (${nodes[0]?.layer.type}) computes nothing from the picture that could be shown: --layer names one that does`,
    )
  return shown
}

const HEAD = ['layer', 'type', 'blob', 'shape', 'mean', 'std', 'min', 'max', 'histogram']

const row = ({ layer, type, blob, shape, picture }: Shown): string[] => {
  const { mean, std, min, max } = picture.statistics
  return [layer, type, blob, shape.join('×'), ...[mean, std, min, max].map(g6), bars(picture.statistics)]
}

/** The histogram in ten characters. */
function bars({ histogram }: Statistics): string {
  const pairs = Array.from({ length: histogram.length / 2 }, (_, i) => histogram[2 * i] + histogram[2 * i + 1])
  const most = Math.max(1, ...pairs)
  return pairs.map(count => ' ▁▂▃▄▅▆▇█'[Math.ceil((8 * count) / most)]).join('')
}
