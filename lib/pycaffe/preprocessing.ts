/** How pictures become the input of a net, held against what the net's own data layer did in training. */

import type { Preparation } from '../data/preparation.js'
import type { MeanImage } from '../data/transformer.js'
import { RistrettoError } from '../errors.js'
import type { LayerParameter } from '../generated/caffe.js'
import type { Net } from '../net.js'
import { aList, aNumber, anything, type OptionRules } from '../system/check_options.js'
import { shortFloat } from '../system/format.js'
import { copyValues, countOf, ndarrayOf, type Values } from '../system/ndarrays.js'
import { Transformer } from './io/transformer.js'

/** How images (H × W × C, R G B, 0 … 1) become what the net was trained on. See Transformer. */
export interface PreprocessOptions {
  /** One value a channel or C × H × W, in the net's order of channels. */
  mean?: Values
  /** Factor after the mean is taken off. */
  inputScale?: number
  /** Factor before the mean is taken off: 255 for nets that were trained on bytes. */
  rawScale?: number
  /** [2, 1, 0] for nets that were trained on B G R. */
  channelSwap?: readonly number[]
}

export const PREPROCESS_RULES: OptionRules<PreprocessOptions> = {
  mean: anything,
  inputScale: aNumber,
  rawScale: aNumber,
  channelSwap: aList,
}

/** What is done with pictures, and `imageDims`: their size before the crop. */
export interface Preprocessing extends PreprocessOptions {
  readonly imageDims?: readonly number[]
}

/** The options that do with pictures what a preparation says. */
export function optionsOf(
  preparation: Preparation,
): Preprocessing & { imageDims: readonly [height: number, width: number] } {
  const { channels, height, width, resize, order, scale, meanValues, mean } = preparation
  const values = meanValues.length === 1 ? Array<number>(channels).fill(meanValues[0]) : meanValues
  return {
    rawScale: 255,
    ...(scale !== 1 && { inputScale: scale }),
    ...(mean ? { mean: middleOf(mean, height, width) } : values.length ? { mean: values } : {}),
    ...(channels === 3 && order === 'BGR' && { channelSwap: [2, 1, 0] }),
    imageDims: resize,
  }
}

/** What a crop leaves of a mean picture, C × H × W. */
function middleOf({ shape, data }: MeanImage, height: number, width: number): Values {
  const [channels, rows, columns] = shape
  const top = (rows - height) >> 1
  const left = (columns - width) >> 1
  const values = new Float32Array(channels * height * width)
  for (let c = 0, to = 0; c < channels; c++)
    for (let y = 0; y < height; y++, to += width) {
      const from = (c * rows + top + y) * columns + left
      values.set(data.subarray(from, from + width), to)
    }
  return ndarrayOf(values, [channels, height, width])
}

/** Pictures are prepared otherwise than in training. */
export interface PreprocessingNotice {
  /** What differs. */
  readonly text: string
  /** The options that do it as the training did, with their values as text. */
  readonly set: readonly (readonly [option: keyof Preprocessing, value: string])[]
}

/** The transformer for the first input of a net, and the input's size. */
export function preprocessing(net: Net, { mean, inputScale, rawScale, channelSwap }: PreprocessOptions) {
  const input = net.inputs[0]
  if (input === undefined)
    throw new RistrettoError(
      `net '${net.name}' has no input: use its deploy prototxt, which starts with an Input layer`,
    )
  const { shape } = net.blobs[input]
  if (shape.length !== 4)
    throw new RistrettoError(`input '${input}' of net '${net.name}' is [${shape.join(', ')}], not N × C × H × W`)
  const transformer = new Transformer({ [input]: shape })
  transformer.setTranspose(input, [2, 0, 1])
  if (mean !== undefined) transformer.setMean(input, mean)
  if (inputScale !== undefined) transformer.setInputScale(input, inputScale)
  if (rawScale !== undefined) transformer.setRawScale(input, rawScale)
  if (channelSwap !== undefined) transformer.setChannelSwap(input, channelSwap)
  return { transformer, size: [shape[2], shape[3]] as const }
}

