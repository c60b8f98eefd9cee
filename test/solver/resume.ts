/** Training runs that are stopped, saved and gone on from. */
import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { createSolver, parseSolver, type Solver, type SolverOptions, type TestResult } from '../../lib/index.js'
import { goldenPath } from '../golden.js'

/** How snapshots are stored: what is tested with one format is tested with all. */
export const formats = ['BINARYPROTO', 'HDF5'] as const

/** Iterations before the pause: more than the 29 batches of the smallest source, so that it has begun anew. */
export const HALF = 40

/** Where the data comes from; every kind that has a place in its input, or draws random numbers. */
export const sources: Record<string, string> = {
  'LMDB, cropped, mirrored, with a random start': `
    layer { name: "data" type: "Data" top: "data" top: "label" transform_param { scale: 0.00390625 crop_size: 12 mirror: true }
      data_param { source: "mnist_200_lmdb" batch_size: 7 backend: LMDB rand_skip: 50 } }`,
  'images, shuffled, cropped, mirrored': `
    layer { name: "data" type: "ImageData" top: "data" top: "label" transform_param { scale: 0.01 crop_size: 8 mirror: true }
      image_data_param { source: "images/list.txt" root_folder: "images/" batch_size: 4 shuffle: true new_height: 12 new_width: 12 } }`,
  'HDF5, shuffled': `
    layer { name: "data" type: "HDF5Data" top: "data" top: "label" hdf5_data_param { source: "hdf5/list.txt" batch_size: 3 shuffle: true } }`,
  'random values': `
    layer { name: "data" type: "DummyData" top: "data" top: "label" dummy_data_param { shape { dim: 4 dim: 3 dim: 5 dim: 5 } shape { dim: 4 }
      data_filler { type: "gaussian" } data_filler { type: "constant" value: 2 } } }`,
  'an LSTM that goes on from batch to batch, and moving averages': `
    layer { name: "x" type: "DummyData" top: "x" top: "cont" top: "label" dummy_data_param { shape { dim: 4 dim: 2 dim: 3 }
      shape { dim: 4 dim: 2 } shape { dim: 8 } data_filler { type: "gaussian" } data_filler { value: 1 } data_filler { value: 2 } } }
    layer { name: "lstm" type: "LSTM" bottom: "x" bottom: "cont" top: "h"
      recurrent_param { num_output: 25 weight_filler { type: "uniform" min: -0.5 max: 0.5 } } }
    layer { name: "reshape" type: "Reshape" bottom: "h" top: "h4" reshape_param { shape { dim: 8 dim: 1 dim: 5 dim: 5 } } }
    layer { name: "data" type: "BatchNorm" bottom: "h4" top: "data" }`,
}

const layers = `
  layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 3 kernel_size: 3 weight_filler { type: "xavier" } } }
  layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
  layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param { kernel_size: 2 stride: 2 pool: STOCHASTIC } }
  layer { name: "drop" type: "Dropout" bottom: "pool" top: "pool" }
  layer { name: "ip" type: "InnerProduct" bottom: "pool" top: "ip" inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }
  layer { name: "drop2" type: "Dropout" bottom: "ip" top: "ip" dropout_param { dropout_ratio: 0.2 } }
  layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }`

/** A solver of each type whose history, learning-rate stage and test nets all matter. */
const typical: Record<string, string> = {
  SGD: 'momentum: 0.9 weight_decay: 0.001',
  Nesterov: 'momentum: 0.9 regularization_type: "L1" weight_decay: 0.0001',
  AdaGrad: 'delta: 1e-6',
  RMSProp: 'rms_decay: 0.95 clip_gradients: 5',
  AdaDelta: 'momentum: 0.95 delta: 1e-6',
  Adam: 'momentum: 0.9 momentum2: 0.99 iter_size: 2',
}

interface Run {
  solver: Solver
  tests: TestResult[][]
}

export async function start(type: string, source: string, options: SolverOptions, text = ''): Promise<Run> {
  const solver = await createSolver(
    parseSolver(`type: "${type}" ${typical[type]} base_lr: 0.01 lr_policy: "multistep" gamma: 0.5 stepvalue: 24 stepvalue: 25 stepvalue: 60
      test_iter: 2 test_interval: 18 net_param { ${source} ${layers} } ${text}`),
    { threads: 2, files: async path => golden(path), ...options },
  )
  const tests: TestResult[][] = []
  solver.onTest(({ results }) => void tests.push([...results]))
  return { solver, tests }
}

/** Files of golden/io by the names in the prototxts above. */
function golden(path: string): Uint8Array | undefined {
  try {
    return new Uint8Array(readFileSync(goldenPath(`io/${path}`)))
  } catch {
    return undefined
  }
}

/** Everything that training changes, as bits. */
export const bits = ({ solver }: Run) => ({
  iter: solver.iter,
  stage: solver.rate.stage,
  weights: solver.net.built.learnable.map(({ blob }) => new Uint32Array(new Float32Array(blob.dataArray).buffer)),
  history: solver.history.map(blob => new Uint32Array(new Float32Array(blob.dataArray).buffer)),
})

async function resumed(run: Run, type: string, source: string, options: SolverOptions, text = ''): Promise<Run> {
  const snapshot = await run.solver.snapshot()
  const next = await start(type, source, options, text)
  await next.solver.restore(snapshot.state, snapshot.model)
  return next
}

export async function expectSame(
  type: string,
  source: string,
  first: SolverOptions,
  second: SolverOptions,
  text = '',
): Promise<void> {
  const whole = await start(type, source, first, text)
  await whole.solver.step(HALF)
  const before = whole.tests.length
  const next = await resumed(whole, type, source, second, text)
  expect(bits(next)).toEqual(bits(whole))
  await whole.solver.step(HALF)
  await next.solver.step(HALF)
  expect(bits(next)).toEqual(bits(whole))
  expect(next.tests).toEqual(whole.tests.slice(before))
  expect(await next.solver.loss()).toBe(await whole.solver.loss())
  // a run without a pause, from the same seed
  const plain = await start(type, source, { ...first, seed: whole.solver.net.seed }, text)
  await plain.solver.step(2 * HALF)
  expect(bits(plain)).toEqual(bits(whole))
  expect(plain.tests).toEqual(whole.tests)
  // and training did change something
  expect(bits(next).weights).not.toEqual(
    bits(await start(type, source, { ...first, seed: whole.solver.net.seed }, text)).weights,
  )
  for (const { solver } of [whole, next, plain]) solver.dispose()
}
