import type { LayerParameter, NetParameter } from '../../generated/caffe.js'
import type { Phase } from '../../layer.js'
import { deployed, planDeploy } from '../../net/deploy_plan.js'
import { declaredItem } from '../../net/deploy_shape.js'
import { filterNet } from '../../net/graph.js'
import { keepPlace } from '../../proto/places.js'
import { fetchClasses } from '../../registry.js'
import { guesses, isData, withStandIns } from '../../tools/stand_in.js'
import type { InspectRequest } from '../api/index.js'
import type { DatasetFacts } from './facts.js'
import { byKey } from './graph.js'

/** The part of one description that trains, that tests, or that is used. */
export type Stage = InspectRequest['stage']

/**
 * The states of the stages: phases, and the stage names that nets of DIGITS go by, which solvers of Studio name in
 * `train_state` and `test_state`.
 */
export const stageStates: Readonly<Record<Stage, { readonly phase: Phase; readonly stages: readonly string[] }>> = {
  train: { phase: 'TRAIN', stages: ['train'] },
  val: { phase: 'TEST', stages: ['val'] },
  deploy: { phase: 'TEST', stages: ['deploy'] },
}

/** What stands in for data. */
export interface StageOptions {
  readonly dataset?: Pick<DatasetFacts, 'channels' | 'height' | 'width'>
  /** Side of the square that is cut from the pictures. */
  readonly crop?: number
  /** Items of a pass; default: what the data layers say, 1 of a deploy net. */
  readonly batch?: number
}

/** A net of one stage, with inputs in place of what reads data. */
export interface StagedNet {
  readonly net: NetParameter
  /** Layers as they were written, by the keys of what stands for them. */
  readonly written: ReadonlyMap<string, LayerParameter>
}

/** The layers of a stage as the description has them. */
export function layersOf(net: NetParameter, stage: Stage): LayerParameter[] {
  const { phase, stages } = stageStates[stage]
  const { level = 0, stage: own = [] } = net.state ?? {}
  return filterNet(net, { phase, level, stages: [...own, ...stages] }).layer ?? []
}

/**
 * The net of a stage that can be made without data: inputs of the dataset's sizes in place of data layers. An upgraded
 * net is taken. Throws a NetError where rules contradict each other or nothing predicts.
 */
export async function stageNet(net: NetParameter, stage: Stage, options: StageOptions = {}): Promise<StagedNet> {
  await fetchClasses(net.layer ?? [])
  if (stage === 'deploy') return deployStage(net, options)
  const layers = layersOf(net, stage)
  const shapes: Record<string, readonly number[]> = {}
  const item = itemOf(options)
  for (const layer of layers.filter(isData)) {
    const items = options.batch ?? batchOf(layer) ?? 1
    const own = item ?? declaredItem(layer, 0)
    const [data, ...others] = layer.top ?? []
    if (data !== undefined && own) shapes[data] = [items, ...own]
    if (item) for (const name of others) shapes[name] = [items]
  }
  const fed = withStandIns({ ...net, layer: layers }, guesses[0], shapes)
  return {
    net: { ...fed.net, state: undefined, layer: fed.net.layer?.map(withoutRules) },
    written: byKey(layers),
  }
}

async function deployStage(net: NetParameter, options: StageOptions): Promise<StagedNet> {
  const plan = await planDeploy(net)
  const item = itemOf(options)
  const items: Record<string, readonly number[]> = {}
  for (const { name, layer, index } of plan.inputs) {
    const isPicture = index === 0 && (!layer || isData(layer) || !layer.top?.includes(name))
    items[name] =
      (isPicture ? item : undefined) ?? declaredItem(layer, index) ?? (index === 0 ? (item ?? guesses[0]) : [])
  }
  const made = deployed(plan, items, options.batch)
  const source = plan.inputs[0]?.layer
  const layers = made.layer?.map((layer, i) =>
    i === 0 && plan.inputs.length && source ? keepPlace(source, layer) : layer,
  )
  return { net: { ...made, layer: layers }, written: byKey(layers ?? []) }
}

const itemOf = ({ dataset, crop }: StageOptions): readonly number[] | undefined =>
  dataset && [dataset.channels, crop ?? dataset.height, crop ?? dataset.width]

/** What a data layer says of its batch. */
export function batchOf(layer: LayerParameter): number | undefined {
  for (const [name, value] of Object.entries(layer)) {
    const { batch_size } = (name.endsWith('_param') ? value : {}) as { batch_size?: unknown }
    if (typeof batch_size === 'number' && batch_size > 0) return batch_size
  }
  return undefined
}

/** Rules have been followed, and must not be followed again under another state. */
const withoutRules = ({ include, exclude, ...layer }: LayerParameter, _i: number, all: LayerParameter[]) =>
  keepPlace(all[_i], layer)
