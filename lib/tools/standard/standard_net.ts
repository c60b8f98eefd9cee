import { MOST_PIXELS } from '../../data/image.js'
import { NetError } from '../../errors.js'
import type { LayerParameter, NetParameter, SolverParameter } from '../../generated/caffe.js'
import { mustTake } from '../../system/arguments.js'
import {
  aCount,
  aFlag,
  aLimit,
  aList,
  aNumber,
  anObject,
  anything,
  aPath,
  aSeed,
  aText,
  checkNeeded,
  type OptionRule,
  type OptionRules,
  sizes,
} from '../../system/check_options.js'
import { didYouMean, listNames } from '../../system/names.js'
import { Layers } from './layers.js'
import { type StandardNet, type StandardNetName, standardNets } from './nets.js'

export type { StandardNetName }

/** Where the pictures of a standard net lie, and how they are prepared. */
export interface StandardData {
  /** LMDB of the training, and of the tests where there are some. */
  readonly train: string
  readonly val?: string
  /** What is taken off bytes: one value, or one a channel. */
  readonly mean?: readonly number[]
  /** Factor after that; default 1/64, which makes of pictures values of about −2 … 2. */
  readonly scale?: number
  /** Pictures are cut to `size`, at random in training: smaller than in the database. */
  readonly crop?: boolean
  /** Mirror half of the training's pictures. */
  readonly mirror?: boolean
  /** Items of a batch of the tests; default that of the training. */
  readonly testBatch?: number
}

/** What a standard net is made for. */
export interface StandardNetOptions {
  readonly classes: number
  /** 3 (default) or 1. */
  readonly channels?: number
  /** Side of square pictures, or height and width: of what the net sees, after a crop. */
  readonly size: number | readonly [height: number, width: number]
  /** Databases to learn from; left out, the net has inputs `data` and `label`, to be fed. */
  readonly data?: StandardData
  /** Items of a training batch; each net has its default. */
  readonly batch?: number
}

const DATA_RULES: OptionRules<StandardData> = {
  train: aPath,
  val: aPath,
  mean: aList,
  scale: aNumber,
  crop: aFlag,
  mirror: aFlag,
  testBatch: aCount,
}
const NET_RULES: OptionRules<StandardNetOptions> = {
  classes: anything,
  channels: anything,
  size: [v => typeof v === 'number' || sizes(2)[0](v), 'a number, or [height, width]'],
  data: anObject,
  batch: aCount,
}

/** The names that standardNet takes. */
export const standardNetNames = Object.keys(standardNets) as readonly StandardNetName[]

/**
 * A net that others have found good, for pictures of any size: one description for training (phase TRAIN), tests (phase
 * TEST) and use (phase TEST, stage `deploy`). Strides and fillers are such that it learns from scratch, on small pictures
 * as well: below 128 pixels the first layers keep more places than in the papers. Throws a NetError for an unknown name or
 * pictures that are too small.
 */
export function standardNet(name: StandardNetName, options: StandardNetOptions): NetParameter {
  const net = standardOf(name)
  checkNeeded('standardNet', options, NET_RULES, ['classes', 'size'])
  if (options.data) checkNeeded('standardNet: data', options.data, DATA_RULES, ['train'])
  const { classes, channels = 3 } = options
  const [height, width] = typeof options.size === 'number' ? [options.size, options.size] : options.size
  if (height * width > MOST_PIXELS)
    throw new NetError(`standardNet: pictures of ${height}×${width} are larger than any that is read`)
  const counts = { classes, channels, height, width }
  for (const [what, value] of Object.entries(counts))
    if (!Number.isInteger(value) || value < 1)
      throw new NetError(`standardNet: ${what} is ${String(value)}; it is a whole number from 1 on`)
  const side = Math.min(height, width)
  if (side < net.least)
    throw new NetError(`${net.title} takes pictures of at least ${net.least}×${net.least}, not ${height}×${width}`)
  const layers = new Layers()
  const scores = net.build(layers, { classes, side })
  const item = [channels, height, width]
  const top =
    classes > 5 && options.data
      ? [accuracy('accuracy', scores), accuracy('accuracy-top5', scores, 5)]
      : [accuracy('accuracy', scores)]
  return {
    name: net.title,
    layer: [
      ...(options.data
        ? dataLayers(options.data, options.batch ?? net.batch, item)
        : inputLayers(options.batch ?? net.batch, item)),
      ...layers.all,
      {
        name: 'loss',
        type: 'SoftmaxWithLoss',
        bottom: [scores, 'label'],
        top: ['loss'],
        exclude: [{ stage: ['deploy'] }],
      },
      ...top,
      { name: 'prob', type: 'Softmax', bottom: [scores], top: ['prob'], include: [{ stage: ['deploy'] }] },
    ],
  }
}

const accuracy = (name: string, scores: string, top_k = 1): LayerParameter => ({
  name,
  type: 'Accuracy',
  bottom: [scores, 'label'],
  top: [name],
  include: [{ phase: 'TEST', not_stage: ['deploy'] }],
  ...(top_k > 1 && { accuracy_param: { top_k } }),
})

function standardOf(name: string): StandardNet {
  mustTake(typeof name === 'string', 'a standard net', 'a name', name)
  if (Object.hasOwn(standardNets, name)) return standardNets[name as StandardNetName]
  throw new NetError(
    `there is no standard net '${name}'${didYouMean(name, standardNetNames)}; there are ${listNames([...standardNetNames])}`,
  )
}

