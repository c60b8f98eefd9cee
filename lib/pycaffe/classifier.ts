import type { NdArray } from 'ndarray'
import { RistrettoError } from '../errors.js'
import type { NetParameter } from '../generated/caffe.js'
import { forwardItems } from '../net/batches.js'
import { NET_RULES, type NetOptions } from '../net/options.js'
import type { Picture } from '../net/predict.js'
import { Net } from '../net.js'
import { aCount, aFlag, checkOptions, type OptionRules, only, sizes } from '../system/check_options.js'
import type { FileSource } from '../system/files.js'
import { ndarrayOf } from '../system/ndarrays.js'
import { type DenseArray, imageSize } from './io/arrays.js'
import { centredCrop, eachImage, resize, tenCrops } from './io/image.js'
import type { Transformer } from './io/transformer.js'
import {
  logNotices,
  optionsOf,
  PREPROCESS_RULES,
  type PreprocessingNotice,
  type PreprocessOptions,
  preprocessing,
  preprocessingNotices,
} from './preprocessing.js'

/** Options of the net, and how pictures become its input. */
export interface ClassifierOptions extends NetOptions, PreprocessOptions {
  /**
   * Height and width that images are brought to before they are cropped to the input of the net; default: that of the
   * input.
   */
  imageDims?: readonly [height: number, width: number]
}

const RULES: OptionRules<ClassifierOptions> = { ...NET_RULES, ...PREPROCESS_RULES, imageDims: sizes(2) }

/**
 * A net that classifies pictures.
 *
 *     const classifier = await Classifier.create('deploy.prototxt', {
 *       weights: 'net.caffemodel', imageDims: [256, 256], mean: [104, 117, 123], rawScale: 255, channelSwap: [2, 1, 0],
 *     })
 *     const probabilities = await classifier.predict([await loadImage('cat.jpg')])
 */
export class Classifier {
  readonly transformer: Transformer
  readonly cropDims: readonly [height: number, width: number]
  readonly imageDims: readonly [height: number, width: number]
  /**
   * Where pictures are prepared otherwise than in the training, as far as the prototxt or the model has the training's data
   * layer; the option `log` is told, too.
   */
  readonly notices: readonly PreprocessingNotice[]

  private constructor(
    readonly net: Net,
    options: ClassifierOptions,
  ) {
    if (!(net instanceof Net))
      throw new RistrettoError(
        "a Classifier is made by its create: await Classifier.create('deploy.prototxt', { weights })",
      )
    const { transformer, size } = preprocessing(net, options)
    this.transformer = transformer
    this.cropDims = size
    this.imageDims = options.imageDims ?? size
    if (this.imageDims.some((dim, i) => !(dim >= size[i])))
      throw new RistrettoError(
        `imageDims ${this.imageDims.join('×')} must not be smaller than the input of the net, ${size.join('×')}`,
      )
    this.notices = preprocessingNotices(net, { ...options, imageDims: this.imageDims })
    logNotices(net, options, this.notices)
  }

  /**
   * Build a classifier. Throws a RistrettoError if the net's first input is not N × C × H × W, or `imageDims` are
   * smaller than it.
   * @param source a prototxt (path, URL or bytes), a parsed NetParameter, or a net that exists; the phase is TEST
   * unless another one is asked for
   */
  static async create(source: FileSource | NetParameter | Net, options: ClassifierOptions = {}): Promise<Classifier> {
    checkOptions('Classifier.create', options, RULES)
    const net =
      source instanceof Net ? source : await Net.create(source, { phase: 'TEST', ...only(options, NET_RULES) })
    return new Classifier(net, options)
  }

  /**
   * The classifier in an archive of `net.save('model.zip')` or `ristretto archive`, or of DIGITS (.tar.gz): weights, names
   * of the classes and what is done with pictures are in it. Throws what Net.load throws.
   *
   *     const classifier = await Classifier.load('model.zip')
   *     const [[best]] = await classifier.classify(['cat.jpg'])
   *     console.log(best.label, best.probability)
   */
  static async load(source: FileSource, options: NetOptions = {}): Promise<Classifier> {
    const net = await Net.load(source, options)
    try {
      const preparation = await net.preparation()
      return new Classifier(net, { ...options, ...(preparation && optionsOf(preparation)) })
    } catch (error) {
      net.dispose()
      throw error
    }
  }

  /**
   * The classes of pictures (paths, URLs, bytes of files, RGBA pixels), the most probable first, each prepared as in the
   * training: for nets that know how, such as those of archives.
   */
  async classify(pictures: Iterable<Picture>, options: { top?: number } = {}): Promise<Prediction[][]> {
    checkOptions('classify', options, { top: aCount })
    const { top = 5 } = options
    const rows = await this.net.predict(pictures)
    return rows.map(row => bestClasses(row, top, this.net.labels))
  }

  /**
   * Class probabilities, N × classes: the net's first output for every image.
   * @param images H × W × C each (any sizes), or one ndarray N × H × W × C
   * @param oversample average over corners, middle and their mirror images (default); false: the middle alone
   */
  async predict(
    images: Iterable<NdArray> | NdArray,
    oversample: boolean | { oversample?: boolean } = true,
  ): Promise<NdArray<Float32Array>> {
    if (typeof oversample === 'object') checkOptions('Classifier.predict', oversample, { oversample: aFlag })
    const list = eachImage(images)
    const tenfold = typeof oversample === 'object' ? (oversample.oversample ?? true) : oversample
    const input = this.net.inputs[0]
    if (!tenfold)
      return forwardItems(this.net, list.length, i =>
        this.transformer.prepare(input, centredCrop(this.fitted(list[i]), ...this.cropDims)),
      )
    let crops: DenseArray[] = []
    const out = await forwardItems(this.net, 10 * list.length, i => {
      if (i % 10 === 0) crops = tenCrops(this.fitted(list[i / 10]), ...this.cropDims)
      return this.transformer.prepare(input, crops[i % 10])
    })
    return meanOfTen(out, list.length)
  }

  /** Give the net's memory back. */
  dispose(): void {
    this.net.dispose()
  }
  /** The same at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  private fitted(image: DenseArray): DenseArray {
    imageSize(image.shape)
    return resize(image, ...this.imageDims)
  }
}

/** A class and how probable it is. */
export interface Prediction {
  readonly index: number
  /** Its name; its number where nothing names it. */
  readonly label: string
  readonly probability: number
}

/** The `count` most probable classes of a row. */
export function bestClasses(
  probabilities: Float32Array,
  count: number,
  labels: readonly string[] | undefined,
): Prediction[] {
  const order = Uint32Array.from(probabilities.keys()).sort((a, b) => probabilities[b] - probabilities[a] || a - b)
  return [...order.subarray(0, count)].map(index => ({
    index,
    label: labels?.[index] ?? String(index),
    probability: probabilities[index],
  }))
}

/** (10·N) × … to N × classes. */
function meanOfTen({ data }: NdArray<Float32Array>, count: number): NdArray<Float32Array> {
  const classes = count ? data.length / (10 * count) : 0
  const means = new Float32Array(count * classes)
  for (let i = 0; i < count; i++)
    for (let c = 0; c < classes; c++) {
      let sum = 0
      for (let k = 0; k < 10; k++) sum += data[(10 * i + k) * classes + c]
      means[i * classes + c] = sum / 10
    }
  return ndarrayOf(means, [count, classes])
}
