import type { Net } from '../lib/index.js'
import { convolutionWindow } from '../lib/layers/parts/convolution_window.js'
import { poolingWindow } from '../lib/layers/parts/pooling_window.js'
import { withDefaults } from '../lib/proto/message.js'
import { Refusal } from './protocol.js'

type Pair = readonly [number, number]

interface Common {
  /** Names of values; every value is written once. */
  readonly inputs: readonly string[]
  readonly output: string
  /** Shape of the output. */
  readonly shape: readonly number[]
}

/** What other frameworks call a node, with its weights. Pads are [begin, end] along height and width. */
export type Op = Common &
  (
    | {
        readonly op: 'conv'
        readonly weight: Float32Array
        readonly weightShape: readonly number[]
        readonly bias: Float32Array | undefined
        readonly stride: Pair
        readonly pad: Pair
        readonly dilation: Pair
        readonly group: number
      }
    | {
        readonly op: 'pool'
        readonly method: 'MAX' | 'AVE'
        readonly kernel: Pair
        readonly stride: Pair
        readonly pads: readonly [Pair, Pair]
      }
    | { readonly op: 'lrn'; readonly size: number; readonly alpha: number; readonly beta: number; readonly k: number }
    | {
        readonly op: 'fc'
        readonly weight: Float32Array
        readonly outputs: number
        readonly bias: Float32Array | undefined
        readonly from: readonly number[]
      }
    | {
        readonly op: 'batchnorm'
        readonly mean: Float32Array
        readonly variance: Float32Array
        readonly eps: number
        readonly scale: Float32Array
        readonly bias: Float32Array
      }
    | {
        readonly op: 'lstm'
        readonly wx: Float32Array
        readonly wh: Float32Array
        readonly bias: Float32Array
        readonly hidden: number
        readonly values: number
      }
    /** The slice from `start` on along axis 0. */
    | { readonly op: 'from'; readonly start: number }
    | { readonly op: 'relu' | 'sigmoid' | 'softmax' | 'concat' | 'add' | 'reshape' }
  )

export interface Graph {
  readonly inputs: Record<string, readonly number[]>
  readonly ops: Op[]
  /** The probabilities, and what the last softmax or sigmoid reads: compared as well, since probabilities hide much. */
  readonly prob: string
  readonly scores: string
  /** What a net for training has besides: values that are dropped with this probability, and its losses. */
  readonly dropped: Record<string, number>
  readonly losses: readonly Loss[]
}

export interface Loss {
  readonly kind: 'softmax' | 'euclidean'
  readonly scores: string
  readonly target: string
  readonly weight: number
}

/**
 * A net as nodes in which no value is written twice. BatchNorm takes the Scale behind it in, as every exporter
 * does.
 */
