import { NetError } from '../../errors.js'
import type { LayerParameter, NetParameter } from '../../generated/caffe.js'
import { isOf, type LayerClass, type Phase } from '../../layer.js'
import { ConvolutionLayer } from '../../layers/convolution.js'
import { DeconvolutionLayer } from '../../layers/deconvolution.js'
import { InnerProductLayer } from '../../layers/inner_product.js'
import { PoolingLayer } from '../../layers/pooling.js'
import { filterNet } from '../../net/graph.js'
import { checkMessage } from '../../proto/message.js'
import { upgradeNet } from '../../proto/upgrade.js'
import { knownClass } from '../classes.js'

/** Left to right, right to left, top to bottom, bottom to top. */
export type Rankdir = 'LR' | 'RL' | 'TB' | 'BT'

/** What of a net is drawn, and how it lies. */
export interface GraphOptions {
  /** Where the data flows: left to right (default), right to left, top to bottom, bottom to top. */
  rankdir?: Rankdir
  /** Only the layers of this phase (with `level` and `stages`, as Net.create takes them); default: all layers. */
  phase?: Phase
  level?: number
  stages?: readonly string[]
  /** Also show the learning rate multipliers. */
  displayLrm?: boolean
  /** Write numbers of outputs and batch sizes along the edges; default true. */
  labelEdges?: boolean
}

export type NodeKind = 'convolution' | 'pooling' | 'inner_product' | 'neuron' | 'layer' | 'blob'

export interface GraphNode {
  readonly id: string
  readonly kind: NodeKind
  /** Name first, then type and parameters. */
  readonly lines: readonly string[]
}

export interface GraphEdge {
  readonly from: string
  readonly to: string
  readonly label: string
  /** Between a blob and a layer that works on it in place: data goes both ways. */
  readonly inPlace: boolean
}

export interface Graph {
  readonly name: string
  readonly rankdir: Rankdir
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
}

/** Caffe's colours. */
export const COLOURS: Readonly<Record<NodeKind, string>> = {
  convolution: '#FF5050',
  pooling: '#FF9900',
  inner_product: '#CC33FF',
  neuron: '#90EE90',
  layer: '#6495ED',
  blob: '#E0E0E0',
}

const KINDS: readonly [LayerClass, NodeKind][] = [
  [ConvolutionLayer, 'convolution'],
  [DeconvolutionLayer, 'convolution'],
  [PoolingLayer, 'pooling'],
  [InnerProductLayer, 'inner_product'],
]

/** By its class: several types may name one. */
function kindOf(type: string): NodeKind {
  const drawn = knownClass(type)
  return (drawn && KINDS.find(([known]) => isOf(drawn, known))?.[1]) ?? 'layer'
}

/** Layers and blobs of a net (of any version of the format), and what flows between them. */
export function graphOf(net: NetParameter, options: GraphOptions = {}): Graph {
  const { rankdir = 'LR', phase, level = 0, stages = [], displayLrm = false, labelEdges = true } = options
  if (!['LR', 'RL', 'TB', 'BT'].includes(rankdir)) throw new NetError(`rankdir is LR, RL, TB or BT, not '${rankdir}'`)
  const upgraded = upgradeNet(checkMessage('NetParameter', net, 'net'))
  const { layer = [] } = phase ? filterNet(upgraded, { phase, level, stages }) : upgraded
  const blobs = new Map<string, GraphNode>()
  const layers: GraphNode[] = []
  const edges: GraphEdge[] = []
  const blob = (name: string): GraphNode => {
    let node = blobs.get(name)
    if (!node) {
      node = { id: `blob${blobs.size}`, kind: 'blob', lines: [name] }
      blobs.set(name, node)
    }
    return node
  }
  layer.forEach((param, i) => {
    const { type = '', bottom = [], top = [] } = param
    const inPlace = bottom.length === 1 && top.length === 1 && bottom[0] === top[0]
    const id = `layer${i}`
    layers.push({ id, kind: inPlace ? 'neuron' : kindOf(type), lines: linesOf(param, displayLrm) })
    if (inPlace) {
      edges.push({ from: blob(bottom[0]).id, to: id, label: '', inPlace: true })
      return
    }
    for (const name of bottom) edges.push({ from: blob(name).id, to: id, label: '', inPlace: false })
    const label = labelEdges ? edgeLabel(param) : ''
    for (const name of top) edges.push({ from: id, to: blob(name).id, label, inPlace: false })
  })
  return { name: upgraded.name ?? '', rankdir, nodes: [...layers, ...blobs.values()], edges }
}

/** Batch size or number of outputs: what a layer's tops consist of. */
function edgeLabel(param: LayerParameter): string {
  const batch =
    param.data_param?.batch_size ??
    param.image_data_param?.batch_size ??
    param.hdf5_data_param?.batch_size ??
    param.memory_data_param?.batch_size ??
    param.window_data_param?.batch_size
  if (batch !== undefined) return `Batch ${batch}`
  const { convolution_param, inner_product_param, recurrent_param, embed_param } = param
  const outputs = (convolution_param ?? inner_product_param ?? recurrent_param ?? embed_param)?.num_output
  return outputs === undefined ? '' : String(outputs)
}

function linesOf(param: LayerParameter, displayLrm: boolean): string[] {
  const { name = '', type = '' } = param
  const kind = kindOf(type)
  const lines = [name, `(${kind === 'pooling' ? `${type} ${param.pooling_param?.pool ?? 'MAX'}` : type})`]
  if (kind === 'pooling' && param.pooling_param?.global_pooling) lines.push('global')
  else if (kind === 'convolution' || kind === 'pooling') {
    const spatial = (kind === 'pooling' ? param.pooling_param : param.convolution_param) ?? {}
    lines.push(`kernel size: ${sizes(spatial.kernel_size, spatial.kernel_h, spatial.kernel_w, 1)}`)
    lines.push(`stride: ${sizes(spatial.stride, spatial.stride_h, spatial.stride_w, 1)}`)
    lines.push(`pad: ${sizes(spatial.pad, spatial.pad_h, spatial.pad_w, 0)}`)
    const { dilation = [], group = 1 } = param.convolution_param ?? {}
    if (dilation.some(value => value !== 1)) lines.push(`dilation: ${sizes(dilation, undefined, undefined, 1)}`)
    if (group > 1) lines.push(`group: ${group}`)
  }
  if (displayLrm && (kind === 'convolution' || kind === 'inner_product')) {
    const multipliers = [0, 1].map(i => param.param?.[i]?.lr_mult ?? 1)
    lines.push(
      `lr mult: ${multipliers.map(value => (Number.isInteger(value) ? value.toFixed(1) : String(value))).join(', ')}`,
    )
  }
  return lines
}

/** "3", or "3×5" where the axes differ. */
function sizes(
  both: number | readonly number[] | undefined,
  h: number | undefined,
  w: number | undefined,
  otherwise: number,
): string {
  const list =
    h !== undefined || w !== undefined
      ? [h ?? otherwise, w ?? otherwise]
      : typeof both === 'number'
        ? [both]
        : (both ?? [])
  if (!list.length) return String(otherwise)
  return list.every(value => value === list[0]) ? String(list[0]) : list.join('×')
}
