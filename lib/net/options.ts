import type { Engine } from '../engine.js'
import type { EngineName } from '../engines/index.js'
import type { Share } from '../group.js'
import type { Phase } from '../layer.js'
import { IMPORT_RULES, type ImportOptions } from '../onnx/import_options.js'
import {
  aCount,
  aFlag,
  aFunction,
  aLimit,
  anEngine,
  anObject,
  anything,
  aSeed,
  aSignal,
  aText,
  aWhole,
  names,
  type OptionRules,
  oneOf,
} from '../system/check_options.js'
import { FILE_RULES, type FileOptions, type FileSource, type Files } from '../system/files.js'

/** How a net is built and where it runs; of an ONNX model also what it leaves open, and what of it learns. */
export interface NetOptions extends RunOptions, ImportOptions {}

/** How a net is built and where it runs. */
export interface RunOptions extends FileOptions {
  /** Which layers take part and how they behave; default: the net's own `state`, else TEST. */
  phase?: Phase
  /** Level of the state, for `include { min_level … }` rules. Default: the net's own `state`, else 0. */
  level?: number
  /** Stages of the state, for `include { stage: … }` rules, beside those of the net's own `state`. */
  stages?: readonly string[]
  /**
   * Trained weights to start from: a .caffemodel as a path, URL or bytes; several are loaded in order. `log` is told which
   * layers got none; `copyFrom` resolves to a report, and takes `strict: true`.
   */
  weights?: FileSource | readonly FileSource[]
  /**
   * Where the net computes: a name, one that registerEngine knows among them, or an engine. Default: wasm. An engine that
   * cannot run here is an EngineError that says why.
   */
  engine?: EngineName | Engine
  /** Compute threads, the calling one included; default: the cores the process may use. Results do not depend on it. */
  threads?: number
  /**
   * Most bytes that the net may take for values and for what its kernels work with: set it for nets of unknown origin.
   * Default: 4 GiB, which is all that WebAssembly has.
   */
  maxMemory?: number
  /**
   * Most multiply-adds that a pass may take, backward included where layers have one, counted from shapes before the
   * first pass and after every reshape: one core does some 10⁹ to 10¹⁰ a second. Default: no limit.
   */
  maxWork?: number
  /** Seed of every random stream; left out, one is drawn, and stands in `net.seed`. */
  seed?: number
  /** Run backward down to the inputs, as `force_backward` in the prototxt: for gradients to a picture. */
  forceBackward?: boolean
  /**
   * 'inference': activations share memory, affine layers are folded, weights are kept as kernels want them; then only
   * inputs, outputs and `keep` can be read, and there is no backward.
   */
  optimize?: 'inference'
  /** Blobs that stay readable in an optimized net. */
  keep?: readonly string[]
  /** Receives notices; the library prints nothing by itself. */
  log?: (line: string) => void
  /** The same with tags, instead of `log`: console.log would print them. */
  taggedLog?: TaggedLog
  /** Which batches of every round are this worker's, where several run the net together: what a group's solver sets. */
  share?: Share
  /**
   * Where the paths inside a parsed NetParameter are resolved; default: the `files` option and the working directory.
   */
  near?: Files
}

export const RUN_RULES: OptionRules<RunOptions> = {
  ...FILE_RULES,
  phase: anything,
  level: aWhole,
  stages: names,
  weights: anything,
  engine: anEngine,
  threads: aCount,
  maxMemory: aLimit,
  maxWork: aLimit,
  seed: aSeed,
  forceBackward: aFlag,
  optimize: oneOf('inference'),
  keep: names,
  log: aFunction,
  taggedLog: aFunction,
  share: anObject,
  near: anObject,
}

export const NET_RULES: OptionRules<NetOptions> = { ...RUN_RULES, ...IMPORT_RULES }

/** Which layers run forward, and what is returned. */
export interface ForwardOptions {
  /** Name of the first and of the last layer to run. */
  start?: string
  end?: string
  /** Further blobs to return. */
  blobs?: readonly string[]
  /** Stops the pass between two layers: it rejects with the signal's reason. AbortSignal.timeout limits its time. */
  signal?: AbortSignal
  /**
   * Milliseconds that the pass may take: what is late ends in a NetError before the next layer, or in an EngineError in
   * the middle of one, on wasm and native. Blobs are left half computed. A layer in plain JavaScript is not interrupted.
   */
  timeLimit?: number
}

/** Which layers run backward, and what is returned. */
export interface BackwardOptions {
  /** Name of the layer to begin at (default: the last) and of the one to stop after (default: the first). */
  start?: string
  end?: string
  /** Further blobs whose gradients to return. */
  diffs?: readonly string[]
  /** As in ForwardOptions. */
  signal?: AbortSignal
  /** As in ForwardOptions. */
  timeLimit?: number
}

const RANGE_RULES = { start: aText, end: aText, signal: aSignal, timeLimit: aLimit }
export const FORWARD_RULES: OptionRules<ForwardOptions> = { blobs: names, ...RANGE_RULES }
export const BACKWARD_RULES: OptionRules<BackwardOptions> = { diffs: names, ...RANGE_RULES }

/** Called with a layer's name; a promise is waited for. */
export type LayerHook = (layerName: string) => void | Promise<void>

/**
 * Takes a line of the log. `tag` is the place in Caffe's source that prints such a line (`net.cpp:744`), for logs in
 * glog's form.
 */
export type TaggedLog = (line: string, tag?: string) => void
