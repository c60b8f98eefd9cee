import { FormatError, NetError } from '../errors.js'
import type { TransformationParameter } from '../generated/caffe.js'
import type { Phase } from '../layer.js'
import { blobData, blobShape } from '../proto/blob_proto.js'
import { readBlobProto } from '../proto/wire.js'
import { RandomStream } from '../rng.js'
import { type Augmentation, augmentationOf } from './augmentation.js'
import { fileKind } from './file_kind.js'

/** A `transform_param` with its mean file read: plain data, so that it can be sent to a worker. */
export interface TransformSpec {
  readonly phase: Phase
  readonly seed: number
  /** Name of the random stream. */
  readonly stream: string
  readonly scale: number
  readonly mirror: boolean
  /** Rows and columns that are cut out; 0: no cropping. */
  readonly cropHeight: number
  readonly cropWidth: number
  /** None, one for all channels, or one per channel. */
  readonly meanValues: readonly number[]
  readonly mean: MeanImage | undefined
  readonly forceColor: boolean
  readonly forceGray: boolean
  /** What changes pictures before all that; undefined where nothing does. */
  readonly augment?: Augmentation
}

/** (C, H, W) */
export interface MeanImage {
  readonly shape: readonly [number, number, number]
  readonly data: Float32Array
}

/** Checks a `transform_param` and reads its mean file. */
export async function transformSpec(
  param: TransformationParameter | undefined,
  {
    phase,
    seed,
    stream,
    readFile,
  }: { phase: Phase; seed: number; stream: string; readFile: (path: string) => Promise<Uint8Array> },
): Promise<TransformSpec> {
  const { scale = 1, mirror = false, mean_file, mean_value = [], force_color = false, force_gray = false } = param ?? {}
  if (mean_file !== undefined && mean_value.length)
    throw new NetError('transform_param has a mean_file and a mean_value: give one of the two')
  if (force_color && force_gray)
    throw new NetError('transform_param has force_color and force_gray: give one of the two')
  const [cropHeight, cropWidth] = cropOf(param)
  return {
    phase,
    seed,
    stream,
    scale: Math.fround(scale),
    mirror,
    cropHeight,
    cropWidth,
    meanValues: mean_value.map(Math.fround),
    mean: mean_file === undefined ? undefined : readMeanImage(await readFile(mean_file), mean_file),
    forceColor: force_color,
    forceGray: force_gray,
    augment: augmentationOf(param ?? {}),
  }
}

/** crop_size for both sides, SSD's crop_h and crop_w, or PSPNet's crop_height and crop_width. */
function cropOf(param: TransformationParameter = {}): readonly [height: number, width: number] {
  const sizes = [
    ['crop_size', 'crop_size'],
    ['crop_h', 'crop_w'],
    ['crop_height', 'crop_width'],
  ] as const
  const given = sizes.filter(([height, width]) => param[height] || param[width])
  if (given.length > 1)
    throw new NetError(`transform_param has ${given.map(([height]) => height).join(' and ')}: give one of them`)
  if (!given.length) return [0, 0]
  const [[height, width]] = given
  const [h = 0, w = 0] = [param[height], param[width]]
  if (!h || !w) throw new NetError(`transform_param has ${height} ${h} and ${width} ${w}: give both`)
  return [h, w]
}

/** A mean image (`.binaryproto`): a blob of C × H × W values, an axis of 1 before it allowed. */
export function readMeanImage(bytes: Uint8Array, file: string): MeanImage {
  const found = fileKind(bytes)
  if (found && found.kind !== 'blob')
    throw new FormatError(`the mean image in ${file}: this is ${found.text}; a mean is a .binaryproto`)
  const proto = readBlobProto(bytes, { file })
  const shape = blobShape(proto, `the mean image in ${file}`)
  while (shape.length > 3 && shape[0] === 1) shape.shift()
  while (shape.length < 3) shape.push(1)
  if (shape.length > 3) throw new NetError(`the mean image in ${file} is ${shape.join('×')}; it must be 1×C×H×W`)
  return {
    shape: shape as unknown as [number, number, number],
    data: blobData(proto, `the mean image in ${file}`).slice(),
  }
}

/**
 * Caffe's transform_param, per item: crop (random place in TRAIN, centre in TEST) → mirror (half of the time) → (x −
 * mean) · scale. The random choices are a function of (seed, stream, number of the item), so they do not depend on who
 * calls when.
 */
