import type { NdArray } from 'ndarray'
import { RistrettoError } from '../errors.js'
import type { NetParameter } from '../generated/caffe.js'
import { forwardItems } from '../net/batches.js'
import { NET_RULES, type NetOptions } from '../net/options.js'
import { Net } from '../net.js'
import { anything, checkOptions, type OptionRules, only } from '../system/check_options.js'
import type { FileSource } from '../system/files.js'
import { isNdArray, ndarrayOf } from '../system/ndarrays.js'
import { type DenseArray, dense, imageSize } from './io/arrays.js'
import { cropImage, loadImage, resize } from './io/image.js'
import type { Transformer } from './io/transformer.js'
import {
  logNotices,
  PREPROCESS_RULES,
  type PreprocessOptions,
  preprocessing,
  preprocessingNotices,
} from './preprocessing.js'

/** A rectangle: rows ymin … ymax − 1, columns xmin … xmax − 1. */
export type DetectionWindow = readonly [ymin: number, xmin: number, ymax: number, xmax: number]

/** Options of the net, and how windows become its input. */
export interface DetectorOptions extends NetOptions, PreprocessOptions {
  /** Pixels of the net's input, on every side, that show what surrounds the window, as in R-CNN; default 0. */
  contextPad?: number
}

const RULES: OptionRules<DetectorOptions> = { ...NET_RULES, ...PREPROCESS_RULES, contextPad: anything }

/** What a net says about one window of one image. */
export interface Detection {
  /** The image as it was given: file name, bytes or array. */
  filename: FileSource | NdArray
  /** Rows and columns in the image. */
  window: DetectionWindow
  /** The net's first output for the window. */
  prediction: NdArray<Float32Array>
}

/** A net that classifies windows of pictures, each warped to the net's input. */
export class Detector {
  readonly transformer: Transformer
  /** H, W, C of what is cut out before it is transformed. */
  readonly cropDims: readonly [height: number, width: number, channels: number]
  private pad = 0
  /** What lies outside the picture, H × W × C: the mean, in terms of the picture. */
  private surround: DenseArray | undefined

  private constructor(
    readonly net: Net,
    options: DetectorOptions,
  ) {
    if (!(net instanceof Net))
      throw new RistrettoError(
        "a Detector is made by its create: await Detector.create('deploy.prototxt', { weights })",
      )
    const { transformer, size } = preprocessing(net, options)
    this.transformer = transformer
    // windows are warped to the input whatever their size
    logNotices(net, options, preprocessingNotices(net, options, false))
    this.cropDims = [...size, net.blobs[net.inputs[0]].shape[1]]
    this.configureCrop(options.contextPad ?? 0)
  }

  /**
   * Build a detector. Throws a RistrettoError if the net's first input is not N × C × H × W.
   * @param source a prototxt (path, URL or bytes), a parsed NetParameter, or a net that exists; the phase is TEST
   * unless another one is asked for
   */
  static async create(source: FileSource | NetParameter | Net, options: DetectorOptions = {}): Promise<Detector> {
    checkOptions('Detector.create', options, RULES)
    const net =
      source instanceof Net ? source : await Net.create(source, { phase: 'TEST', ...only(options, NET_RULES) })
    return new Detector(net, options)
  }

  /** Pixels of surroundings around a window, within the net's input. */
  get contextPad(): number {
    return this.pad
  }

  /** How many pixels of the input, on every side, show the surroundings of the window. */
  configureCrop(contextPad: number): void {
    const [height, width, channels] = this.cropDims
    if (!Number.isInteger(contextPad) || contextPad < 0 || 2 * contextPad >= Math.min(height, width))
      throw new RistrettoError(
        `contextPad ${contextPad} leaves nothing of the ${height}×${width} input; it must be less than half of it`,
      )
    if (contextPad && height !== width)
      throw new RistrettoError(`contextPad needs a square input, input '${this.net.inputs[0]}' is ${height}×${width}`)
    this.pad = contextPad
    this.surround = contextPad ? this.meanPicture(height, width, channels) : undefined
  }

  /** Windows of pictures through the net, a batch at a time. */
  async detectWindows(
    imagesWindows: Iterable<readonly [FileSource | NdArray, Iterable<DetectionWindow>]>,
  ): Promise<Detection[]> {
    const input = this.net.inputs[0]
    const wanted = [...imagesWindows].flatMap(([source, windows]) => [...windows].map(window => ({ source, window })))
    let loaded: { source: FileSource | NdArray; image: DenseArray } | undefined
    const out = await forwardItems(this.net, wanted.length, async i => {
      const { source, window } = wanted[i]
      if (loaded?.source !== source) loaded = { source, image: await this.load(source) }
      return this.transformer.prepare(input, this.cut(loaded.image, window))
    })
    const size = wanted.length ? out.size / wanted.length : 0
    return wanted.map(({ source, window }, i) => ({
      filename: source,
      window,
      prediction: ndarrayOf(out.data.slice(i * size, (i + 1) * size), out.shape.slice(1)),
    }))
  }

