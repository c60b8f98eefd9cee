import { NetError } from '../errors.js'
import type {
  LayerParameter,
  NetParameter,
  ParamSpec,
  V0LayerParameter,
  V1LayerParameter,
  V1LayerParameter_LayerType,
} from '../generated/caffe.js'
import { isFields, mustTake } from '../system/arguments.js'
import { adoptKept } from './adopt.js'
import { isOldBatchNorm } from './age.js'
import { readNumbers, readValues, unknownFields } from './fields.js'
import { keeping, keptOf } from './kept.js'
import { V1_TYPES } from './old_types.js'
import { keepPlace, placeOf } from './places.js'
import { messageInfo, type PlainMessage } from './schema.js'

// Bringing nets and solvers of older Caffe versions up to date, as Caffe does whenever it reads one:
// V0 (a flat `layer` inside `layers`) → V1 (`layers` with an enum as type) → `layer`; then the smaller changes since.

type Warn = (message: string) => void

/**
 * The net in today's form: the same object if it is up to date, else a new one that shares what did not change. Blobs
 * are kept.
 * @param warn called with what could not be carried over
 */
export function upgradeNet(net: NetParameter, warn: (message: string) => void = () => {}): NetParameter {
  mustTake(isFields(net), 'upgradeNet', 'a net as parseNet gives it', net)
  if (net.layers?.some(layer => layer.layer)) net = upgradeV0Net(net, warn)
  if (net.layers?.some(hasOldTransform)) net = { ...net, layers: net.layers.map(upgradeTransform) }
  if (net.layers?.length) net = upgradeV1Net(net, warn)
  if (net.input?.length) net = upgradeInput(net)
  if (net.layer?.some(isOldBatchNorm))
    net = { ...net, layer: net.layer.map(layer => (isOldBatchNorm(layer) ? freezeParams(layer) : layer)) }
  return net
}

// V0 → V1

/** V0's words for types, as V1's. */
const V0_TYPES: Record<string, V1LayerParameter_LayerType> = {
  accuracy: 'ACCURACY',
  bnll: 'BNLL',
  concat: 'CONCAT',
  conv: 'CONVOLUTION',
  data: 'DATA',
  dropout: 'DROPOUT',
  euclidean_loss: 'EUCLIDEAN_LOSS',
  flatten: 'FLATTEN',
  hdf5_data: 'HDF5_DATA',
  hdf5_output: 'HDF5_OUTPUT',
  im2col: 'IM2COL',
  images: 'IMAGE_DATA',
  infogain_loss: 'INFOGAIN_LOSS',
  innerproduct: 'INNER_PRODUCT',
  lrn: 'LRN',
  multinomial_logistic_loss: 'MULTINOMIAL_LOGISTIC_LOSS',
  pool: 'POOLING',
  relu: 'RELU',
  sigmoid: 'SIGMOID',
  softmax: 'SOFTMAX',
  softmax_loss: 'SOFTMAX_LOSS',
  split: 'SPLIT',
  tanh: 'TANH',
  window_data: 'WINDOW_DATA',
}

/** Where a V0 field goes: the new field, and by V0 layer type the parameter message it belongs to. */
interface Move {
  to: string
  in: Record<string, keyof V1LayerParameter>
}

const CONV = { conv: 'convolution_param' } as const
const CONV_OR_FC = { conv: 'convolution_param', innerproduct: 'inner_product_param' } as const
const CONV_OR_POOL = { conv: 'convolution_param', pool: 'pooling_param' } as const
const LRN = { lrn: 'lrn_param' } as const
const DATA = { data: 'data_param', images: 'image_data_param' } as const
const IMAGES = { images: 'image_data_param' } as const
const BATCHES = { ...DATA, hdf5_data: 'hdf5_data_param', window_data: 'window_data_param' } as const
const WINDOWS = { window_data: 'window_data_param' } as const

