import { classOf, isOf, type LayerClass, type Phase } from '../layer.js'
import { ConvolutionLayer } from '../layers/convolution.js'
import { DeconvolutionLayer } from '../layers/deconvolution.js'
import { InnerProductLayer } from '../layers/inner_product.js'
import { LSTMLayer } from '../layers/lstm.js'
import { RNNLayer } from '../layers/rnn.js'
import type { Memory } from '../memory.js'
import type { MemoryPlan } from '../net/memory_plan.js'
import type { NetNode } from '../net/node.js'
import type { Net } from '../net.js'
import { mustBeNet } from '../system/arguments.js'

/** One layer in a NetSummary. */
export interface LayerSummary {
  name: string
  type: string
  bottoms: string[]
  tops: string[]
  /** Of the tops. */
  shapes: number[][]
  paramShapes: number[][]
  /** Learned values of its own. */
  params: number
  /** Learned values that belong to another layer. */
  sharedParams: number
  /** Bytes that its tops take; what works in place or shares its input takes none. */
  memory: number
  /** Of convolutions, inner products and recurrent layers; 0 for others. */
  multiplyAdds: number
}

/** What `summarize` counts. */
export interface NetSummary {
  name: string
  phase: Phase
  /** In the order in which they run, without the splits that the net puts in. */
  layers: LayerSummary[]
  params: number
  /**
   * Of a forward pass over the whole batch: of convolutions, inner products and recurrent layers. What layers of boxes
   * compare is not in it; `maxWork` counts that.
   */
  multiplyAdds: number
  /** Bytes by kind, as `net.memory()` counts them. */
  memory: MemoryPlan
}

/**
 * The layers of a net with their shapes, params, memory and multiply-adds, for the shapes as they stand. Nothing is
 * computed.
 */
export function summarize(net: Net): NetSummary {
  mustBeNet(net, 'summarize')
  const seen = new Set<Memory>()
  const written = new Map((net.param.layer ?? []).map(layer => [layer.name ?? '', layer]))
  const layers: LayerSummary[] = []
  for (const node of net.built.nodes) {
    const memory = node.top.reduce((sum, { memory: { data } }) => {
      if (seen.has(data)) return sum
      seen.add(data)
      return sum + 4 * data.length
    }, 0)
    // splits that the net put in share the memory of what they split
    const layer = written.get(node.name)
    if (!layer) continue
    const params = node.params.map(id => net.built.params[id])
    const count = (shared: boolean) =>
      params.filter(param => param.owner >= 0 === shared).reduce((sum, { blob }) => sum + blob.count, 0)
    layers.push({
      name: node.name,
      type: node.layer.type,
      bottoms: layer.bottom ?? [],
      tops: layer.top ?? [],
      shapes: node.top.map(blob => blob.shape),
      paramShapes: params.map(({ blob }) => blob.shape),
      params: count(false),
      sharedParams: count(true),
      memory,
      multiplyAdds: multiplyAdds.find(([known]) => isOf(classOf(node.layer), known))?.[1](node) ?? 0,
    })
  }
  const sum = (field: 'params' | 'multiplyAdds') => layers.reduce((total, layer) => total + layer[field], 0)
  return {
    name: net.name,
    phase: net.phase,
    layers,
    params: sum('params'),
    multiplyAdds: sum('multiplyAdds'),
    memory: net.memory(),
  }
}

const counts = (blobs: NetNode['top']): number => blobs.reduce((sum, blob) => sum + blob.count, 0)

/** Of a forward pass, by class. */
const multiplyAdds: readonly [LayerClass, (node: NetNode) => number][] = [
  // each output is a sum over the C/group × kernel weights of its channel
  [ConvolutionLayer, ({ top, layer: { blobs } }) => counts(top) * blobs[0].size(1)],
  // each input goes into M/group × kernel outputs
  [DeconvolutionLayer, ({ bottom, layer: { blobs } }) => counts(bottom) * blobs[0].size(1)],
  [
    InnerProductLayer,
    ({ top, layer }) => (top[0].count / layer.param.inner_product_param!.num_output!) * layer.blobs[0].count,
  ],
  [LSTMLayer, node => recurrent(node, 2)],
  [RNNLayer, node => recurrent(node, 3)],
]

/**
 * Every weight once a step and sequence; those of a static input, the second matrix where there is one more than usual,
 * once a sequence.
 */
function recurrent({ bottom, layer }: NetNode, usual: number): number {
  const matrices = layer.blobs.filter(blob => blob.numAxes > 1)
  const [steps, batch] = bottom[0].shape
  return matrices.reduce(
    (sum, { count }, i) => sum + (matrices.length > usual && i === 1 ? 1 : steps) * batch * count,
    0,
  )
}
