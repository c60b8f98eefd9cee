import { NetError } from '../errors.js'
import type {
  AugmentParameter,
  ExpansionParameter,
  RandomAspectRatioParameter,
  RandomResizeParameter,
} from '../generated/caffe.js'
import type { Phase } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { RandomStream } from '../rng.js'
import type { Augmentation } from './augmentation.js'
import { between } from './batch_sampler.js'
import type { Box } from './boxes.js'
import { cropImage, MOST_PIXELS, type PlanarImage } from './image.js'
import { distortPicture, spoilPicture } from './picture_colours.js'
import { borderOf, resizePicture } from './picture_resize.js'
import type { TransformSpec } from './transformer.js'

/** What the steps need to know of a layer. */
export interface AugmentSurroundings {
  readonly phase: Phase
  /** 0: none. */
  readonly cropHeight: number
  readonly cropWidth: number
  /** Value of a channel where there is no picture. */
  readonly meanOf: (channel: number) => number
}

/** turn and stretch → distort → expand → random size or part → resize → noise, as far as they are written. */
export function augmentPicture(
  image: PlanarImage,
  param: Augmentation,
  { phase, cropHeight, cropWidth, meanOf }: AugmentSurroundings,
  random: RandomStream,
): PlanarImage {
  const { resize_param: [resize] = [] } = param
  if (param.augment_param && phase === 'TRAIN') image = turnPicture(image, param.augment_param, random)
  if (param.distort_param) image = distortPicture(image, param.distort_param, random)
  if (param.expand_param) image = expandPicture(image, param.expand_param, meanOf, random).image
  if (param.random_resize_param) image = randomSize(image, param.random_resize_param, random)
  // Intel's Caffe takes one of the two
  else if (param.random_aspect_ratio_param)
    image = randomPart(image, param.random_aspect_ratio_param, [cropHeight, cropWidth], random)
  if (resize) image = resizePicture(image, resize, random).image
  return param.noise_param ? spoilPicture(image, param.noise_param, random) : image
}

/** The picture somewhere in a larger one of the mean colour, and the window of the old one that the new one shows. */
export function expandPicture(
  image: PlanarImage,
  param: ExpansionParameter,
  meanOf: (channel: number) => number,
  random: RandomStream,
): { image: PlanarImage; window?: Box } {
  const { prob, max_expand_ratio } = withDefaults('ExpansionParameter', param)
  if (random.uniform() > prob || !(max_expand_ratio > 1)) return { image }
  const ratio = between(random, 1, max_expand_ratio)
  const { channels, height, width, data } = image
  const h = Math.floor(height * ratio)
  const w = Math.floor(width * ratio)
  if (h * w > MOST_PIXELS)
    throw new NetError(`expand_param makes ${h}×${w} of ${height}×${width}: at most ${MOST_PIXELS} pixels are made`)
  const top = random.integer(h - height + 1)
  const left = random.integer(w - width + 1)
  const large = new Uint8Array(channels * h * w)
  for (let c = 0; c < channels; c++) {
    large.fill(meanOf(c), c * h * w, (c + 1) * h * w)
    for (let y = 0; y < height; y++)
      large.set(data.subarray((c * height + y) * width, (c * height + y + 1) * width), (c * h + top + y) * w + left)
  }
  const window = { xmin: -left / width, ymin: -top / height, xmax: (w - left) / width, ymax: (h - top) / height }
  return { image: { channels, height: h, width: w, data: large }, window }
}

/** Intel's random_resize_param: the shorter side gets a length drawn from min_size … max_size. */
export function randomSize(image: PlanarImage, param: RandomResizeParameter, random: RandomStream): PlanarImage {
  const { min_size, max_size, resize_param } = withDefaults('RandomResizeParameter', param)
  const { height, width } = image
  const least = min_size || Math.min(height, width)
  const most = max_size || Math.max(height, width)
  if (most < least)
    throw new NetError(`random_resize_param has min_size ${least} and max_size ${most}: the second is smaller`)
  const shorter = least + random.integer(most - least + 1)
  const longer = Math.trunc((Math.max(height, width) / Math.min(height, width)) * shorter)
  const [h, w] = height < width ? [shorter, longer] : [longer, shorter]
  return resizePicture(image, { ...resize_param, height: h, width: w }, random).image
}

/**
 * Intel's random_aspect_ratio_param: a part of an area and a ratio of sides drawn at random, brought to crop_size; where
 * none is found in max_attempt tries, the whole, its shorter side brought to it.
 */
