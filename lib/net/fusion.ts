import type { Blob } from '../blob.js'
import type { Layer } from '../layer.js'
import { ReLULayer } from '../layers/relu.js'
import type { NetNode } from './build.js'

/**
 * A layer that, on a host engine, can apply the ReLU in place on its top while it has the values in hand: one pass over
 * the top less, in the same bits as one layer after the other.
 */
export interface Rectifier extends Layer {
  forwardRectified(bottom: Blob[], top: Blob[], slope: number): void
}

/** A layer and the ReLU in place on its top, which it takes along. */
export interface Rectified {
  readonly layer: Rectifier
  readonly relu: NetNode
  /** The ReLU's place in the net. */
  readonly place: number
  readonly slope: number
}

const isRectifier = (layer: Layer): layer is Rectifier => 'forwardRectified' in layer && layer.engine.isHost

/** The pairs among the layers that run. A negative slope keeps a copy of what comes in, so it is left alone. */
export function rectifiedLayers(nodes: readonly NetNode[], skipped?: ReadonlySet<NetNode>): Map<NetNode, Rectified> {
  const pairs = new Map<NetNode, Rectified>()
  let before: NetNode | undefined
  nodes.forEach((relu, place) => {
    if (skipped?.has(relu)) return
    const node = before
    before = relu
    if (!node || !(relu.layer instanceof ReLULayer) || !isRectifier(node.layer)) return
    const { layer } = node
    const inPlace = node.top.length === 1 && relu.bottom[0] === node.top[0] && relu.top[0] === node.top[0]
    const { slope, engine } = relu.layer
    if (inPlace && slope >= 0 && layer.engine === engine) pairs.set(node, { layer, relu, place, slope })
  })
  return pairs
}
