/** The nets that a solver describes, made, tested and read. */
import { gpuForSolverMode } from '../engines/index.js'
import { NetError, RistrettoError, throwAll } from '../errors.js'
import type { NetParameter, NetState, SolverParameter } from '../generated/caffe.js'
import type { TaggedLog } from '../net/options.js'
import { readNet } from '../net/source.js'
import { Net } from '../net.js'
import type { FileSource, Files } from '../system/files.js'
import type { DetectionTally } from './average_precision.js'
import type { DetectionTest } from './detection_test.js'
import type { OutputValue } from './events.js'
import type { SolverOptions } from './options.js'
import type { Replicas } from './replicas.js'

const stateOptions = (state: NetState | undefined) => ({ level: state?.level, stages: state?.stage })

/** The one train net that a solver names. */
function trainNetOf(param: SolverParameter): string | NetParameter {
  const given = [param.train_net_param, param.train_net, param.net_param, param.net].filter(net => net !== undefined)
  if (given.length !== 1)
    throw new NetError(
      `solver: exactly one of net, net_param, train_net, train_net_param must be given, it has ${given.length}`,
    )
  return given[0]
}

/** Test nets in order: test_net_param, test_net, then the generic net once for every test_iter that is left. */
function testNetsOf(param: SolverParameter): (string | NetParameter)[] {
  const tests: (string | NetParameter)[] = [...(param.test_net_param ?? []), ...(param.test_net ?? [])]
  const generic = param.net_param ?? param.net
  const counts = param.test_iter?.length ?? 0
  if (generic === undefined ? counts !== tests.length : counts < tests.length)
    throw new NetError(
      `solver: test_iter is given ${counts} times for ${tests.length} test nets: give it once per test net`,
    )
  while (tests.length < counts) tests.push(generic!)
  if (param.test_state?.length && param.test_state.length !== tests.length)
    throw new NetError(`solver: test_state is given ${param.test_state.length} times for ${tests.length} test nets`)
  if (tests.length && !((param.test_interval ?? 0) > 0))
    throw new NetError('solver: it has test nets, so test_interval must be positive')
  return tests
}

/** Every value of every output, with the name and loss weight of its blob. */
function outputValues(net: Net, value: (k: number) => number): OutputValue[] {
  const weights = new Map(
    net.built.nodes.flatMap(node => node.top.map((blob, i) => [blob.name, node.lossWeights[i]] as const)),
  )
  let k = 0
  return net.outputs.flatMap(name =>
    Array.from({ length: net.blobs[name].count }, () => ({
      name,
      value: value(k++),
      lossWeight: weights.get(name) ?? 0,
    })),
  )
}

/** A solver's nets. `trained`: weights were loaded into them. */
export interface SolverNets {
  readonly net: Net
  readonly testNets: Net[]
  readonly trained: boolean
}

/** Build the train net, load its weights, and build the test nets, which share them. */
export async function buildNets(
  param: SolverParameter,
  options: SolverOptions,
  near: Files,
  taggedLog: TaggedLog,
  replicas?: Replicas,
): Promise<SolverNets> {
  const read = async (net: string | NetParameter): Promise<NetParameter> => {
    if (typeof net !== 'string') return net
    const { param, errors } = await readNet(net, near, { inFile: true })
    throwAll(errors)
    return param
  }
  const whole = await read(trainNetOf(param))
  const { freeze } = options
  const train = freeze ? (await import('../onnx/freeze.js')).freeze(whole, { freeze }) : whole
  const seed = replicas
    ? await replicas.seed()
    : (options.seed ?? ((param.random_seed ?? -1) >= 0 ? param.random_seed : undefined))
  // the schema's default is GPU, too: only a written one counts
  const engine =
    options.engine ??
    (param.solver_mode === 'GPU' ? await gpuForSolverMode(options, line => taggedLog(line)) : undefined)
  const { threads, maxMemory, maxWork, files } = options
  const common = { engine, threads, maxMemory, maxWork, files, taggedLog, near }
  const state = stateOptions(param.train_state)
  const net = await Net.create(train, {
    ...common,
    level: options.level ?? state.level,
    stages: [...(state.stages ?? []), ...(options.stages ?? [])],
    phase: param.train_state?.phase ?? train.state?.phase ?? 'TRAIN',
    seed,
    share: replicas?.shareOf(),
  })
  if (!net.layers.length)
    throw new NetError(`solver: net '${net.name}' has no layer in phase ${net.phase}, so there is nothing to train`)
  const weights = [...(param.weights ?? []).flatMap(list => list.split(',')), ...listOf(options.weights)]
  for (const file of weights) await net.copyFrom(file)
  const testNets: Net[] = []
  for (const [i, source] of testNetsOf(param).entries()) {
    const description = await read(source)
    const state = param.test_state?.[i]
    const phase = state?.phase ?? description.state?.phase ?? 'TEST'
    const share = replicas?.shareOf(param.test_iter?.[i] ?? 0)
    testNets.push(await Net.create(description, { ...common, ...stateOptions(state), phase, seed: net.seed, share }))
    testNets[i].shareWith(net)
  }
  return { net, testNets, trained: weights.length > 0 }
}

