import type { LayerParameter, NetParameter } from '../../generated/caffe.js'
import { deployed, planDeploy } from '../../net/deploy_plan.js'
import { declaredItem } from '../../net/deploy_shape.js'
import { keepPlace } from '../../proto/places.js'
import { fetchClasses } from '../../registry.js'
import { guesses, isData, withStandIns } from '../../tools/stand_in.js'
import { cropOf } from '../core/data_layers.js'
import type { DatasetFacts } from '../core/facts.js'
import { batchOf, layersOf, type Stage } from '../core/stages.js'
import { byKey } from './graph.js'

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

/**
 * The net of a stage that can be made without data: inputs of the dataset's sizes in place of data layers. An upgraded
 * net is taken. Throws a NetError where rules contradict each other or nothing predicts.
 */
export async function stageNet(net: NetParameter, stage: Stage, given: StageOptions = {}): Promise<StagedNet> {
  await fetchClasses(net.layer ?? [])
  // what the form leaves open, the data layer may say
  const options = { ...given, crop: cropOf(net, given.crop) }
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

/** Rules have been followed, and must not be followed again under another state. */
const withoutRules = ({ include, exclude, ...layer }: LayerParameter, _i: number, all: LayerParameter[]) =>
  keepPlace(all[_i], layer)
