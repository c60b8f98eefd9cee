import { type ImageFormat, imageFormats } from '../../data/encode_image.js'
import { MOST_PIXELS } from '../../data/image.js'
import { type ResizeMode, resizeModes } from '../../data/picture_fit.js'
import { RistrettoError } from '../../errors.js'
import {
  aFlag,
  aFunction,
  aList,
  anObject,
  anything,
  aSignal,
  checkOptions,
  type OptionRules,
} from '../../system/check_options.js'
import { oneOf } from '../../system/names.js'
import { checkParts } from './split.js'
import type { DatasetTarget } from './target.js'

/** What `makeDataset` makes of its pictures. */
export interface MakeDatasetOptions {
  /**
   * A folder, which must not hold a dataset yet; or what gives each file its place, such as a store of a browser. Left
   * out: the files are in the report.
   */
  output?: string | DatasetTarget
  /** Size of the pictures; left out: they must have one size already. */
  size?: { readonly height: number; readonly width: number } | number
  /** How a picture of another ratio of its sides gets that size; default: squash. */
  resize?: ResizeMode
  /** true: one plane of grey; false: three planes B, G, R. Default: as arrays and idx files are, of files three. */
  gray?: boolean
  /** Part of the pictures for val_db, of each class; default 0.25. */
  val?: number
  /** Part of the pictures for test_db, of each class; default 0. */
  test?: number
  /** Of the split and the order; default 1. */
  seed?: number
  /** Store files of this type instead of planes. */
  encode?: ImageFormat | 'jpeg'
  /** Names of the classes in the order of their labels: pictures of others are an error. Default: the source's own. */
  classes?: readonly string[]
  /** Replace a dataset that is in the folder already. */
  overwrite?: boolean
  /** Threads that decode, in Node; default: the cores this process may use. The result does not depend on it. */
  threads?: number
  /** Stops the work, with nothing left behind. */
  signal?: AbortSignal
  /** Called as pictures are stored. */
  onProgress?: (done: number, total: number) => void
  /**
   * Called before the first picture, where an earlier run into the same folder was killed: with how many pictures that it
   * made need not be made again.
   */
  onResume?: (pictures: number) => void
  /** Called for each file that is left out. */
  onSkip?: (file: string, reason: string) => void
}

const RULES: OptionRules<MakeDatasetOptions> = {
  output: [v => typeof v === 'string' || anObject[0](v), 'a folder, or an object with a sink for each file'],
  size: [v => typeof v === 'number' || anObject[0](v), 'a number, or { height, width }'],
  resize: anything,
  gray: aFlag,
  val: anything,
  test: anything,
  seed: anything,
  encode: anything,
  classes: aList,
  overwrite: aFlag,
  threads: anything,
  signal: aSignal,
  onProgress: aFunction,
  onResume: aFunction,
  onSkip: aFunction,
}

/** The options, checked, with their defaults. */
export function checkedOptions(options: MakeDatasetOptions) {
  checkOptions('makeDataset', options, RULES)
  const { resize = 'squash', gray, val = 0.25, test = 0, seed = 1, threads, classes } = options
  const refuse = (what: string): never => {
    throw new RistrettoError(`makeDataset: ${what}`)
  }
  const side = (value: number) => Number.isInteger(value) && value >= 1 && value <= MOST_PIXELS
  const size = typeof options.size === 'number' ? { height: options.size, width: options.size } : options.size
  if (size && !(side(size.height) && side(size.width) && size.height * size.width <= MOST_PIXELS))
    refuse(
      `size is ${size.width}×${size.height} (width × height): whole numbers from 1 on, of ${MOST_PIXELS} pixels at most`,
    )
  if (!resizeModes.includes(resize)) refuse(`resize is '${resize}'${oneOf(resize, resizeModes)}`)
  if (!(Number.isSafeInteger(seed) && seed >= 0)) refuse(`seed is ${seed}; it is a whole number from 0 on`)
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1))
    refuse(`threads is ${threads}; it is a whole number from 1 on`)
  classes?.forEach((name: unknown, i) => {
    if (typeof name !== 'string' || name.trim() === '' || /[\r\n]/.test(name) || classes.indexOf(name) !== i)
      refuse(`classes[${i}] is ${JSON.stringify(name)}; each is a name of its own, in one line`)
  })
  checkParts({ val, test, seed })
  const encode: ImageFormat | undefined = options.encode === 'jpeg' ? 'jpg' : options.encode
  if (encode !== undefined && !imageFormats.includes(encode))
    refuse(`encode is '${encode}'${oneOf(encode, imageFormats)}`)
  return { size, resize, gray, val, test, seed, encode, threads }
}
