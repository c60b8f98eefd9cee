import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import type { Graph, Op } from '../graph.js'
import { graphOf } from '../graph.js'
import { createNet } from '../nets/index.js'
import { type Job, type Peer, Refusal, type Task } from '../protocol.js'
import { compare, inferenceReference, trainReference } from '../reference.js'
import { load, timed } from './load.js'

interface Tensor {
  readonly shape: number[]
  data(): Promise<Float32Array>
  dispose(): void
}
type Pads = number | [number, number][]
interface TensorFlow {
  readonly version: Record<string, string>
  setBackend(name: string): Promise<boolean>
  tensor(values: Float32Array | number[], shape: readonly number[], dtype?: string): Tensor
  variable(initial: Tensor): Tensor
  tidy<T>(task: () => T): T
  variableGrads(f: () => Tensor, variables: Tensor[]): { value: Tensor; grads: Record<string, Tensor> }
  conv2d(
    x: Tensor,
    filter: Tensor,
    strides: readonly number[],
    pad: Pads,
    format: 'NHWC',
    dilations: readonly number[],
  ): Tensor
  fused: { conv2d(o: object): Tensor; matMul(o: object): Tensor }
  maxPool(x: Tensor, kernel: readonly number[], strides: readonly number[], pad: Pads): Tensor
  avgPool(x: Tensor, kernel: readonly number[], strides: readonly number[], pad: Pads): Tensor
  localResponseNormalization(x: Tensor, radius: number, bias: number, alpha: number, beta: number): Tensor
  batchNorm(x: Tensor, mean: Tensor, variance: Tensor, offset: Tensor, scale: Tensor, eps: number): Tensor
  matMul(a: Tensor, b: Tensor): Tensor
  reshape(x: Tensor, shape: readonly number[]): Tensor
  slice(x: Tensor, begin: readonly number[], size: readonly number[]): Tensor
  split(x: Tensor, parts: number, axis: number): Tensor[]
  concat(xs: Tensor[], axis: number): Tensor
  add(a: Tensor, b: Tensor): Tensor
  mul(a: Tensor, b: Tensor): Tensor
  neg(x: Tensor): Tensor
  mean(x: Tensor): Tensor
  sum(x: Tensor, axis?: number): Tensor
  relu(x: Tensor): Tensor
  sigmoid(x: Tensor): Tensor
  tanh(x: Tensor): Tensor
  softmax(x: Tensor): Tensor
  logSoftmax(x: Tensor): Tensor
  zeros(shape: readonly number[]): Tensor
}

/**
 * TensorFlow.js: operations called one by one, in its own NHWC layout; a ReLU behind a convolution is fused, as its
 * converter does.
 */
export const tfjs = (backend: 'wasm' | 'cpu'): Peer => ({
  async create(job, _threads) {
    const tf = await load<TensorFlow>('@tensorflow/tfjs')
    if (backend === 'wasm') {
      const name = '@tensorflow/tfjs-backend-wasm'
      const { setWasmPaths } = await load<{ setWasmPaths(folder: string): void }>(name)
      setWasmPaths(`${dirname(createRequire(import.meta.url).resolve(name))}/`)
    }
    if (!(await tf.setBackend(backend))) throw new Refusal(`its ${backend} backend does not start`)
    return job.mode === 'train' ? train(tf, job) : inference(tf, job)
  },
})

async function inference(tf: TensorFlow, job: Job): Promise<Task> {
  const { graph, inputs, prob, scores } = await inferenceReference(job)
  const net = new Program(tf, graph, true)
  const feeds = Object.fromEntries(Object.entries(inputs).map(([name, values]) => [name, net.input(name, values)]))
  const first = tf.tidy(() => net.run(feeds, [graph.prob, graph.scores]))
  const deviation = compare(
    [
      [await first[0].data(), prob],
      [await first[1].data(), scores],
    ],
    'inference',
  )
  for (const tensor of first) tensor.dispose()
  return {
    detail: `${tf.version['tfjs-core']}, 1 thread`,
    deviation,
    run: async () => ({
      inference: await timed(async () => {
        const [out] = tf.tidy(() => net.run(feeds, [graph.prob]))
        await out.data()
        out.dispose()
      }),
    }),
  }
}

