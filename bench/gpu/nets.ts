/** The nets of the benchmark, and how steps are timed. */
import { RandomStream } from '../../lib/rng.js'

export interface Result {
  readonly detail: string
  /** Median of the steps after the first two, which compile. */
  readonly ms: number
  readonly firstMs: number
  readonly losses: readonly number[]
}

/** A step computes the loss, its gradients and the new weights, and reads the loss. */
export async function time(detail: string, steps: number, step: () => Promise<number>): Promise<Result> {
  const losses: number[] = []
  const times: number[] = []
  for (let i = 0; i < steps + 2; i++) {
    const start = performance.now()
    losses.push(await step())
    times.push(performance.now() - start)
  }
  const rest = times.slice(2).sort((a, b) => a - b)
  return { detail, firstMs: times[0], ms: rest[rest.length >> 1], losses }
}

const stream = new RandomStream(7, 'pictures')

/** Pictures that a net can learn: class c is bright in its own stripe. */
function pictures(
  batch: number,
  channels: number,
  side: number,
  classes: number,
): { images: Float32Array; labels: Float32Array } {
  const labels = Float32Array.from({ length: batch }, () => stream.integer(classes))
  const size = channels * side * side
  const images = new Float32Array(batch * size)
  for (let i = 0; i < images.length; i++) {
    const row = Math.floor((i % (side * side)) / side)
    images[i] =
      (stream.uniform() < 0.2 ? 0.5 : 0) +
      (Math.floor((row * classes) / side) === labels[Math.floor(i / size)] ? 0.5 : 0)
  }
  return { images, labels }
}

interface NetFacts {
  /** [channels, side] of a picture. */
  readonly input: readonly [number, number]
  readonly classes: number
  /** Weights as (M, C/group, K, K) or (M, D), each followed by M biases. */
  readonly weights: readonly (readonly number[])[]
  batch(size: number): { images: Float32Array; labels: Float32Array }
}

/** Groups of CaffeNet's five convolutions. */
export const groups = [1, 2, 1, 2, 2]

export const nets = {
  LeNet: {
    input: [1, 28],
    classes: 10,
    weights: [
      [20, 1, 5, 5],
      [50, 20, 5, 5],
      [500, 800],
      [10, 500],
    ],
    batch: n => pictures(n, 1, 28, 10),
  },
  // a quarter of the channels on pictures of 99 × 99, and no dropout: the layers, windows, steps and groups of CaffeNet
  'CaffeNet/4': {
    input: [3, 99],
    classes: 100,
    weights: [
      [24, 3, 11, 11],
      [64, 12, 5, 5],
      [96, 64, 3, 3],
      [96, 48, 3, 3],
      [64, 48, 3, 3],
      [256, 256],
      [256, 256],
      [100, 256],
    ],
    batch: n => pictures(n, 3, 99, 100),
  },
} satisfies Record<string, NetFacts>
export type NetName = keyof typeof nets

/** Values that a layer of each library begins with: uniform, as the xavier filler. */
export function filled(shape: readonly number[]): Float32Array {
  const fan = shape.slice(1).reduce((a, b) => a * b, 1)
  const scale = Math.sqrt(3 / fan)
  const random = new RandomStream(3, `weights ${shape}`)
  return Float32Array.from({ length: fan * shape[0] }, () => scale * (2 * random.uniform() - 1))
}

/** A solver for CaffeNet/4, with inputs for data and label. */
export function caffenet(batch: number): string {
  const { weights, input, classes } = nets['CaffeNet/4']
  const filler = 'weight_filler { type: "xavier" }'
  const layer = (name: string, type: string, bottom: string, top: string, rest = '') =>
    `layer { name: "${name}" type: "${type}" bottom: "${bottom}" top: "${top}" ${rest} }`
  const params = 'param { lr_mult: 1 } param { lr_mult: 2 }'
  const conv = (i: number, bottom: string, rest: string) =>
    layer(
      ...([`conv${i}`, 'Convolution', bottom, `conv${i}`] as const),
      `${params} convolution_param { num_output: ${weights[i - 1][0]} kernel_size: ${weights[i - 1][2]} group: ${groups[i - 1]} ${filler} ${rest} }`,
    ) + layer(`relu${i}`, 'ReLU', `conv${i}`, `conv${i}`)
  const pool = (i: number, bottom: string) =>
    layer(`pool${i}`, 'Pooling', bottom, `pool${i}`, 'pooling_param { kernel_size: 3 stride: 2 }')
  const norm = (i: number) =>
    layer(`norm${i}`, 'LRN', `pool${i}`, `norm${i}`, 'lrn_param { local_size: 5 alpha: 0.0001 beta: 0.75 }')
  const fc = (i: number, bottom: string) =>
    layer(
      `fc${i}`,
      'InnerProduct',
      bottom,
      `fc${i}`,
      `${params} inner_product_param { num_output: ${weights[i - 1][0]} ${filler} }`,
    )
  return `base_lr: 0.01 momentum: 0.9 weight_decay: 0.0005 lr_policy: "fixed" max_iter: 100
    net_param { name: "CaffeNet/4"
      layer { name: "data" type: "Input" top: "data" top: "label"
        input_param { shape { dim: ${batch} dim: ${input[0]} dim: ${input[1]} dim: ${input[1]} } shape { dim: ${batch} } } }
      ${conv(1, 'data', 'stride: 4')} ${pool(1, 'conv1')} ${norm(1)}
      ${conv(2, 'norm1', 'pad: 2')} ${pool(2, 'conv2')} ${norm(2)}
      ${conv(3, 'norm2', 'pad: 1')} ${conv(4, 'conv3', 'pad: 1')} ${conv(5, 'conv4', 'pad: 1')} ${pool(5, 'conv5')}
      ${fc(6, 'pool5')} ${layer('relu6', 'ReLU', 'fc6', 'fc6')} ${fc(7, 'fc6')} ${layer('relu7', 'ReLU', 'fc7', 'fc7')} ${fc(8, 'fc7')}
      layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc8" bottom: "label" top: "loss" }
    } # ${classes} classes`
}