  /** A window of a picture (H × W × C), with its surroundings if contextPad is set; outside the picture is the mean. */
  crop(image: NdArray, window: DetectionWindow): NdArray<Float32Array> {
    const { data, shape } = this.cut(dense(image), window)
    return ndarrayOf(data, shape)
  }

  /** Give the net's memory back. */
  dispose(): void {
    this.net.dispose()
  }
  /** The same at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  private async load(source: FileSource | NdArray): Promise<DenseArray> {
    if (isNdArray(source)) return dense(source)
    const color = this.cropDims[2] !== 1
    // the net's own files come first, as everywhere
    return dense(await loadImage(await this.net.built.context.files.read(source), color))
  }

  private cut(image: DenseArray, window: DetectionWindow): DenseArray {
    const [imageHeight, imageWidth] = imageSize(image.shape)
    const [top, left, bottom, right] = window
    if (
      !window.every(Number.isInteger) ||
      top < 0 ||
      left < 0 ||
      bottom <= top ||
      right <= left ||
      bottom > imageHeight ||
      right > imageWidth
    )
      throw new RistrettoError(
        `window [${window.join(', ')}] is none of the ${imageHeight}×${imageWidth} image: it must be [ymin, xmin, ymax, xmax] inside it`,
      )
    return this.surround
      ? this.cutWithContext(image, window, this.surround)
      : cropImage(image, top, left, bottom - top, right - left)
  }

  /** R-CNN's crop: the window fills the input but for contextPad pixels on every side. */
  private cutWithContext(image: DenseArray, window: DetectionWindow, surround: DenseArray): DenseArray {
    const size = this.cropDims[0]
    const [imageHeight, imageWidth] = imageSize(image.shape)
    const grow = size / (size - 2 * this.pad)
    const rows = spread(window[0], window[2], grow, imageHeight, size)
    const columns = spread(window[1], window[3], grow, imageWidth, size)
    const part = cropImage(image, rows.from, columns.from, rows.to - rows.from, columns.to - columns.from)
    const fitted = resize(part, rows.length, columns.length)
    const channels = fitted.shape[2]
    if (channels !== this.cropDims[2])
      throw new RistrettoError(`the image has ${channels} channels, the net takes ${this.cropDims[2]}`)
    const data = surround.data.slice()
    const run = columns.length * channels
    for (let y = 0; y < rows.length; y++)
      data.set(fitted.data.subarray(y * run, (y + 1) * run), ((rows.pad + y) * size + columns.pad) * channels)
    return { data, shape: [size, size, channels] }
  }

  /** The mean as a picture: with the channels and the scale that pictures have before they are transformed. */
  private meanPicture(height: number, width: number, channels: number): DenseArray {
    const { mean, channelSwap, rawScale = 1 } = this.transformer.settings(this.net.inputs[0])
    const data = new Float32Array(height * width * channels)
    if (!mean) return { data, shape: [height, width, channels] }
    const each = mean.length / channels
    for (let c = 0; c < channels; c++) {
      const channel = channelSwap ? channelSwap[c] : c
      for (let i = 0; i < height * width; i++)
        data[i * channels + channel] = mean[c * each + (each > 1 ? i : 0)] / rawScale
    }
    return { data, shape: [height, width, channels] }
  }
}

/**
 * Along one axis: the rectangle `from` … `to` of the picture to show, the length it is warped to, and the pixels of
 * surroundings before it. Roundings are those of Caffe's Python, to even at a half.
 */
function spread(first: number, last: number, grow: number, imageSize: number, size: number) {
  const half = (last - first + 1) / 2
  const center = first + half
  const low = roundToEven(center - grow * half)
  const high = roundToEven(center + grow * half)
  const scale = size / (high - low + 1)
  const pad = roundToEven(Math.max(0, -low) * scale)
  const from = Math.min(Math.max(low, 0), imageSize)
  const to = Math.min(Math.max(high, 0), imageSize)
  const length = Math.min(roundToEven((to - from + 1) * scale), size - pad)
  return { from, to, pad, length }
}

/** To the nearest integer, halves to the even one. */
function roundToEven(value: number): number {
  const down = Math.floor(value)
  const rest = value - down
  return rest < 0.5 || (rest === 0.5 && down % 2 === 0) ? down : down + 1
}