async function train(tf: TensorFlow, job: Job): Promise<Task> {
  const reference = await trainReference(job)
  // the same weights, in the deployed graph: its scores feed the loss
  const deployed = await createNet(job.net, 'inference', job.batch, 'wasm', 1)
  const graph = graphOf(deployed)
  const net = new Program(tf, graph, false)
  const { label, ...rest } = reference.inputs
  const feeds = Object.fromEntries(Object.entries(rest).map(([name, values]) => [name, net.input(name, values)]))
  const classes = graph.ops.at(-1)!.shape[1]
  const oneHot = new Float32Array(label.length * classes)
  label.forEach((value, i) => (oneHot[i * classes + value] = 1))
  const targets = tf.tensor(oneHot, [label.length, classes])
  const loss = () => {
    const [scores] = net.run(feeds, [graph.scores])
    return tf.neg(tf.mean(tf.sum(tf.mul(targets, tf.logSoftmax(scores)), 1)))
  }
  const pass = () => tf.variableGrads(loss, net.weights)
  const gradients = (grads: Record<string, Tensor>) => Object.values(grads)
  const first = pass()
  const last = Object.values(reference.gradients).at(-1)!
  const biases = gradients(first.grads).filter(grad => grad.shape.length === 1)
  const pairs = Object.values(reference.gradients).map(async ([, bias], i) => [await biases[i].data(), bias] as const)
  const deviation = compare(
    [
      [await first.value.data(), Float32Array.of(reference.loss)],
      ...(await Promise.all(pairs)),
      [await biases.at(-1)!.data(), last[1]],
    ],
    'train',
  )
  reference.net.dispose()
  deployed.dispose()
  return {
    detail: `${tf.version['tfjs-core']}, 1 thread`,
    deviation,
    run: async () => ({
      train: await timed(async () => {
        const { value, grads } = pass()
        await value.data()
        for (const grad of gradients(grads)) await grad.data()
        value.dispose()
        for (const grad of gradients(grads)) grad.dispose()
      }),
    }),
  }
}

type Values = Record<string, Tensor>
type Step = (values: Values) => Tensor

/** A graph as calls of tfjs. Pictures are NHWC inside; what leaves is (N, C) or the same in both layouts. */
class Program {
  readonly weights: Tensor[] = []
  private readonly steps: { readonly output: string; readonly run: Step }[] = []
  private readonly shapes: Record<string, readonly number[]>

  constructor(
    private readonly tf: TensorFlow,
    graph: Graph,
    private readonly fuse: boolean,
  ) {
    this.shapes = { ...graph.inputs, ...Object.fromEntries(graph.ops.map(op => [op.output, op.shape])) }
    const uses = new Map<string, number>()
    for (const input of graph.ops.flatMap(op => op.inputs)) uses.set(input, (uses.get(input) ?? 0) + 1)
    for (let i = 0; i < graph.ops.length; i++) {
      const op = graph.ops[i]
      const next = graph.ops[i + 1]
      const activation =
        fuse &&
        (op.op === 'conv' || op.op === 'fc') &&
        next?.op === 'relu' &&
        next.inputs[0] === op.output &&
        uses.get(op.output) === 1
      this.steps.push({ output: activation ? next.output : op.output, run: this.step(op, activation) })
      if (activation) i++
    }
  }

  /** A picture comes as (N, C, H, W). */
  input(name: string, values: Float32Array): Tensor {
    const shape = this.shapes[name]
    if (shape?.length !== 4) return this.tf.tensor(values, shape ?? [values.length])
    return this.tf.tensor(channelsLast(values, shape), [shape[0], shape[2], shape[3], shape[1]])
  }

  run(feeds: Values, outputs: readonly string[]): Tensor[] {
    const values: Values = { ...feeds }
    for (const { output, run } of this.steps) values[output] = run(values)
    return outputs.map(name => values[name])
  }

  private weight(values: Float32Array, shape: readonly number[]): Tensor {
    const variable = this.tf.variable(this.tf.tensor(values, shape))
    this.weights.push(variable)
    return variable
  }

  private step(op: Op, relu: boolean): Step {
    const { tf } = this
    const [x, y] = op.inputs
    const activation = relu ? 'relu' : 'linear'
    switch (op.op) {
      case 'conv':
        return this.convolution(op, activation)
      case 'pool': {
        const pads: [number, number][] = [[0, 0], [...op.pads[0]], [...op.pads[1]], [0, 0]]
        const pool = op.method === 'MAX' ? tf.maxPool : tf.avgPool
        return values => pool(values[x], op.kernel, op.stride, pads)
      }
      case 'lrn':
        return values => tf.localResponseNormalization(values[x], (op.size - 1) / 2, op.k, op.alpha / op.size, op.beta)
      case 'fc': {
        const inputs = op.weight.length / op.outputs
        const rows = op.from.length === 4 ? rowsChannelsLast(op.weight, op.outputs, op.from) : op.weight
        const weight = this.weight(transposed(rows, op.outputs), [inputs, op.outputs])
        const bias = this.weight(op.bias ?? new Float32Array(op.outputs), [op.outputs])
        const flat = (values: Values) => tf.reshape(values[x], [op.from[0], inputs])
        if (this.fuse) return values => tf.fused.matMul({ a: flat(values), b: weight, bias, activation })
        return values => tf.add(tf.matMul(flat(values), weight), bias)
      }
      case 'batchnorm': {
        const [mean, variance, bias, scale] = [op.mean, op.variance, op.bias, op.scale].map(list =>
          this.weight(list, [list.length]),
        )
        return values => tf.batchNorm(values[x], mean, variance, bias, scale, op.eps)
      }
      case 'lstm':
        return this.lstm(op)
      case 'from':
        return values => tf.slice(values[x], [op.start, ...op.shape.slice(1).map(() => 0)], op.shape)
      case 'reshape':
        return values => tf.reshape(values[x], op.shape)
      case 'concat':
        return values =>
          tf.concat(
            op.inputs.map(name => values[name]),
            op.shape.length === 4 ? 3 : 1,
          )
      case 'softmax':
        return values => tf.softmax(op.shape.length === 4 ? tf.reshape(values[x], op.shape.slice(0, 2)) : values[x])
      case 'add':
        return values => tf.add(values[x], values[y])
      default:
        return this.elementwise(op.op, x)
    }
  }