const V0_MOVES: Partial<Record<keyof V0LayerParameter, Move>> = {
  num_output: { to: 'num_output', in: CONV_OR_FC },
  biasterm: { to: 'bias_term', in: CONV_OR_FC },
  weight_filler: { to: 'weight_filler', in: CONV_OR_FC },
  bias_filler: { to: 'bias_filler', in: CONV_OR_FC },
  pad: { to: 'pad', in: CONV_OR_POOL },
  kernelsize: { to: 'kernel_size', in: CONV_OR_POOL },
  group: { to: 'group', in: CONV },
  stride: { to: 'stride', in: CONV_OR_POOL },
  pool: { to: 'pool', in: { pool: 'pooling_param' } },
  dropout_ratio: { to: 'dropout_ratio', in: { dropout: 'dropout_param' } },
  local_size: { to: 'local_size', in: LRN },
  alpha: { to: 'alpha', in: LRN },
  beta: { to: 'beta', in: LRN },
  k: { to: 'k', in: LRN },
  source: { to: 'source', in: { ...BATCHES, infogain_loss: 'infogain_loss_param' } },
  batchsize: { to: 'batch_size', in: BATCHES },
  rand_skip: { to: 'rand_skip', in: DATA },
  shuffle_images: { to: 'shuffle', in: IMAGES },
  new_height: { to: 'new_height', in: IMAGES },
  new_width: { to: 'new_width', in: IMAGES },
  concat_dim: { to: 'concat_dim', in: { concat: 'concat_param' } },
  det_fg_threshold: { to: 'fg_threshold', in: WINDOWS },
  det_bg_threshold: { to: 'bg_threshold', in: WINDOWS },
  det_fg_fraction: { to: 'fg_fraction', in: WINDOWS },
  det_context_pad: { to: 'context_pad', in: WINDOWS },
  det_crop_mode: { to: 'crop_mode', in: WINDOWS },
}

/** These go to transform_param whatever the type. */
const V0_TRANSFORMS = { scale: 'scale', meanfile: 'mean_file', cropsize: 'crop_size', mirror: 'mirror' } as const

/** What a V0 net is known to hold; Caffe drops everything else here, and so does this. */
function upgradeV0Net(
  { name, input, input_dim, force_backward, layers = [], ...rest }: NetParameter,
  warn: Warn,
): NetParameter {
  for (const field of Object.keys(rest)) warn(`${field} has no effect in a net with V0 layers`)
  const upgraded: NetParameter = { layers: foldPadding(layers, input ?? []).map(layer => upgradeV0Layer(layer, warn)) }
  if (name !== undefined) upgraded.name = name
  if (input) upgraded.input = input
  if (input_dim) upgraded.input_dim = input_dim
  if (force_backward !== undefined) upgraded.force_backward = force_backward
  return upgraded
}

/** Take padding layers out; the convolution or pooling layer that reads one does the padding itself. */
function foldPadding(layers: readonly V1LayerParameter[], inputs: readonly string[]): V1LayerParameter[] {
  const producers = new Map<string, V1LayerParameter | undefined>(inputs.map(input => [input, undefined]))
  const kept: V1LayerParameter[] = []
  for (const layer of layers) {
    const { layer: v0 = {}, bottom = [], top = [] } = layer
    let folded = layer
    for (const blob of bottom) {
      if (!producers.has(blob))
        throw new NetError(`layer '${v0.name ?? ''}' reads the unknown blob '${blob}'`, {
          layer: v0.name,
          field: 'bottom',
          place: placeOf(layer, 'bottom'),
        })
      const padding = producers.get(blob)
      if (padding?.layer?.type !== 'padding') continue
      if (v0.type !== 'conv' && v0.type !== 'pool')
        throw new NetError(
          `layer '${v0.name ?? ''}' (${v0.type ?? 'no type'}) reads from a padding layer; only conv and pool can do that`,
        )
      if (bottom.length !== 1 || padding.bottom?.length !== 1 || padding.top?.length !== 1)
        throw new NetError(
          `layer '${v0.name ?? ''}' and the padding layer before it must have one bottom and one top each`,
        )
      folded = keepPlace(layer, { ...layer, layer: { ...v0, pad: padding.layer.pad ?? 0 }, bottom: padding.bottom })
    }
    if (v0.type !== 'padding') kept.push(folded)
    for (const blob of top) producers.set(blob, layer)
  }
  return kept
}

