/** A net as the bytes of an ONNX file: what net.save and net.toBytes call. */
import { createEngine } from '../engines/index.js'
import { RistrettoError } from '../errors.js'
import type { NetParameter } from '../generated/caffe.js'
import { buildNet } from '../net/build.js'
import type { DeployNetOptions } from '../net/deploy_net.js'
import { deployCopy, type Usable } from '../net/deployed.js'
import { insertSplits } from '../net/graph.js'
import type { BuiltNet } from '../net/node.js'
import { needsDeploy } from '../net/predict.js'
import { classOf } from '../registry.js'
import { anyBatch } from './batch.js'
import { exportNet } from './export.js'
import type { Graph } from './graph.js'
import type { OnnxOptions } from './options.js'
import { writeGraph } from './write.js'

/**
 * The ONNX file of a net, with its weights as they are: of its deploy net, if it is none itself. A note goes to the net's
 * log where the batch stays fixed. One NetError lists every layer that has no ONNX form.
 */
export async function onnxOf<N extends Usable>(
  net: N,
  { losses = false, batch, ...options }: OnnxOptions,
  deploy: (param: NetParameter, options: DeployNetOptions) => Promise<N>,
): Promise<Uint8Array<ArrayBuffer>> {
  if (losses && net.built.phase === 'TRAIN')
    throw new RistrettoError(
      `net '${net.name}' is of phase TRAIN, and losses: true writes a net as it stands: make one with phase: 'TEST'`,
    )
  const used = !losses && needsDeploy(net.built) ? await deployCopy(net, {}, deploy) : net
  try {
    await used.pull()
    const graph = exportNet(used.built, options)
    if (batch === 'fixed') return writeGraph(graph)
    const whole = await dynamic(used.built, graph, options)
    if (typeof whole !== 'string') return writeGraph(whole)
    if (batch === 'dynamic')
      throw new RistrettoError(
        `net '${net.name}' has no ONNX form for every batch: ${whole}; batch: 'fixed' writes this one`,
      )
    net.built.context.log(`The ONNX file is for batches of ${batchOf(used.built)} alone: ${whole}`)
    return writeGraph(graph)
  } finally {
    if (used !== net) used.dispose()
  }
}

/** Items of a batch: the first size of the first input. */
const batchOf = (net: BuiltNet): number => inputShapes(net)[0]?.[0] ?? 1

const inputShapes = ({ blobs, inputs }: BuiltNet): number[][] =>
  inputs.map(name => blobs.find(blob => blob.name === name)!.shape)

/** The graph for every batch, or why there is none. */
async function dynamic(net: BuiltNet, graph: Graph, options: OnnxOptions): Promise<Graph | string> {
  if (!inputShapes(net)[0]?.length) return 'it has no input with a batch'
  let other: BuiltNet
  try {
    other = await withBatch(net, batchOf(net) + 1)
  } catch (error) {
    if (error instanceof RistrettoError) return error.message
    throw error
  }
  try {
    return anyBatch(graph, exportNet(other, options))
  } catch (error) {
    if (error instanceof RistrettoError) return error.message
    throw error
  } finally {
    for (const { layer } of other.nodes) layer.dispose()
    for (const blob of [...other.blobs, ...other.params.map(({ blob }) => blob)]) blob.dispose()
  }
}

/** The same net for another batch, with the same params: inputs of the first one's batch get it. */
async function withBatch(net: BuiltNet, size: number): Promise<BuiltNet> {
  const before = batchOf(net)
  const shapes = new Map(net.blobs.map(({ name, shape }) => [name, shape]))
  const dims = (name: string): number[] => {
    const [first, ...rest] = shapes.get(name)!
    return first === undefined ? [] : [first === before ? size : first, ...rest]
  }
  const layer = net.filtered.layer?.map(param =>
    classOf(param)?.isInput
      ? { ...param, input_param: { shape: (param.top ?? []).map(top => ({ dim: dims(top) })) } }
      : param,
  )
  const filtered = { ...net.filtered, layer }
  const context = { ...net.context, engine: await createEngine('js'), log: () => {} }
  const other = await buildNet({ state: net.state, filtered, split: insertSplits(filtered) }, context)
  for (const [i, node] of other.nodes.entries())
    node.layer.blobs.forEach((blob, k) => {
      blob.shareData(net.nodes[i].layer.blobs[k])
    })
  return other
}