/**
 * What the net's own data layer did in training, as options; undefined where none is known. A mean file is not read:
 * a notice names it.
 */
export function preprocessingOf(net: Net): PreprocessOptions | undefined {
  const [layer] = net.pictures.layers
  const blob = net.blobs[net.inputs[0]]
  if (!layer || blob?.numAxes !== 4) return undefined
  const channels = blob.dim(1)
  const { scale, mean_value = [] } = layer.transform_param ?? {}
  const mean = mean_value.length === 1 ? Array<number>(channels).fill(mean_value[0]) : mean_value
  return {
    rawScale: 255,
    ...(mean.length === channels && { mean }),
    ...(scale !== undefined && { inputScale: scale }),
    ...(channels === 3 && { channelSwap: [2, 1, 0] }),
  }
}

/**
 * Where the net's own data layer (its prototxt's, or that of the model it was given) did otherwise; none if none is known.
 * @param whole whole pictures are taken, whose size counts
 */
export function preprocessingNotices(net: Net, used: Preprocessing, whole = true): PreprocessingNotice[] {
  const [layer] = net.pictures.layers
  if (!layer) return []
  const [, channels, height, width] = net.blobs[net.inputs[0]].shape
  const name = `layer '${layer.name}' (${layer.type})`
  return [
    ...valueNotices(layer, name, used),
    ...(whole ? sizeNotices(layer, name, used.imageDims, [height, width]) : []),
    ...colourNotices(layer, name, used.channelSwap, channels),
  ]
}

/** Trained: (byte − mean) · scale; here: (byte · rawScale/255 − mean) · inputScale. */
function valueNotices(layer: LayerParameter, name: string, used: Preprocessing): PreprocessingNotice[] {
  const { scale = 1, mean_value = [], mean_file } = layer.transform_param ?? {}
  const { rawScale = 1, inputScale = 1, mean } = used
  const notices: PreprocessingNotice[] = []
  const factor = (rawScale * inputScale) / 255
  const wrongFactor = !near(factor, scale, 1e-3 * Math.abs(scale))
  if (wrongFactor)
    notices.push({
      text: `${name} of the training gave values of ${range(255 * scale)} before the mean was taken off, here they are ${range(255 * factor)}`,
      set: [
        ...(rawScale === 255 ? [] : [['rawScale', '255'] as const]),
        ...(near(inputScale, scale, 1e-9) ? [] : [['inputScale', digits(scale)] as const]),
      ],
    })
  // the advice on factors sets rawScale to 255
  const unit = wrongFactor ? 1 : rawScale / 255
  const means = mean === undefined ? new Float32Array(0) : valuesOf(mean)
  if (mean_file !== undefined) {
    if (!means.length)
      notices.push({ text: `${name} of the training took off the mean in ${mean_file}`, set: [['mean', mean_file]] })
  } else if (!mean_value.length) {
    if (means.some(value => value !== 0))
      notices.push({ text: `${name} of the training took off no mean, here one is`, set: [['mean', '0']] })
  } else if (!sameMeans(means, mean_value, rawScale))
    notices.push({
      text: `${name} of the training took ${mean_value.map(digits).join(', ')} off values of ${range(255)}, here ${means.length ? 'other means are' : 'nothing is'}`,
      set: [['mean', mean_value.map(value => digits(value * unit)).join(',')]],
    })
  return notices
}