function upgradeV0Layer(old: V1LayerParameter, warn: Warn): V1LayerParameter {
  const { bottom, top, layer: v0 } = old
  const upgraded: V1LayerParameter = keepPlace(old, keeping({}, [...keptOf(old), ...keptOf(v0 ?? {})]))
  if (bottom) upgraded.bottom = bottom
  if (top) upgraded.top = top
  if (!v0) return upgraded
  const { type = '' } = v0
  if (v0.name !== undefined) upgraded.name = v0.name
  if (v0.type !== undefined) {
    if (!Object.hasOwn(V0_TYPES, type))
      throw new NetError(`layer '${v0.name ?? ''}' has the unknown V0 type '${type}'`, {
        layer: v0.name,
        field: 'type',
        place: placeOf(old, 'layer.type'),
      })
    upgraded.type = V0_TYPES[type]
  }
  if (v0.blobs) upgraded.blobs = v0.blobs
  if (v0.blobs_lr) upgraded.blobs_lr = v0.blobs_lr
  if (v0.weight_decay) upgraded.weight_decay = v0.weight_decay
  if (v0.hdf5_output_param && type === 'hdf5_output') upgraded.hdf5_output_param = v0.hdf5_output_param

  const params = upgraded as Record<string, PlainMessage>
  for (const [field, move] of Object.entries(V0_MOVES)) {
    const value = v0[field as keyof V0LayerParameter]
    if (value === undefined) continue
    const param = move.in[type]
    if (!param) {
      warn(`layer '${v0.name ?? ''}' (${type}): ${field} is not for this type and was dropped`)
      continue
    }
    // pad, kernel_size and stride became lists in convolution_param
    const repeated = param === 'convolution_param' && messageInfo('ConvolutionParameter').byName.get(move.to)!.repeated
    ;(params[param] ??= {})[move.to] = repeated ? [value] : value
  }
  for (const [field, to] of Object.entries(V0_TRANSFORMS)) {
    const value = v0[field as keyof typeof V0_TRANSFORMS]
    if (value !== undefined) (params['transform_param'] ??= {})[to] = value
  }
  return upgraded
}

// scale, mean_file, crop_size and mirror of V1 data layers → transform_param

const DATA_PARAMS = { DATA: 'data_param', IMAGE_DATA: 'image_data_param', WINDOW_DATA: 'window_data_param' } as const
const TRANSFORM_FIELDS = ['scale', 'mean_file', 'crop_size', 'mirror'] as const

const dataParamOf = (layer: V1LayerParameter): 'data_param' | 'image_data_param' | 'window_data_param' | undefined =>
  DATA_PARAMS[layer.type as keyof typeof DATA_PARAMS]

function hasOldTransform(layer: V1LayerParameter): boolean {
  const param = dataParamOf(layer)
  return param !== undefined && TRANSFORM_FIELDS.some(field => layer[param]?.[field] !== undefined)
}

function upgradeTransform(layer: V1LayerParameter): V1LayerParameter {
  const name = dataParamOf(layer)
  if (!name) return layer
  const param: PlainMessage = { ...layer[name] }
  const transform: PlainMessage = { ...layer.transform_param }
  for (const field of TRANSFORM_FIELDS) {
    if (param[field] === undefined) continue
    transform[field] = param[field]
    delete param[field]
  }
  return keepPlace(layer, { ...layer, [name]: param, transform_param: transform })
}