const listOf = (weights: SolverOptions['weights']): readonly FileSource[] =>
  weights === undefined ? [] : Array.isArray(weights) ? weights : [weights as FileSource]

/** The test net of this number, or what is said where there is none. */
export function testNetOf(nets: readonly Net[], index: number): Net {
  const net = nets[index]
  if (net) return net
  if (nets.length === 0)
    throw new RistrettoError(
      'test: the solver has no test net; its prototxt needs test_iter, test_interval and a net with a phase TEST (or test_net)',
    )
  throw new RistrettoError(`test: there is no test net ${index}; the solver has ${nets.length}, numbered from 0`)
}

/** Means of all outputs over `iterations` batches, and of the loss if it is asked for; nothing once `signal` says stop. */
export async function testMeans(
  net: Net,
  iterations: number,
  withLoss: boolean,
  signal: AbortSignal | undefined,
  detection?: DetectionTest,
  replicas?: Replicas,
): Promise<{ results: OutputValue[]; loss?: number } | undefined> {
  const sums: number[] = []
  const tallies = detection && (await detectionTallies(net))
  let loss = 0
  const take = ([batchLoss, ...outputs]: readonly OutputArray[]) => {
    loss += batchLoss[0]
    let k = 0
    for (const [j, values] of outputs.entries())
      if (tallies) tallies[j].add(values)
      else for (const value of values) sums[k] = (sums[k++] ?? 0) + value
  }
  const dealt = await replicas?.deal(net, iterations, () => readBatch(net, withLoss))
  if (dealt) for (const batch of dealt) take(batch)
  else
    for (let i = 0; i < iterations; i++) {
      if (signal?.aborted) return undefined
      take(await readBatch(net, withLoss))
    }
  const results =
    detection && tallies
      ? tallies.flatMap((tally, j) => precisions(net.outputs[j], tally, detection))
      : outputValues(net, k => sums[k] / iterations)
  return { results, ...(withLoss ? { loss: loss / iterations } : {}) }
}

type OutputArray = ArrayLike<number> & Iterable<number>

/** The next batch's loss, where it is asked for, and its outputs. */
async function readBatch(net: Net, withLoss: boolean): Promise<OutputArray[]> {
  await net.exclusive(() => net.runner.forward())
  const values: OutputArray[] = [[withLoss ? await net.loss() : 0]]
  for (const name of net.outputs) {
    const { memory } = net.blobs[name]
    await memory.data.pull()
    values.push(memory.data.values)
  }
  return values
}

async function detectionTallies(net: Net): Promise<DetectionTally[]> {
  const { DetectionTally } = await import('./average_precision.js')
  return net.outputs.map(name => {
    const { shape } = net.blobs[name]
    if (shape.length !== 4 || shape[3] !== 5)
      throw new NetError(
        `solver: eval_type "detection" takes outputs of DetectionEvaluate, 1×1×rows×5; output '${name}' is ${shape.join('×')}: give it to a Silence layer`,
      )
    return new DetectionTally()
  })
}

function precisions(name: string, tally: DetectionTally, { version, perClass }: DetectionTest): OutputValue[] {
  const { map, classes } = tally.scores(version)
  const each = perClass ? classes.map(({ label, ap }) => ({ name: `class${label}`, value: ap, lossWeight: 0 })) : []
  return [...each, { name, value: map, lossWeight: 0 }]
}

/** Every value of every output as it stands, or as another worker had it. */
export async function readOutputs(net: Net, others: readonly number[] = []): Promise<OutputValue[]> {
  if (others.length) return outputValues(net, k => others[k])
  for (const name of net.outputs) await net.blobs[name].memory.data.pull()
  const values = net.outputs.flatMap(name => [...net.blobs[name].memory.data.values])
  return outputValues(net, k => values[k])
}