function randomPart(
  image: PlanarImage,
  param: RandomAspectRatioParameter,
  [cropHeight, cropWidth]: readonly [number, number],
  random: RandomStream,
): PlanarImage {
  const p = withDefaults('RandomAspectRatioParameter', param)
  const { min_area_ratio, max_area_ratio, aspect_ratio_change: change, max_attempt, resize_param } = p
  if (!cropHeight) throw new NetError('random_aspect_ratio_param needs a crop_size, which it brings parts to')
  if (!(min_area_ratio > 0 && max_area_ratio >= min_area_ratio && change > 0 && change <= 1))
    throw new NetError(
      `random_aspect_ratio_param has areas from ${min_area_ratio} to ${max_area_ratio} and aspect_ratio_change ${change}: areas are above 0 and ascend, the change is above 0 and at most 1`,
    )
  const { height, width } = image
  for (let attempt = 0; attempt < max_attempt; attempt++) {
    const side = Math.sqrt(between(random, min_area_ratio, max_area_ratio) * height * width)
    const stretch = between(random, change, 1 / change)
    const sides = [Math.max(1, Math.trunc(side * stretch)), Math.max(1, Math.trunc(side / stretch))]
    const [h, w] = random.uniform() < 0.5 ? sides.reverse() : sides
    if (h > height || w > width) continue
    const part = cropImage(image, random.integer(width - w + 1), random.integer(height - h + 1), w, h)
    return resizePicture(part, { ...resize_param, height: cropHeight, width: cropWidth }, random).image
  }
  const side = Math.max(cropHeight, cropWidth)
  return randomSize(image, { min_size: side, max_size: side, resize_param }, random)
}

/**
 * Ristretto's augment_param: turned about its middle by up to ± rotate degrees and stretched so that the ratio of its
 * sides changes by up to aspect in either direction, in a picture of the same size. Bilinear; what lies beyond the edge
 * is as pad_mode says.
 */
export function turnPicture(image: PlanarImage, param: AugmentParameter, random: RandomStream): PlanarImage {
  const { prob, rotate, aspect, pad_mode, pad_value = [] } = withDefaults('AugmentParameter', param)
  const { channels, height, width } = image
  if (!(rotate >= 0 && rotate <= 180 && aspect >= 1))
    throw new NetError(
      `augment_param has rotate ${rotate} and aspect ${aspect}: rotate is 0 to 180 degrees, aspect 1 or more`,
    )
  if (pad_value.length > 1 && pad_value.length !== channels)
    throw new NetError(`augment_param.pad_value is given ${pad_value.length} times for ${channels} channels`)
  const angle = (between(random, -rotate, rotate) * Math.PI) / 180
  const stretch = Math.exp(between(random, -0.5, 0.5) * Math.log(aspect))
  if (random.uniform() >= prob || (angle === 0 && stretch === 1)) return image
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2]
  const border = borderOf(pad_mode)
  const data = new Uint8Array(image.data.length)
  const n = height * width
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0; x < width; x++, to++) {
      const [dx, dy] = [x - middleX, y - middleY]
      // where this pixel lies in the picture that was
      const fromX = middleX + (cos * dx + sin * dy) / stretch
      const fromY = middleY + (cos * dy - sin * dx) * stretch
      const [left, top] = [Math.floor(fromX), Math.floor(fromY)]
      const [b, d] = [fromX - left, fromY - top]
      for (let c = 0; c < channels; c++) {
        const outside = pad_value[pad_value.length > 1 ? c : 0] ?? 0
        const at = (row: number, column: number) => {
          const inside = row >= 0 && row < height && column >= 0 && column < width
          if (!inside && !border) return outside
          return inside
            ? image.data[c * n + row * width + column]
            : image.data[c * n + border!(row, height) * width + border!(column, width)]
        }
        const upper = at(top, left) * (1 - b) + at(top, left + 1) * b
        const lower = at(top + 1, left) * (1 - b) + at(top + 1, left + 1) * b
        data[c * n + to] = Math.round(upper * (1 - d) + lower * d)
      }
    }
  return { channels, height, width, data }
}

/** What `transform_param` makes of the pictures of a layer, before all else; its random numbers are its own. */
export class Augmenter {
  private readonly random: RandomStream

  constructor(
    private readonly spec: TransformSpec,
    private readonly meanOf: (channel: number) => number,
  ) {
    this.random = new RandomStream(spec.seed, `augment ${spec.stream}`)
  }

  /** The picture of item number `item`. */
  apply(image: PlanarImage, item: number): PlanarImage {
    const { spec, meanOf } = this
    if (!spec.augment) return image
    this.random.iteration = item
    return augmentPicture(image, spec.augment, { ...spec, meanOf }, this.random)
  }
}
