/** How a picture becomes the input of a net: what the data layer of its training did, for one picture. */
import { FormatError, NetError } from '../errors.js'
import type { PlanarImage } from './image.js'
import { fitPicture, type ResizeMode, resizeModes } from './picture_fit.js'
import { DataTransformer, type MeanImage } from './transformer.js'

/** What is done with a picture: size → crop in the middle → (byte − mean) · scale. */
export interface Preparation {
  /** Channels of the input: 1 makes pictures grey, 3 coloured. */
  readonly channels: number
  /** Size of the input. */
  readonly height: number
  readonly width: number
  /** Height and width that pictures are brought to before the input's are cut out of their middle. */
  readonly resize: readonly [height: number, width: number]
  /** How they get there where the ratio of their sides is another. */
  readonly fit: ResizeMode
  /** Order of three channels: Caffe's data layers give B G R. */
  readonly order: 'BGR' | 'RGB'
  /** Factor after the mean is taken off bytes of 0 … 255. */
  readonly scale: number
  /** What is taken off: nothing, one value, or one a channel, in the order of the channels. */
  readonly meanValues: readonly number[]
  /** A mean picture of the size before the crop, instead of values. */
  readonly mean?: MeanImage
}

/** The values of a picture (planes B, G, R or one of grey, as the preparation's channels say) as an item of the input. */
export function preparePicture(planes: PlanarImage, preparation: Preparation): Float32Array {
  const { channels, height, width, resize, fit, order } = preparation
  if (planes.channels !== channels)
    throw new NetError(`the picture has ${planes.channels} channels, the input takes ${channels}`)
  const fitted = fitPicture(order === 'RGB' && channels === 3 ? swapped(planes) : planes, ...resize, fit)
  const transformer = transformerOf(preparation)
  const [, h, w] = transformer.outputShape(channels, fitted.height, fitted.width)
  if (h !== height || w !== width) throw new NetError(`a picture becomes ${h}×${w}, the input is ${height}×${width}`)
  const values = new Float32Array(channels * h * w)
  transformer.transform(fitted.data, channels, fitted.height, fitted.width, 0, values, 0)
  return values
}

/** How many planes pictures are decoded to. */
export function planesFor({ channels }: Preparation): 1 | 3 {
  if (channels === 1 || channels === 3) return channels
  throw new NetError(`pictures have 1 or 3 channels, the input has ${channels}: give its values instead of a picture`)
}

function transformerOf({ height, width, resize, scale, meanValues, mean }: Preparation): DataTransformer {
  const crops = resize[0] !== height || resize[1] !== width
  return new DataTransformer({
    phase: 'TEST',
    seed: 0,
    stream: '',
    scale,
    mirror: false,
    cropHeight: crops ? height : 0,
    cropWidth: crops ? width : 0,
    meanValues,
    mean,
    forceColor: false,
    forceGray: false,
  })
}

function swapped(image: PlanarImage): PlanarImage {
  const size = image.height * image.width
  const data = new Uint8Array(image.data.length)
  for (let c = 0; c < 3; c++) data.set(image.data.subarray(c * size, (c + 1) * size), (2 - c) * size)
  return { ...image, data }
}

/** In words, sizes as width × height: "brought to 64×64, the middle 56×56, B G R, mean 104, 117, 123 taken off, times 0.0039". */
export function preparationText({ channels, height, width, resize, fit, order, ...rest }: Preparation): string {
  const { scale, meanValues, mean } = rest
  const crops = resize[0] !== height || resize[1] !== width
  const number = (value: number): string => String(Number(value.toPrecision(6)))
  const parts = [
    `brought to ${resize[1]}×${resize[0]}${fit === 'squash' ? '' : ` (${fit})`}`,
    crops ? `cut to the ${width}×${height} in their middle` : '',
    channels === 1 ? 'grey' : `channels ${order.split('').join(' ')}`,
    mean ? `a mean picture of ${mean.shape.join('×')} taken off` : '',
    meanValues.some(value => value !== 0) ? `${meanValues.map(number).join(', ')} taken off` : '',
    scale === 1 ? 'values 0 … 255' : `times ${number(scale)}`,
  ]
  return parts.filter(Boolean).join(', ')
}

/** As it stands in an archive: plain JSON, the mean picture in a file of its own. */
export type PreparationRecord = Omit<Preparation, 'mean'>

/** What a JSON text says of a preparation, checked. */
export function readPreparation(value: unknown, file: string): PreparationRecord {
  const fail = (what: string): never => {
    throw new FormatError(`${file}: its preprocessing has ${what}`)
  }
  const { channels, height, width, resize, fit, order, scale, meanValues } = (value ?? {}) as Record<string, unknown>
  const size = (n: unknown): n is number => Number.isInteger(n) && (n as number) > 0 && (n as number) < 2 ** 16
  if (!size(channels) || !size(height) || !size(width)) return fail('no channels, height and width')
  if (!Array.isArray(resize) || resize.length !== 2 || !resize.every(size)) return fail('no resize of two sizes')
  if (order !== 'BGR' && order !== 'RGB') return fail("an order that is neither 'BGR' nor 'RGB'")
  if (!resizeModes.includes(fit as ResizeMode)) return fail(`a fit that is none of ${resizeModes.join(', ')}`)
  if (!Number.isFinite(scale)) return fail('a scale that is no number')
  if (!Array.isArray(meanValues) || !meanValues.every(Number.isFinite)) return fail('meanValues that are no numbers')
  return {
    channels,
    height,
    width,
    resize: [resize[0], resize[1]],
    fit: fit as ResizeMode,
    order,
    scale: scale as number,
    meanValues,
  }
}