function sizeNotices(
  layer: LayerParameter,
  name: string,
  imageDims: readonly number[] = [],
  input: readonly number[],
): PreprocessingNotice[] {
  const { crop_size = 0 } = layer.transform_param ?? {}
  const { new_height = 0, new_width = 0 } = layer.image_data_param ?? {}
  const trained = crop_size ? [crop_size, crop_size] : new_height && new_width ? [new_height, new_width] : input
  const dims = imageDims.length ? imageDims : input
  if (trained.join() !== input.join())
    return [
      {
        text: `${name} of the training made ${trained.join('×')}, the input is ${input.join('×')}: the net may be trained for another size`,
        set: [],
      },
    ]
  if (!crop_size || layer.window_data_param) return []
  if (new_height && new_width)
    return dims[0] === new_height && dims[1] === new_width
      ? []
      : [
          {
            text: `${name} of the training brought pictures to ${new_height}×${new_width} before the crop, here they are ${dims.join('×')}`,
            set: [['imageDims', `${new_height},${new_width}`]],
          },
        ]
  return dims.join() === input.join()
    ? [
        {
          text: `${name} of the training cut ${trained.join('×')} out of larger pictures, here a whole picture becomes the input: imageDims is the size of those in its database (often 256,256)`,
          set: [],
        },
      ]
    : []
}

function colourNotices(
  layer: LayerParameter,
  name: string,
  channelSwap: readonly number[] | undefined,
  channels: number,
): PreprocessingNotice[] {
  const { force_color, force_gray } = layer.transform_param ?? {}
  const grey = force_gray || layer.image_data_param?.is_color === false
  if (grey && channels !== 1)
    return [{ text: `${name} of the training gave grey pictures, the input has ${channels} channels`, set: [] }]
  if (force_color && channels === 1)
    return [{ text: `${name} of the training gave coloured pictures, the input has one channel`, set: [] }]
  if (channels !== 3 || channelSwap?.join() === '2,1,0') return []
  return [
    {
      text: `${name} of the training gave channels in the order B G R, here it is another`,
      set: [['channelSwap', '2,1,0']],
    },
  ]
}

/** A float32 in as few digits as say it. */
const digits = (value: number): string => String(shortFloat(value))

const near = (a: number, b: number, tolerance: number): boolean => Math.abs(a - b) <= tolerance

const range = (top: number): string => `0 … ${digits(top)}`

/** Values that are a mean for each channel; a whole picture is taken as it is. */
function valuesOf(mean: Values): Float32Array {
  const values = new Float32Array(countOf(mean))
  copyValues(mean, values)
  return values
}

/** Whether means agree to one step of a byte. A mean image is somebody's who knows it. */
function sameMeans(used: Float32Array, trained: readonly number[], rawScale: number): boolean {
  if (!used.length) return trained.every(value => value === 0)
  if (used.length > Math.max(4, trained.length)) return true
  return used.every((value, c) => near((value * 255) / rawScale, trained[trained.length > 1 ? c : 0], 1))
}

/** What is done where nothing says what would be right. */
export function assumption({ rawScale = 1, inputScale = 1, mean, channelSwap }: Preprocessing, net: Net): string {
  const [, channels, height, width] = net.blobs[net.inputs[0]].shape
  const order = channels === 3 ? (channelSwap?.join() === '2,1,0' ? ', channels B G R' : ', channels R G B') : ''
  return `values ${range(rawScale * inputScale)}, ${mean === undefined ? 'no mean taken off' : 'a mean taken off'}${order}, pictures brought to ${height}×${width}`
}

/** Tell a net's log what is assumed, or where the training did otherwise. */
export function logNotices(net: Net, used: Preprocessing, notices: readonly PreprocessingNotice[]): void {
  const { log } = net.built.context
  const { rawScale, inputScale, mean, channelSwap } = used
  const chosen = [rawScale, inputScale, mean, channelSwap].some(value => value !== undefined)
  if (!net.pictures.layers.length && !chosen)
    log(
      `neither prototxt nor model says how the training prepared pictures: ${assumption(used, net)}; rawScale, mean, channelSwap and inputScale set what its data layer did`,
    )
  for (const { text, set } of notices)
    log(
      [
        text,
        ...set.map(
          ([option, value]) => `${option}: ${/^[\d.,-]*$/.test(value) && value.includes(',') ? `[${value}]` : value}`,
        ),
      ].join('; '),
    )
}