export class DataTransformer {
  private readonly random: RandomStream
  private readonly isRandom: boolean

  constructor(private readonly spec: TransformSpec) {
    this.random = new RandomStream(spec.seed, spec.stream)
    this.isRandom = spec.mirror || (spec.phase === 'TRAIN' && spec.cropHeight > 0)
  }

  /** Value of a channel where there is no picture: the mean, as a byte. */
  meanOf = (c: number): number => {
    const { mean, meanValues } = this.spec
    if (!mean) return Math.round(meanValues[meanValues.length > 1 ? c : 0] ?? 0)
    const size = mean.shape[1] * mean.shape[2]
    return Math.round(mean.data.subarray(c * size, (c + 1) * size).reduce((sum, value) => sum + value, 0) / size)
  }

  /** (C, H, W) of an item → (C, H, W) of the result; throws where the parameters do not fit the item. */
  outputShape(channels: number, height: number, width: number): [number, number, number] {
    const { cropHeight, cropWidth, mean, meanValues } = this.spec
    const item = `${channels}×${height}×${width}`
    if (cropHeight > height || cropWidth > width)
      throw new NetError(
        `crop_size ${cropHeight === cropWidth ? cropHeight : `${cropHeight}×${cropWidth}`} is larger than the item (${item})`,
      )
    if (mean && (mean.shape[0] !== channels || mean.shape[1] !== height || mean.shape[2] !== width))
      throw new NetError(
        `the mean image is ${mean.shape.join('×')}, the item ${item}: they must have the same size (it is cropped with the item)${grey(mean.shape[0], channels)}`,
      )
    if (meanValues.length > 1 && meanValues.length !== channels)
      throw new NetError(
        `mean_value is given ${meanValues.length} times for ${channels} channels: give it once, or once per channel${grey(meanValues.length, channels)}`,
      )
    return [channels, cropHeight || height, cropWidth || width]
  }

  /** Where an item is cropped, and whether it is mirrored after that. */
  cut(height: number, width: number, item: number): { top: number; left: number; flip: boolean } {
    const { cropHeight, cropWidth, mirror, phase } = this.spec
    const h = cropHeight || height
    const w = cropWidth || width
    let top = (height - h) >> 1
    let left = (width - w) >> 1
    let flip = false
    if (this.isRandom) {
      this.random.iteration = item
      flip = mirror && (this.random.uint32() & 1) === 1
      if (phase === 'TRAIN' && cropHeight) {
        top = this.random.integer(height - h + 1)
        left = this.random.integer(width - w + 1)
      }
    }
    return { top, left, flip }
  }

  /**
   * into[at …] ← the transformed item.
   * @param x (C, H, W) values of the item
   * @param item its number since the start of training: what the random choices depend on
   */
  transform(
    x: Uint8Array | Float32Array,
    channels: number,
    height: number,
    width: number,
    item: number,
    into: Float32Array,
    at: number,
  ): void {
    const { scale, cropHeight, cropWidth, mean, meanValues } = this.spec
    const h = cropHeight || height
    const w = cropWidth || width
    const { top, left, flip } = this.cut(height, width, item)

    if (!cropHeight && !flip && !mean && meanValues.length < 2) {
      const n = channels * h * w
      const m = meanValues.length ? meanValues[0] : 0
      if (m === 0 && scale === 1) into.set(x.length === n ? x : x.subarray(0, n), at)
      else if (m === 0) for (let i = 0; i < n; i++) into[at + i] = x[i] * scale
      else for (let i = 0; i < n; i++) into[at + i] = Math.fround(x[i] - m) * scale
      return
    }

    const step = flip ? -1 : 1
    for (let c = 0; c < channels; c++) {
      const m = meanValues.length ? meanValues[meanValues.length > 1 ? c : 0] : 0
      for (let row = 0; row < h; row++) {
        let from = (c * height + top + row) * width + left
        const end = from + w
        let to = at + (c * h + row) * w + (flip ? w - 1 : 0)
        // differences are rounded to float32 first, as Caffe computes them
        if (mean) for (; from < end; from++, to += step) into[to] = Math.fround(x[from] - mean.data[from]) * scale
        else for (; from < end; from++, to += step) into[to] = Math.fround(x[from] - m) * scale
      }
    }
  }
}

/** What makes grey pictures fit in where coloured ones are expected. */
const grey = (expected: number, channels: number): string =>
  channels === 1 && expected === 3 ? '; transform_param { force_color: true } gives grey pictures three channels' : ''
