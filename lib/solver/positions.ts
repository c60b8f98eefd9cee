import type { Blob } from '../blob.js'
import type { SolverParameter } from '../generated/caffe.js'
import type { Layer } from '../layer.js'
import type { Net } from '../net.js'
import type { FileSource, Files } from '../system/files.js'
import type { LearningRate } from './learning_rate.js'

/**
 * What Caffe's solver state leaves out: where every random stream and data layer is. Kept as JSON in a field that Caffe
 * skips.
 */
export interface Positions {
  seed: number
  train: NetPosition
  test: NetPosition[]
  /** What the model's file looked like that was saved with it: see fingerprint. */
  model?: string
  /** The patterns of layers that kept their weights. */
  freeze?: readonly string[]
}
export interface NetPosition {
  passes: number
  layers: Record<string, Record<string, number>>
}

/** What a snapshot holds: the part of a solver that it is made from and restored to. */
export interface TrainingRun {
  readonly param: SolverParameter
  readonly files: Files
  readonly net: Net
  readonly testNets: readonly Net[]
  readonly history: readonly Blob[]
  readonly rate: LearningRate
  readonly options: { readonly freeze?: readonly string[] }
  iter: number
}

/** Whether `every` iterations come to a whole number of times after `start`, up to `stop`. */
export const hasMultiple = (every: number | undefined, start: number, stop: number): boolean =>
  !!every && Math.floor(stop / every) > Math.floor(start / every)

/** What messages call a solver state. */
export const stateName = (source: FileSource): string =>
  source instanceof Uint8Array ? 'the given solver state' : String(source)

/** Begins the key of a feed's place. */
const FEED = 'feed\0'

async function positionOf(net: Net): Promise<NetPosition> {
  const layers: NetPosition['layers'] = {}
  for (const layer of net.layers) {
    await layer.pullState()
    const state = layer.saveState()
    if (state) layers[layer.key] = checkedState(layer, state)
  }
  // under names that no layer has
  for (const [inputs, place] of Object.entries(net.runner.feedPlaces)) layers[FEED + inputs] = place
  return { passes: net.runner.count, layers }
}

/** What a layer saves is what it is given again: NaN would come back as null. */
function checkedState(layer: Layer, state: Record<string, number>): Record<string, number> {
  const wrong = Object.keys(state).find(name => !Number.isFinite(state[name]))
  if (wrong !== undefined)
    throw layer.error(`its saveState gives ${String(state[wrong])} as '${wrong}', which is no finite number`)
  return state
}

/** Where every random stream and data layer of a run is. */
export async function positionsOf(solver: TrainingRun): Promise<Positions> {
  const train = await positionOf(solver.net)
  const test: NetPosition[] = []
  for (const net of solver.testNets) test.push(await positionOf(net))
  return { seed: solver.net.seed, train, test }
}

/** Go on from there. */
export function applyPositions(solver: TrainingRun, positions: Positions): void {
  const apply = (net: Net, position: NetPosition | undefined) => {
    if (!position) return
    net.runner.count = position.passes
    net.runner.reseed(positions.seed)
    net.runner.restoreFeeds(
      Object.fromEntries(
        Object.entries(position.layers).flatMap(([key, { epoch = 0, at = 0 }]) =>
          key.startsWith(FEED) ? [[key.slice(FEED.length), { epoch, at }]] : [],
        ),
      ),
    )
    for (const layer of net.layers)
      if (Object.hasOwn(position.layers, layer.key)) layer.restoreState(position.layers[layer.key])
  }
  apply(solver.net, positions.train)
  solver.testNets.forEach((net, i) => apply(net, positions.test[i]))
}
