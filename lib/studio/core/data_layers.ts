import { NetError } from '../../errors.js'
import type { LayerParameter, NetParameter, NetStateRule } from '../../generated/caffe.js'
import { pictureLayers } from '../../net/picture_layers.js'
import { placeOf } from '../../proto/places.js'
import { testBatchFor } from '../../tools/standard/standard_net.js'
import type { ModelForm } from '../api/index.js'
import type { DatasetFacts } from './facts.js'
import { batchOf, layersOf } from './stages.js'

/** Items of a training's pass where neither form nor net say it. */
const BATCH = 64

/** What of the data a net gets from its dataset and the form. */
export interface DataPlan {
  /** Layers in place of those of the text. */
  readonly changes: ReadonlyMap<LayerParameter, readonly LayerParameter[]>
  /** Layers before all others. */
  readonly added: readonly LayerParameter[]
  readonly batch: number
  /** Undefined where nothing is tested. */
  readonly testBatch: number | undefined
  /** Whether the rules name the stages of nets of DIGITS. */
  readonly stages: readonly ('train' | 'val')[]
}

type DataForm = Pick<ModelForm, 'mean' | 'crop' | 'mirror'> & { readonly batch?: number }

/**
 * The data layers of a description with a dataset's databases in them, and an input of its size for the stage `deploy`,
 * where the description has one.
 * @param folder what the prototxt calls the dataset's folder
 */
export function planData(net: NetParameter, form: DataForm, dataset: DatasetFacts, folder: string): DataPlan {
  const train = sourcesOf(net, 'train')
  const val = sourcesOf(net, 'val')
  if (!train.length)
    throw new NetError(
      'the net has no data layer in its training; write one, whose source is then the dataset: layer { name: "data" type: "Data" top: "data" top: "label" }',
    )
  const tested = (dataset.sets.val?.records ?? 0) > 0
  if (tested && !val.length)
    throw new NetError(
      'the net has no data layer for its tests, and the dataset has pictures for them: write a Data layer with include { phase: TEST }',
      { layer: train[0].name, place: placeOf(train[0]) },
    )
  const batch = form.batch ?? batchOf(train[0]) ?? BATCH
  const testBatch = tested ? testBatchFor(dataset.sets.val!.records, batchOf(val[0]) ?? 100) : undefined
  const put = (layer: LayerParameter, set: 'train' | 'val'): LayerParameter => ({
    ...withoutReaders(layer),
    type: 'Data',
    transform_param: transformOf(layer, set, form, dataset, folder),
    data_param: {
      ...(set === 'train' ? layer.data_param : {}),
      source: `${folder}/${set}_db`,
      batch_size: set === 'train' ? batch : (testBatch ?? batch),
      backend: 'LMDB',
    },
  })
  const changes = new Map<LayerParameter, readonly LayerParameter[]>()
  for (const layer of new Set([...train, ...val])) {
    const inTrain = train.includes(layer)
    const inVal = tested && val.includes(layer)
    if (inTrain && val.includes(layer)) {
      const { name = 'data', include, exclude, ...rest } = layer
      const own = (set: 'train' | 'val', rule: NetStateRule) =>
        put({ name: `${set}-${name}`, ...rest, include: [rule] }, set)
      changes.set(layer, [
        own('train', { phase: 'TRAIN' }),
        ...(inVal ? [own('val', { phase: 'TEST', not_stage: ['deploy'] })] : []),
      ])
    } else changes.set(layer, inTrain ? [put(layer, 'train')] : inVal ? [put(layer, 'val')] : [])
  }
  const added = putInput(net, train[0], form, dataset, changes)
  return { changes, added, batch, testBatch, stages: namedStages(net) }
}

const sourcesOf = (net: NetParameter, stage: 'train' | 'val'): LayerParameter[] => {
  const layers = layersOf(net, stage)
  const readers = new Set(pictureLayers(layers))
  return layers.filter(layer => readers.has(layer) || (layer.type === 'Data' && !layer.bottom?.length))
}

/** A layer without what it read before. */
function withoutReaders(layer: LayerParameter): LayerParameter {
  const { image_data_param, dense_image_data_param, window_data_param, annotated_data_param, ...rest } = layer
  return rest
}

function transformOf(
  { transform_param: own = {} }: LayerParameter,
  set: 'train' | 'val',
  form: DataForm,
  dataset: DatasetFacts,
  folder: string,
): LayerParameter['transform_param'] {
  const { mean_file, mean_value = [], crop_size, mirror, ...rest } = own
  const mean = form.mean ?? (mean_file !== undefined ? 'image' : mean_value.length ? 'own' : 'pixel')
  const crop = form.crop ?? crop_size ?? 0
  const mirrored = set === 'train' && (form.mirror ?? mirror ?? false)
  return {
    ...rest,
    ...(mirrored && { mirror: true }),
    ...(crop > 0 && { crop_size: crop }),
    ...(mean === 'image' && { mean_file: `${folder}/mean.binaryproto` }),
    ...(mean === 'pixel' && { mean_value: dataset.mean.map(value => Math.round(100 * value) / 100) }),
    ...(mean === 'own' && { mean_value }),
  }
}

/** Side of the square that the net gets: the form's, or what its data layer says. */
export const cropOf = (net: NetParameter, crop: number | undefined): number | undefined =>
  crop ?? (sourcesOf(net, 'train')[0]?.transform_param?.crop_size || undefined)

/** The input of the deployed net, where its stage is named: with the dataset's size, there or to be added. */
function putInput(
  net: NetParameter,
  source: LayerParameter,
  form: DataForm,
  dataset: DatasetFacts,
  changes: Map<LayerParameter, readonly LayerParameter[]>,
): LayerParameter[] {
  if (!rulesOf(net).some(rule => namesStage(rule, 'deploy'))) return []
  const [data = 'data'] = source.top ?? []
  const crop = cropOf(net, form.crop)
  const dim = [1, dataset.channels, crop ?? dataset.height, crop ?? dataset.width]
  const deploy = layersOf(net, 'deploy')
  const input = deploy.find(layer => layer.top?.includes(data) && layer.input_param)
  if (input) {
    const [first, ...others] = input.input_param!.shape ?? []
    if (first?.dim?.slice(1).join() !== dim.slice(1).join())
      changes.set(input, [{ ...input, input_param: { shape: [{ dim }, ...others] } }])
    return []
  }
  const made = deploy.some(layer => layer.top?.includes(data) && !changes.has(layer) && !layer.bottom?.includes(data))
  if (made || !deploy.some(layer => layer.bottom?.includes(data))) return []
  const names = new Set(net.layer?.map(({ name }) => name))
  const name = names.has(data) ? `deploy-${data}` : data
  return [{ name, type: 'Input', top: [data], include: [{ stage: ['deploy'] }], input_param: { shape: [{ dim }] } }]
}

const rulesOf = (net: NetParameter): NetStateRule[] =>
  (net.layer ?? []).flatMap(({ include = [], exclude = [] }) => [...include, ...exclude])

const namesStage = ({ stage = [], not_stage = [] }: NetStateRule, name: string): boolean =>
  stage.includes(name) || not_stage.includes(name)

const namedStages = (net: NetParameter): ('train' | 'val')[] =>
  (['train', 'val'] as const).filter(name => rulesOf(net).some(rule => namesStage(rule, name)))
