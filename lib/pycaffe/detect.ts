import type { NdArray } from 'ndarray'
import { RistrettoError } from '../errors.js'
import type { Net } from '../net.js'
import { parseText } from '../proto/text.js'
import { mustBeNet } from '../system/arguments.js'
import { aNumber, anything, aText, checkOptions, type OptionRules } from '../system/check_options.js'
import { createFiles, type FileSource, fileName } from '../system/files.js'
import { isNdArray } from '../system/ndarrays.js'
import { dense, imageSize } from './io/arrays.js'
import { loadImage } from './io/image.js'
import { PREPROCESS_RULES, type PreprocessOptions, preprocessing } from './preprocessing.js'

/** Values of a row of DetectionOutput: image, label, score, xmin, ymin, xmax, ymax. */
const ROW = 7

/** Names of labels: by number, or in a list in which the first is that of label 0. */
export type LabelNames = ReadonlyMap<number, string> | readonly string[]

/** A box that a net has found in a picture. */
export interface DetectedBox {
  /** Number of the class. */
  label: number
  /** Its name, if names were given. */
  name?: string
  /** 0 to 1. */
  score: number
  /** Sides in pixels of the picture, from its left and top edge; within it. */
  xmin: number
  ymin: number
  xmax: number
  ymax: number
}

/** How a picture becomes the net's input, and what of the net's boxes counts. */
export interface DetectOptions extends PreprocessOptions {
  /** Boxes of a smaller score are left out; default 0.5. */
  threshold?: number
  /** Names of the labels. */
  labels?: LabelNames
  /** The blob of boxes; default: the output whose rows have 7 values, as DetectionOutput makes them. */
  output?: string
}

const RULES: OptionRules<DetectOptions> = {
  ...PREPROCESS_RULES,
  threshold: aNumber,
  labels: anything,
  output: aText,
}

/**
 * The boxes that a net with a DetectionOutput layer finds in a picture, the best first. The picture (path, URL, bytes,
 * or H × W × C, 0 … 1) is brought to the net's input, whose batch becomes 1. Throws a RistrettoError where the net has no
 * picture as its first input or no such output.
 */
export async function detect(
  net: Net,
  picture: FileSource | NdArray,
  options: DetectOptions = {},
): Promise<DetectedBox[]> {
  mustBeNet(net, 'detect')
  checkOptions('detect', options, RULES)
  const { threshold = 0.5, labels, output = boxesOf(net) } = options
  const { transformer } = preprocessing(net, options)
  const input = net.inputs[0]
  const [, channels, ...size] = net.blobs[input].shape
  const image = dense(
    isNdArray(picture) ? picture : await loadImage(await net.built.context.files.read(picture), channels !== 1),
  )
  const [height, width] = imageSize(image.shape)
  const { data } = transformer.prepare(input, image)
  if (net.blobs[input].dim(0) !== 1) net.blobs[input].reshape([1, channels, ...size])
  await net.forward({ [input]: data })
  await net.pull()
  const rows = net.blobs[output]?.dataArray
  if (!rows || net.blobs[output].dim(-1) !== ROW)
    throw new RistrettoError(`net '${net.name}' has no blob '${output}' of rows of 7 values`)
  const name = (label: number) => (Array.isArray(labels) ? labels[label] : (labels as Map<number, string>)?.get(label))
  const boxes: DetectedBox[] = []
  for (let k = 0; k < rows.length; k += ROW) {
    const [, label, score, xmin, ymin, xmax, ymax] = rows.subarray(k, k + ROW)
    if (label < 0 || !(score >= threshold)) continue
    const within = (share: number, length: number) => Math.min(Math.max(share, 0), 1) * length
    const named = name(label)
    boxes.push({
      label,
      ...(named !== undefined && { name: named }),
      score,
      xmin: within(xmin, width),
      ymin: within(ymin, height),
      xmax: within(xmax, width),
      ymax: within(ymax, height),
    })
  }
  return boxes.sort((a, b) => b.score - a.score)
}

function boxesOf(net: Net): string {
  const output = net.outputs.find(name => net.blobs[name].numAxes === 4 && net.blobs[name].dim(3) === ROW)
  if (output === undefined)
    throw new RistrettoError(
      `net '${net.name}' has no output of boxes (1 × 1 × n × 7): use its deploy prototxt, which ends with a DetectionOutput layer`,
    )
  return output
}

/** Names of labels from a file: SSD's labelmap.prototxt, or one name a line, the first that of label 0. */
export async function loadLabelMap(source: FileSource): Promise<Map<number, string>> {
  const text = await createFiles({}).text(source)
  if (!/^[ \t]*item\b/m.test(text)) return new Map(text.trimEnd().split(/\r?\n/).entries())
  const { item = [] } = parseText('LabelMap', text, { file: fileName(source) })
  return new Map(item.map(({ label = 0, name = '', display_name }) => [label, display_name || name]))
}