export function graphOf(net: Net): Graph {
  const ops: Op[] = []
  /** Blob name → name of the newest value in it. */
  const current = new Map<string, string>(net.inputs.map(name => [name, name]))
  const versions = new Map<string, number>()
  const inputs: Record<string, readonly number[]> = {}
  const dropped: Graph['dropped'] = {}
  const losses: Loss[] = []
  for (const input of net.inputs) if (input !== 'cont') inputs[input] = net.blobs[input].shape

  for (const node of net.built.nodes) {
    const { layer, bottom, top } = node
    const from = bottom.map(blob => current.get(blob.name)!)
    const alias = (i = 0) => current.set(top[i].name, from[0])
    const write = (i = 0): Common => {
      const { name, shape } = top[i]
      const version = versions.get(name) ?? 0
      versions.set(name, version + 1)
      const output = version ? `${name}#${version}` : name
      current.set(name, output)
      return { inputs: from, output, shape }
    }
    const data = (i: number) => layer.blobs[i]?.dataArray.slice()
    switch (layer.type) {
      case 'Input':
      case 'Silence':
        break
      case 'Split':
        top.forEach((_, i) => alias(i))
        break
      case 'Dropout':
        alias()
        if (net.phase === 'TRAIN')
          dropped[from[0]] = withDefaults('DropoutParameter', layer.param.dropout_param).dropout_ratio
        break
      case 'SoftmaxWithLoss':
      case 'EuclideanLoss':
        losses.push({
          kind: layer.type === 'SoftmaxWithLoss' ? 'softmax' : 'euclidean',
          scores: from[0],
          target: from[1],
          weight: node.lossWeights[0],
        })
        break
      case 'Convolution': {
        const w = convolutionWindow(layer, bottom[0])
        const { group } = withDefaults('ConvolutionParameter', layer.param.convolution_param)
        const [stride, pad, dilation] = [w.stride, w.pad, w.dilation].map(list => [list[0], list[1]] as Pair)
        ops.push({
          op: 'conv',
          weight: data(0),
          weightShape: layer.blobs[0].shape,
          bias: data(1),
          stride,
          pad,
          dilation,
          group,
          ...write(),
        })
        break
      }
      case 'Pooling': {
        const { kernel: given, stride, pad } = poolingWindow(layer)
        const { pool } = withDefaults('PoolingParameter', layer.param.pooling_param)
        const kernel: Pair = given ?? [bottom[0].height, bottom[0].width]
        if (pool === 'STOCHASTIC' || (pool === 'AVE' && (pad[0] || pad[1])))
          throw new Refusal(`layer '${layer.name}': ${pool} pooling with padding has no counterpart elsewhere`)
        // rounding up is padding at the end; it does not count in averages
        const ends = [0, 1].map(i =>
          Math.max(0, (top[0].dim(2 + i) - 1) * stride[i] + kernel[i] - bottom[0].dim(2 + i) - pad[i]),
        )
        const pads = [0, 1].map(i => [pad[i], ends[i]] as Pair) as [Pair, Pair]
        ops.push({ op: 'pool', method: pool as 'MAX' | 'AVE', kernel, stride, pads, ...write() })
        break
      }
      case 'LRN': {
        const { local_size: size, alpha, beta, k } = withDefaults('LRNParameter', layer.param.lrn_param)
        ops.push({ op: 'lrn', size, alpha, beta, k, ...write() })
        break
      }
      case 'InnerProduct':
        ops.push({
          op: 'fc',
          weight: data(0),
          outputs: layer.blobs[0].dim(0),
          bias: data(1),
          from: bottom[0].shape,
          ...write(),
        })
        break
      case 'BatchNorm': {
        const factor = layer.blobs[2].dataArray[0]
        const scaled = (i: number) => layer.blobs[i].dataArray.map(value => (factor ? value / factor : 0))
        const { eps } = withDefaults('BatchNormParameter', layer.param.batch_norm_param)
        const channels = layer.blobs[0].count
        const scale = new Float32Array(channels).fill(1)
        ops.push({
          op: 'batchnorm',
          mean: scaled(0),
          variance: scaled(1),
          eps,
          scale,
          bias: new Float32Array(channels),
          ...write(),
        })
        break
      }
      case 'Scale': {
        const before = ops.at(-1)
        if (before?.op !== 'batchnorm' || before.output !== from[0] || bottom[0] !== top[0])
          throw new Refusal(`layer '${layer.name}': Scale is translated only right behind a BatchNorm, in place`)
        before.scale.set(layer.blobs[0].dataArray)
        if (layer.blobs[1]) before.bias.set(layer.blobs[1].dataArray)
        break
      }
      case 'Eltwise': {
        const { operation, coeff } = withDefaults('EltwiseParameter', layer.param.eltwise_param)
        if (operation !== 'SUM' || coeff.length || from.length !== 2)
          throw new Refusal(`layer '${layer.name}': only plain sums of two are translated`)
        ops.push({ op: 'add', ...write() })
        break
      }
      case 'LSTM': {
        const [wx, bias, wh] = [0, 1, 2].map(i => data(i))
        const common = write()
        ops.push({
          op: 'lstm',
          wx,
          wh,
          bias,
          hidden: layer.blobs[2].dim(1),
          values: layer.blobs[0].dim(1),
          ...common,
          inputs: [from[0]],
        })
        break
      }
      case 'Slice': {
        const { axis, slice_point } = withDefaults('SliceParameter', layer.param.slice_param)
        if (axis !== 0 || top.length !== 2)
          throw new Refusal(`layer '${layer.name}': only cuts in two along axis 0 are translated`)
        ops.push({ op: 'from', start: slice_point[0], ...write(1) })
        break
      }
      case 'ReLU':
      case 'Sigmoid':
      case 'Softmax':
      case 'Concat':
      case 'Reshape':
        ops.push({ op: layer.type.toLowerCase() as 'relu' | 'sigmoid' | 'softmax' | 'concat' | 'reshape', ...write() })
        break
      default:
        throw new Refusal(`layer '${layer.name}' (${layer.type}) is not translated`)
    }
  }
  const last = ops.at(-1)!
  return { inputs, ops, prob: last.output, scores: last.inputs[0], dropped, losses }
}