  private elementwise(op: 'relu' | 'sigmoid', x: string): Step {
    return values => this.tf[op](values[x])
  }

  private convolution(op: Extract<Op, { op: 'conv' }>, activation: string): Step {
    const { tf } = this
    const [x] = op.inputs
    const [outputs, channels, height, width] = op.weightShape
    const { group } = op
    const count = outputs / group
    // (out, in, h, w) → (h, w, in, out), a filter for each group
    const filters = Array.from({ length: group }, (_, g) => {
      const values = new Float32Array(op.weight.length / group)
      let at = 0
      for (let h = 0; h < height; h++)
        for (let w = 0; w < width; w++)
          for (let c = 0; c < channels; c++)
            for (let o = 0; o < count; o++)
              values[at++] = op.weight[(((g * count + o) * channels + c) * height + h) * width + w]
      return this.weight(values, [height, width, channels, count])
    })
    const biases = Array.from({ length: group }, (_, g) =>
      op.bias ? this.weight(op.bias.slice(g * count, (g + 1) * count), [count]) : undefined,
    )
    const pad: [number, number][] = [
      [0, 0],
      [op.pad[0], op.pad[0]],
      [op.pad[1], op.pad[1]],
      [0, 0],
    ]
    const convolve = (part: Tensor, g: number): Tensor => {
      if (this.fuse)
        return tf.fused.conv2d({
          x: part,
          filter: filters[g],
          strides: op.stride,
          pad,
          dilations: op.dilation,
          bias: biases[g],
          activation,
        })
      const sums = tf.conv2d(part, filters[g], op.stride, pad, 'NHWC', op.dilation)
      return biases[g] ? tf.add(sums, biases[g]) : sums
    }
    return values => (group === 1 ? convolve(values[x], 0) : tf.concat(tf.split(values[x], group, 3).map(convolve), 3))
  }

  /** Gates as in Caffe: input, forget, output, candidate. The state starts at zero. */
  private lstm(op: Extract<Op, { op: 'lstm' }>): Step {
    const { tf } = this
    const { hidden, values: inputs, shape } = op
    const [steps, streams] = shape
    const wx = this.weight(transposed(op.wx, 4 * hidden), [inputs, 4 * hidden])
    const wh = this.weight(transposed(op.wh, 4 * hidden), [hidden, 4 * hidden])
    const bias = this.weight(op.bias, [4 * hidden])
    return values => {
      const x = tf.reshape(values[op.inputs[0]], [steps * streams, inputs])
      const all = tf.split(tf.add(tf.matMul(x, wx), bias), steps, 0)
      let h = tf.zeros([streams, hidden])
      let c = tf.zeros([streams, hidden])
      const outputs = all.map(gates => {
        const [i, f, o, g] = tf.split(tf.add(gates, tf.matMul(h, wh)), 4, 1)
        c = tf.add(tf.mul(tf.sigmoid(f), c), tf.mul(tf.sigmoid(i), tf.tanh(g)))
        h = tf.mul(tf.sigmoid(o), tf.tanh(c))
        return h
      })
      return tf.reshape(tf.concat(outputs, 0), shape)
    }
  }
}

/** (N, C, H, W) → (N, H, W, C). */
function channelsLast(values: Float32Array, [N, C, H, W]: readonly number[]): Float32Array {
  const out = new Float32Array(values.length)
  const size = H * W
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++)
      for (let i = 0; i < size; i++) out[(n * size + i) * C + c] = values[(n * C + c) * size + i]
  return out
}

/** Every row of a weight matrix over (C, H, W) → over (H, W, C). */
const rowsChannelsLast = (weight: Float32Array, rows: number, [, C, H, W]: readonly number[]) =>
  channelsLast(weight, [rows, C, H, W])

/** Its weights are (inputs, outputs), ours (outputs, inputs). */
function transposed(values: Float32Array, rows: number): Float32Array {
  const columns = values.length / rows
  const out = new Float32Array(values.length)
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = values[r * columns + c]
  return out
}
