/** What a built net is made of: types alone, so that every room may speak of nets without needing the class. */
import type { Blob } from '../blob.js'
import type { LayerParameter, NetParameter } from '../generated/caffe.js'
import type { Layer, LayerContext, Phase } from '../layer.js'

/** A layer in its place: what it reads and writes, and which gradients it owes. */
export interface NetNode {
  readonly layer: Layer
  /** As the prototxt has it; two layers may have one name. */
  readonly name: string
  /** The layer's name within the net: `ip`, and `ip#2` for the second layer named `ip`. */
  readonly key: string
  /** The layer's parameter as it entered the net: phase set, splits inserted. */
  readonly param: LayerParameter
  /** Places in the net's list of blobs. */
  readonly bottoms: number[]
  readonly tops: number[]
  readonly bottom: Blob[]
  readonly top: Blob[]
  readonly lossWeights: number[]
  needsBackward: boolean
  readonly bottomNeedsBackward: boolean[]
  /** Numbers of this layer's params in the net's list. */
  readonly params: number[]
  /** Blob versions at the last reshape. */
  readonly seen: number[]
}

/** One param of one layer. Shared params point at the same learnable one. */
export interface NetParam {
  /** The layer's key. */
  readonly layer: string
  readonly index: number
  readonly blob: Blob
  /** Number of the param that owns the values, −1 if this one does. */
  readonly owner: number
  readonly learnable: number
}

/** A param that the solver updates; multipliers are those in force after sharing. */
export interface LearnableParam {
  readonly blob: Blob
  lrMult: number
  decayMult: number
}

/** Which layers of a description take part. */
export interface SelectedState {
  readonly phase: Phase
  readonly level: number
  readonly stages: readonly string[]
}

/** A net as it was built: its blobs, params and layers in their places. What `buildNet` returns. */
export interface BuiltNet {
  /** `name` in the prototxt. */
  readonly name: string
  readonly phase: Phase
  readonly state: SelectedState
  /** The layers that the state selects, before splits. */
  readonly filtered: NetParameter
  readonly context: LayerContext
  /** In the order in which they run, splits included. */
  readonly nodes: readonly NetNode[]
  /** In creation order. */
  readonly blobs: readonly Blob[]
  readonly params: readonly NetParam[]
  /** What a solver updates. */
  readonly learnable: readonly LearnableParam[]
  /** Tops of Input layers, in order. */
  readonly inputs: readonly string[]
  /** Tops that nobody reads, sorted by name. */
  readonly outputs: readonly string[]
}
