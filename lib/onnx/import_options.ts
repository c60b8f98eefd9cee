import { anObject, names, type OptionRules, oneOf } from '../system/check_options.js'

/** What a program says about the sizes that an ONNX model leaves open. */
export interface SizeOptions {
  /** ONNX: shapes of inputs, by name; sizes that the model fixes must agree. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>
  /** ONNX: sizes by the names that the model gives to axes: `{ N: 8 }`. */
  readonly dims?: Readonly<Record<string, number>>
}

/** Which layers of an ONNX model learn. */
export interface FreezeOptions {
  /**
   * ONNX: 'live' (default): statistics of BatchNorm layers follow the batches in TRAIN. 'frozen': they stay as the model has
   * them, and so do the Scale layers behind them, which small batches would throw off.
   */
  readonly batchNorm?: 'live' | 'frozen'
  /** ONNX: names of layers that keep their weights, * standing for anything: `['backbone/*']`. */
  readonly freeze?: readonly string[]
  /** ONNX: names of the only layers that learn; with `freeze` those of them that it does not name. */
  readonly train?: readonly string[]
}

/** A head for an ONNX model. */
export interface HeadOptions {
  /** How many classes the new one tells apart; left out, the model's head stays. */
  readonly classes?: number
  /**
   * The name of an input of labels: in TRAIN a SoftmaxWithLoss compares scores with them, in the place of the last Softmax,
   * which stays in TEST. Left out, the net has no loss.
   */
  readonly label?: string
}

/** How an ONNX model becomes a net. */
export interface ImportOptions extends SizeOptions, FreezeOptions {
  /** ONNX: inputs that are to be constants, by name: a number, or as many as the input has values, row-major. */
  readonly constants?: Readonly<Record<string, number | ArrayLike<number>>>
  /** ONNX: a head of so many classes in place of the model's, which learns; with `label` the net has a loss. */
  readonly replaceOutput?: HeadOptions
}

/** What these options may be. */
export const IMPORT_RULES: OptionRules<ImportOptions> = {
  shapes: anObject,
  dims: anObject,
  constants: anObject,
  batchNorm: oneOf('live', 'frozen'),
  train: names,
  freeze: names,
  replaceOutput: anObject,
}

/** Those of some options that say how an ONNX model becomes a net; undefined where none does. */
export function importOptions(options: ImportOptions): ImportOptions | undefined {
  const given = Object.keys(IMPORT_RULES) as (keyof ImportOptions)[]
  const entries = given.flatMap(name => (options[name] === undefined ? [] : [[name, options[name]] as const]))
  return entries.length ? Object.fromEntries(entries) : undefined
}