const inputLayers = (batch: number, item: readonly number[]): LayerParameter[] => [
  { name: 'data', type: 'Input', top: ['data'], input_param: { shape: [{ dim: [batch, ...item] }] } },
  {
    name: 'label',
    type: 'Input',
    top: ['label'],
    input_param: { shape: [{ dim: [batch] }] },
    exclude: [{ stage: ['deploy'] }],
  },
]

function dataLayers(data: StandardData, batch: number, item: readonly number[]): LayerParameter[] {
  const { train, val, mean = [], scale = 1 / 64, crop, mirror, testBatch = batch } = data
  const transform = {
    ...(crop && { crop_size: item[1] }),
    scale,
    ...(mean.length > 0 && { mean_value: [...mean] }),
  }
  if (crop && item[1] !== item[2])
    throw new NetError(`standardNet: a crop is square, the pictures are ${item.slice(1).join('×')}`)
  const layer = (name: string, source: string, batch_size: number, mirrored: boolean): LayerParameter => ({
    name,
    type: 'Data',
    top: ['data', 'label'],
    include: [name === 'train-data' ? { phase: 'TRAIN' } : { phase: 'TEST', not_stage: ['deploy'] }],
    transform_param: { ...transform, ...(mirrored && { mirror: true }) },
    data_param: { source, batch_size, backend: 'LMDB' },
  })
  return [
    layer('train-data', train, batch, mirror ?? false),
    ...(val === undefined ? [] : [layer('val-data', val, testBatch, false)]),
    {
      name: 'data',
      type: 'Input',
      top: ['data'],
      input_param: { shape: [{ dim: [1, ...item] }] },
      include: [{ stage: ['deploy'] }],
    },
  ]
}

/** How long and how a standard net is trained. */
export interface StandardSolverOptions {
  /** Path of the net. */
  readonly net: string
  readonly epochs: number
  /** Pictures of the training and of the tests. */
  readonly train: number
  readonly val?: number
  readonly batch?: number
  readonly testBatch?: number
  /** SGD (default), Nesterov, AdaGrad, RMSProp, AdaDelta or Adam. */
  readonly type?: string
  /** The first rate; each net and solver has its default. */
  readonly rate?: number
  readonly seed?: number
  /** Path and beginning of the names of snapshots. */
  readonly prefix: string
}

const aRate: OptionRule = [v => typeof v === 'number' && v > 0 && v < Number.POSITIVE_INFINITY, 'a number above 0']

const SOLVER_RULES: OptionRules<StandardSolverOptions> = {
  net: aPath,
  epochs: anything,
  train: anything,
  val: aLimit,
  batch: aCount,
  testBatch: aCount,
  type: aText,
  rate: aRate,
  seed: aSeed,
  prefix: aPath,
}

/** First rates of solvers that scale their steps themselves. */
const RATES: Readonly<Record<string, number>> = { AdaGrad: 0.01, RMSProp: 0.001, AdaDelta: 1, Adam: 0.001 }

/**
 * The solver of a standard net: a test and a snapshot an epoch, and a tenth of the rate after each third of the
 * training. Epochs are rounded up to whole batches.
 */
export function standardSolver(name: StandardNetName, options: StandardSolverOptions): SolverParameter {
  const net = standardOf(name)
  checkNeeded('standardSolver', options, SOLVER_RULES, ['net', 'epochs', 'train', 'prefix'])
  const { epochs, train, val = 0, batch = net.batch, testBatch = batch, type = 'SGD', seed } = options
  if (!(epochs > 0) || !(train >= 1))
    throw new NetError(`standardSolver: ${epochs} epochs of ${train} pictures are no training`)
  if (type !== 'SGD' && type !== 'Nesterov' && !Object.hasOwn(RATES, type))
    throw new NetError(`there is no solver '${type}': there are SGD, Nesterov, ${Object.keys(RATES).join(', ')}`)
  const epoch = Math.ceil(train / batch)
  const maxIter = Math.max(1, Math.ceil(epochs * epoch))
  if (maxIter > MOST_ITERATIONS)
    throw new NetError(
      `standardSolver: ${epochs} epochs of ${train} pictures are more than ${MOST_ITERATIONS} iterations`,
    )
  const each = Math.min(epoch, maxIter)
  const steady = type === 'SGD' || type === 'Nesterov'
  return {
    net: options.net,
    ...(val > 0 && { test_iter: [Math.ceil(val / testBatch)], test_interval: each, test_initialization: false }),
    base_lr: options.rate ?? RATES[type] ?? net.rate,
    lr_policy: 'step',
    gamma: 0.1,
    stepsize: Math.max(1, Math.ceil(maxIter / 3)),
    max_iter: maxIter,
    display: Math.max(1, Math.floor(each / 8)),
    ...(steady || type === 'Adam' ? { momentum: 0.9 } : {}),
    weight_decay: net.decay,
    snapshot: each,
    snapshot_prefix: options.prefix,
    ...(type !== 'SGD' && { type }),
    ...(seed !== undefined && { random_seed: seed }),
  }
}

/** What max_iter, an int32, can say. */
const MOST_ITERATIONS = 2 ** 31 - 1

/** The largest number up to `most` that divides `count`, if it is large enough to be quick; else `most`. */
export function testBatchFor(count: number, most = 100): number {
  for (let batch = Math.min(most, count); batch >= Math.max(1, most / 4); batch--) if (count % batch === 0) return batch
  return Math.min(most, Math.max(1, count))
}

/** The net's own batch; of small sets less, down to 16, so that an epoch has sixteen steps. */
export const batchFor = (name: StandardNetName, train: number): number =>
  Math.min(standardOf(name).batch, Math.max(16, 2 ** Math.floor(Math.log2(train / 16))), train)
