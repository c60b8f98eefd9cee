import { ConvolutionLayer } from './layers/convolution.js'
import { ReLULayer } from './layers/relu.js'
import type { NetNode } from './net_builder.js'

/** A convolution and the ReLU in place on its top, which it can apply while it has the values in hand. */
export interface Rectified {
  readonly layer: ConvolutionLayer
  readonly relu: NetNode
  /** The ReLU's place in the net. */
  readonly place: number
  readonly slope: number
}

/** The pairs among the layers that run. A negative slope keeps a copy of what comes in, so it is left alone. */
export function rectifiedConvolutions(nodes: readonly NetNode[], skipped?: ReadonlySet<NetNode>): Map<NetNode, Rectified> {
  const pairs = new Map<NetNode, Rectified>()
  let before: NetNode | undefined
  nodes.forEach((relu, place) => {
    if (skipped?.has(relu)) return
    const node = before
    before = relu
    if (!node || !(node.layer instanceof ConvolutionLayer) || !(relu.layer instanceof ReLULayer)) return
    const { layer } = node
    const inPlace = node.top.length === 1 && relu.bottom[0] === node.top[0] && relu.top[0] === node.top[0]
    const { slope, engine } = relu.layer
    if (inPlace && slope >= 0 && layer.engine === engine && 'convolutionRelu' in engine.kernels)
      pairs.set(node, { layer, relu, place, slope })
  })
  return pairs
}