// V1 → today

/** Today's name of a type that is spelled as V1 or V0 layers do. */
export const newerName = (type: string): string | undefined =>
  (Object.hasOwn(V1_TYPES, type) && V1_TYPES[type as V1LayerParameter_LayerType]) ||
  (Object.hasOwn(V0_TYPES, type) ? V1_TYPES[V0_TYPES[type]] : undefined)

function upgradeV1Net({ layers = [], layer, ...rest }: NetParameter, warn: Warn): NetParameter {
  if (layer?.length)
    throw new NetError(
      `the net has ${layers.length} layers in the old form (layers { type: RELU }) and ${layer.length} in the new one (layer { type: "ReLU" }); write all in the new form`,
    )
  // what V1 layers do not have, the new ones may
  const { byName } = messageInfo('LayerParameter')
  return { ...rest, layer: layers.map(old => adoptKept(upgradeV1Layer(old, warn), name => byName.has(name))) }
}

function upgradeV1Layer(old: V1LayerParameter, warn: Warn): LayerParameter {
  // what is left over has the same name and meaning in both forms
  const { type, param, blob_share_mode, blobs_lr, weight_decay, layer: v0, ...rest } = old
  if (v0) warn(`layer '${old.name ?? ''}': a V0 layer within a V1 layer was dropped`)
  const plain = rest as PlainMessage
  if (plain[unknownFields]) warn(`layer '${old.name ?? ''}': fields that Caffe's V1 layers do not have were dropped`)
  for (const key of [unknownFields, readNumbers, readValues]) delete plain[key]
  // a type that only a fork has
  const foreign = keptOf(old).find(field => field.name === 'type')
  const upgraded: LayerParameter = keepPlace(
    old,
    foreign
      ? keeping(
          rest,
          keptOf(old).filter(field => field !== foreign),
        )
      : rest,
  )
  if (type !== undefined) upgraded.type = V1_TYPES[type]
  else if (foreign) upgraded.type = foreign.text.replace(/^type\s*:\s*/, '')
  const count = Math.max(...[param, blob_share_mode, blobs_lr, weight_decay].map(list => list?.length ?? 0))
  if (!count) return upgraded
  upgraded.param = Array.from({ length: count }, (_, i) => {
    const spec: ParamSpec = {}
    if (param && i < param.length) spec.name = param[i]
    if (blob_share_mode && i < blob_share_mode.length) spec.share_mode = blob_share_mode[i]
    if (blobs_lr && i < blobs_lr.length) spec.lr_mult = blobs_lr[i]
    if (weight_decay && i < weight_decay.length) spec.decay_mult = weight_decay[i]
    return spec
  })
  return upgraded
}

// input fields → an Input layer; BatchNorm without learning rates

/** Inputs without sizes come from old model files, where nothing needs them: they are dropped. */
function upgradeInput({ input = [], input_shape, input_dim, layer = [], ...rest }: NetParameter): NetParameter {
  if (!input_shape?.length && !input_dim?.length) return { ...rest, layer }
  const shape = input.map((name, i) => {
    if (input_shape?.length) {
      if (i < input_shape.length) return input_shape[i]
      throw new NetError(
        `input '${name}' has no input_shape: there are ${input.length} inputs and ${input_shape.length} shapes`,
      )
    }
    const dim = input_dim!.slice(4 * i, 4 * i + 4)
    if (dim.length === 4) return { dim }
    throw new NetError(
      `input '${name}' needs 4 input_dim: there are ${input.length} inputs and ${input_dim!.length} sizes`,
    )
  })
  return { ...rest, layer: [{ name: 'input', type: 'Input', top: input, input_param: { shape } }, ...layer] }
}

const freezeParams = (layer: LayerParameter): LayerParameter =>
  keepPlace(layer, { ...layer, param: layer.param?.map(spec => ({ ...spec, lr_mult: 0, decay_mult: 0 })) })
