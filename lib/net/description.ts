import { shapeText } from '../blob.js'
import type { BuiltNet } from './node.js'

/** A param of a layer as `net.describe()` tells of it. */
export interface ParamDescription {
  shape: number[]
  lr_mult: number
  decay_mult: number
  net_param_index: number
  /** −1: the param owns its values. */
  owner_net_param_index: number
  /** Place in the list that the solver updates. */
  learnable_index: number
  propagate_down: boolean
}

/** A layer as `net.describe()` tells of it. */
export interface LayerDescription {
  name: string
  type: string
  bottoms: string[]
  tops: string[]
  top_loss_weights: number[]
  needs_backward: boolean
  bottom_needs_backward: boolean[]
  params: ParamDescription[]
}

/** A net as it was built. Names are those of the recorded facts, so that the two compare directly. */
export interface NetDescription {
  phase: string
  level: number
  stages: string[]
  net_name: string
  /** Layers that the state selects, before splits. */
  filtered_layers: string[]
  inputs: string[]
  outputs: string[]
  learnable_params: number[][]
  blobs: { name: string; shape: number[]; loss_weight: number }[]
  layers: LayerDescription[]
}

/** The loss weight of each blob, in the order of the net's blobs: that of the last layer that writes it. */
function lossWeightsOf({ blobs, nodes }: BuiltNet): number[] {
  const weights = blobs.map(() => 0)
  for (const node of nodes)
    node.tops.forEach((top, i) => {
      weights[top] = node.lossWeights[i]
    })
  return weights
}

/** The same by name. */
export function blobLossWeights(net: BuiltNet): Record<string, number> {
  const weights = lossWeightsOf(net)
  const named: Record<string, number> = Object.create(null)
  for (const [i, { name }] of net.blobs.entries()) named[name] = weights[i]
  return named
}

/** A net for people: `net 'LeNet' (TEST, wasm)`, and a line for each layer, `conv1 Convolution → conv1 8×20×24×24; params 20×1×5×5, 20`. */
export function printed({ name, phase, context, nodes }: BuiltNet): string {
  const lines = nodes.map(({ key, layer, top }) => {
    const tops = top.map(blob => `${blob.name} ${shapeText(blob.shape)}`).join(', ')
    const params = layer.blobs.map(({ shape }) => shapeText(shape)).join(', ')
    return `\n  ${key} ${layer.type} → ${tops || 'nothing'}${params && `; params ${params}`}`
  })
  return `net '${name}' (${phase}, ${context.engine.name})${lines.join('')}`
}

export function describeNet(net: BuiltNet): NetDescription {
  const weights = lossWeightsOf(net)
  return {
    phase: net.state.phase,
    level: net.state.level,
    stages: [...net.state.stages],
    net_name: net.name,
    filtered_layers: (net.filtered.layer ?? []).map(layer => layer.name ?? ''),
    inputs: [...net.inputs],
    outputs: [...net.outputs],
    learnable_params: net.learnable.map(param => param.blob.shape),
    blobs: net.blobs.map((blob, i) => ({ name: blob.name, shape: blob.shape, loss_weight: weights[i] })),
    layers: net.nodes.map(node => ({
      name: node.key,
      type: node.layer.type,
      bottoms: node.bottom.map(blob => blob.name),
      tops: node.top.map(blob => blob.name),
      top_loss_weights: [...node.lossWeights],
      needs_backward: node.needsBackward,
      bottom_needs_backward: [...node.bottomNeedsBackward],
      params: node.params.map((id, i) => {
        const { blob, owner, learnable } = net.params[id]
        const { lrMult, decayMult } = net.learnable[learnable]
        return {
          shape: blob.shape,
          lr_mult: lrMult,
          decay_mult: decayMult,
          net_param_index: id,
          owner_net_param_index: owner,
          learnable_index: learnable,
          propagate_down: node.layer.paramPropagateDown[i],
        }
      }),
    })),
  }
}
