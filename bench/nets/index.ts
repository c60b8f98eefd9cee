import { readFileSync } from 'node:fs'
import type { EngineName } from '../../lib/engines/index.js'
import type { NetParameter } from '../../lib/generated/caffe.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { RandomStream } from '../../lib/rng.js'

/** Every random stream of a benchmark starts here, so that all processes compute the same. */
export const SEED = 1

export interface BenchNet {
  readonly title: string
  /** Batch that the prototxt trains with. */
  readonly batch: number
  readonly classes: number
  /** Inputs are (T, N, …): the batch is the second axis. */
  readonly recurrent?: boolean
  /** No goal holds for it: it is here for peers that run nothing else. */
  readonly noGoal?: boolean
}

export const nets: Record<string, BenchNet> = {
  lenet: { title: 'LeNet', batch: 64, classes: 10 },
  cifar10_quick: { title: 'cifar10_quick', batch: 100, classes: 10 },
  caffenet: { title: 'CaffeNet', batch: 10, classes: 1000 },
  googlenet: { title: 'GoogLeNet', batch: 1, classes: 1000 },
  squeezenet: { title: 'SqueezeNet 1.1', batch: 1, classes: 1000 },
  resnet18: { title: 'ResNet-18', batch: 4, classes: 1000 },
  lstm: { title: 'LSTM, 2 layers, 32 steps', batch: 32, classes: 10, recurrent: true },
  mlp: { title: 'MLP 784-100-10', batch: 64, classes: 10, noGoal: true },
}

export type NetMode = 'train' | 'inference'

/** The net as its prototxt says, its inputs for `batch` items. */
export function describe(name: string, batch: number): NetParameter {
  const param = parseNet(readFileSync(new URL(`${name}.prototxt`, import.meta.url), 'utf8'), {
    file: `${name}.prototxt`,
  })
  for (const layer of param.layer ?? []) {
    if (layer.type !== 'Input') continue
    layer.input_param!.shape!.forEach((shape, i) => {
      const dims = [...shape.dim!]
      const axis = nets[name].recurrent && layer.top![i] !== 'label' ? 1 : 0
      dims[axis] = batch as (typeof dims)[number]
      shape.dim = dims
    })
  }
  return param
}

/** Phase and stages of a mode, as Net.create and `caffe time` take them. */
export const stateOf = (mode: NetMode): { phase: 'TRAIN' | 'TEST'; stages: string[] } =>
  mode === 'train' ? { phase: 'TRAIN', stages: [] } : { phase: 'TEST', stages: ['deploy'] }

/**
 * Without fillers: drawing CaffeNet's weights takes seconds, and every process would do it for every job. `fill` makes
 * them instead.
 */
export function unfilled(param: NetParameter): NetParameter {
  for (const layer of param.layer ?? [])
    for (const settings of [layer.convolution_param, layer.inner_product_param, layer.recurrent_param])
      delete settings?.weight_filler
  return param
}

/** Build a net and fill its weights and its inputs. */
export async function createNet(
  name: string,
  mode: NetMode,
  batch: number,
  engine: EngineName,
  threads: number,
): Promise<Net> {
  const net = await Net.create(unfilled(describe(name, batch)), { ...stateOf(mode), engine, threads, seed: SEED })
  fill(net, name)
  return net
}

/** A net made for inference with the same weights, as peers fold and fuse theirs when they load a graph. */
export async function optimized(
  net: Net,
  name: string,
  batch: number,
  engine: EngineName,
  threads: number,
): Promise<Net> {
  const lean = await Net.create(unfilled(describe(name, batch)), {
    ...stateOf('inference'),
    engine,
    threads,
    seed: SEED,
    optimize: 'inference',
  })
  await lean.copyFrom(net)
  return lean
}

/** A prime, so that rows of weights that are cut from the table one after the other differ. */
const TABLE_SIZE = 65521

/**
 * Weights as before training with He's variance, 2 / inputs; biases and statistics as if trained, since zeros would
 * hide mistakes; inputs: numbers around 0, labels, starts of sequences.
 */
export function fill(net: Net, name: string): void {
  const draw = new RandomStream(SEED, 'bench weights')
  const uniform = Float32Array.from({ length: TABLE_SIZE }, () => 2 * draw.uniform() - 1)
  let at = 0
  for (const node of net.built.nodes) {
    const random = new RandomStream(SEED, `bench ${node.name}`)
    const blobs = node.layer.blobs
    if (node.layer.type === 'BatchNorm') {
      blobs[0].dataArray.forEach((_, i, mean) => (mean[i] = 0.2 * (random.uniform() - 0.5)))
      blobs[1].dataArray.forEach((_, i, variance) => (variance[i] = 0.5 + random.uniform()))
      blobs[2].dataArray[0] = 1
      continue
    }
    for (const blob of blobs) {
      const { dataArray: values } = blob
      if (blob.numAxes === 1) for (let i = 0; i < values.length; i++) values[i] += 0.1 * (random.uniform() - 0.5)
      else {
        const bound = Math.sqrt((3 * 2) / blob.size(1))
        for (let i = 0; i < values.length; i++) {
          values[i] = bound * uniform[at]
          at = at + 1 === TABLE_SIZE ? 0 : at + 1
        }
      }
    }
  }
  for (const input of net.inputs) {
    const blob = net.blobs[input]
    const random = new RandomStream(SEED, `bench input ${input}`)
    const value =
      input === 'label'
        ? () => random.integer(nets[name].classes)
        : input === 'cont'
          ? (i: number) => (i < blob.dim(1) ? 0 : 1)
          : input === 'target'
            ? (i: number) => (i % nets[name].classes === 0 ? 1 : 0)
            : () => 2 * random.uniform() - 1
    const { dataArray } = blob
    for (let i = 0; i < dataArray.length; i++) dataArray[i] = value(i)
  }
}

/** Copies of the inputs of a net, to feed it and its peers with. */
export function inputsOf(net: Net): Record<string, Float32Array> {
  return Object.fromEntries(net.inputs.map(input => [input, new Float32Array(net.blobs[input].dataArray)]))
}
