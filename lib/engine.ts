import type { ActivationKernels } from './formulas/activations.js'
import type { After, AfterKind } from './formulas/after.js'
import type { AxisKernels } from './formulas/axes.js'
import type { ChannelKernels } from './formulas/channels.js'
import type { ConvolutionKernels, ConvolutionShape } from './formulas/convolution.js'
import type { ElementwiseKernels } from './formulas/elementwise.js'
import type { FlowKernels } from './formulas/flow.js'
import type { LossKernels } from './formulas/losses.js'
import type { LRNKernels } from './formulas/lrn.js'
import type { MatrixKernels } from './formulas/matrices.js'
import type { NamedKernels } from './formulas/named.js'
import type { NeuronKernels } from './formulas/neurons.js'
import type { OtherLossKernels } from './formulas/other_losses.js'
import type { PoolingKernels } from './formulas/pooling.js'
import type { RecurrenceKernels } from './formulas/recurrence.js'
import type { RegionKernels } from './formulas/regions.js'
import type { ResizeKernels } from './formulas/resize.js'
import type { UpdateKernels } from './formulas/updates.js'
import type { Constants, GpuKernel, View } from './gpu_kernel.js'
import type { Heap, Memory } from './memory.js'

export type * from './formulas/activations.js'
export type * from './formulas/after.js'
export type * from './formulas/axes.js'
export type * from './formulas/channels.js'
export type * from './formulas/convolution.js'
export type * from './formulas/elementwise.js'
export type * from './formulas/flow.js'
export type * from './formulas/losses.js'
export type * from './formulas/lrn.js'
export type * from './formulas/matrices.js'
export type * from './formulas/named.js'
export type * from './formulas/neurons.js'
export type * from './formulas/other_losses.js'
export type * from './formulas/pooling.js'
export type * from './formulas/recurrence.js'
export type * from './formulas/regions.js'
export type * from './formulas/resize.js'
export type * from './formulas/updates.js'

// Letters in the formulas: N batch, C input channels, M output channels, H W height and width, K the summed-over size;
// ← marks what is written.
// "inner" and "outer" are the products of the axes after and before the one an operation works along.

/** Kernels that every engine has from the start: what most nets and all solvers call. */
export interface CommonKernels
  extends MatrixKernels,
    ConvolutionKernels,
    PoolingKernels,
    NeuronKernels,
    ElementwiseKernels,
    LossKernels,
    UpdateKernels {}

/** Kernels that the library's host engines fetch when a layer of a net names one, before it is set up. */
export interface LateKernels
  extends ActivationKernels,
    AxisKernels,
    ChannelKernels,
    FlowKernels,
    LRNKernels,
    NamedKernels,
    OtherLossKernels,
    RecurrenceKernels,
    RegionKernels,
    ResizeKernels {}

/**
 * Every computation that a layer or solver may ask for. lib/formulas has one formula each, a file a family. Memories are
 * (n) values unless a shape is given.
 */
export interface Kernels extends CommonKernels, LateKernels {}

/** Kernels that may take an `after`. */
export type FusingKernel = 'convolution' | 'addBias' | 'eltwiseSum' | 'scaleChannels' | 'normalizeChannels'

/** What each of an engine's kernels takes as `after`. */
export type Fusions = { readonly [K in FusingKernel]?: readonly AfterKind[] }

/** Bytes that kernels take for themselves, kept for the next call: for each thread, and for all of them. */
export interface Workspace {
  readonly own: number
  readonly shared: number
  /** What they keep for these calls alone. */
  readonly kept?: number
  /** What the layer that calls them asks of the engine's scratch, slot by slot. */
  readonly scratch?: readonly number[]
}

/**
 * Forward passes of convolutions whose weights are kept in another form than a param's: that of Winograd's products,
 * made once.
 */
export interface PreparedConvolutions {
  /** Values that the weights take in that form; 0 if the pass is faster with the weights as they are. */
  length(s: ConvolutionShape): number
  /** prepared ← w in that form. */
  prepare(s: ConvolutionShape, w: Memory, prepared: Memory): void
  /** y ← after(w ∗ x + bias). */
  convolution(s: ConvolutionShape, x: Memory, prepared: Memory, bias: Memory | null, y: Memory, after?: After): void
}

/** A call of a kernel, written down. */
export type KernelCall = {
  [K in keyof Kernels]: { readonly kernel: K; readonly args: Parameters<Kernels[K]> }
}[keyof Kernels]

/** Layers in a row whose calls of kernels are one computation: what lies between them is not written anywhere. */
export interface JoinedCalls {
  /** Places of the first and the last layer in the list that was given. */
  readonly first: number
  readonly last: number
  /** What computes them, for people. */
  readonly what: string
  /** Bytes that it keeps. */
  readonly bytes: number
  /** Does what the calls do. False: not now, since params can be written at any time; nothing was done. */
  run(): boolean
  /** Give back what it keeps; it runs no more. */
  dispose(): void
}

/** Functions that compute nothing and leave the memories they are given alone: what they take is counted. */
export interface DryRun {
  readonly kernels: Kernels
  readonly prepared: PreparedConvolutions
}

/** What both kinds of engine have. */
export interface AnyEngine {
  /** What was asked for: 'js', 'wasm', 'native', 'gpu:webgl2' … */
  readonly name: string
  /** What that is here: 'fma, 2 threads', the BLAS library's name, the adapter's name. */
  readonly detail: string
  readonly threads: number
  /** Where this engine's host values live. */
  readonly heap: Heap
  /**
   * Settles when every thread runs, or an EngineError says why one does not; kernels may be called before. Threads may
   * wait with their start until a kernel has work for them, or somebody waits for this: createEngine does, Net.create
   * does not.
   */
  readonly ready?: PromiseLike<void>
  /** Kernels that take an `after`, and which; the others never get one. `convolution` stands for `prepared` too. */
  readonly fuses?: Fusions
  /** Where this engine has such passes. */
  readonly prepared?: PreparedConvolutions
  /**
   * Rows of layers that this engine computes faster together; `calls` of a layer that does something else as well are
   * undefined. After layer `last` somebody reads the memories that `isRead`. In `room` more bytes.
   */
  join?(
    calls: readonly (readonly KernelCall[] | undefined)[],
    isRead: (memory: Memory, last: number) => boolean,
    room: number,
  ): JoinedCalls[]
  /** Where kernels take memory for themselves: the most of it that any of these calls takes. */
  dryRun?(calls: (dry: DryRun) => void): Workspace
  /** Where kernels can be stopped in the middle: those that still run at `until` (performance.now()) throw; undefined ends it. */
  limitTime?(until: number | undefined): void
  /** On a device: resolves when everything queued so far has run, rejects with the first failure. Reads nothing back. */
  finish?(): Promise<void>
  /** On the gpu engine: out ← kernel(args), a kernel that a layer brings along. Memories without sizes are flat. */
  run?(
    kernel: GpuKernel,
    args: readonly (Memory | View | number)[],
    out: Memory | View,
    constants?: Constants,
    /** Who runs it, for errors. */
    by?: string,
  ): void
  /** The only workspace: at least `length` values, whose contents last until the next call with the same slot. */
  scratch(length: number, slot?: number): Memory
}

/** Computes at once, with every kernel. */
export interface HostEngine extends AnyEngine {
  readonly isHost: true
  /**
   * All of them where createEngine made the engine; an engine that a net started itself has the late ones from when a
   * layer has named one.
   */
  readonly kernels: Kernels
}

/** Whose kernels a device is given: named where one fails, and told while kernels are compiled. */
export interface DeviceCaller {
  readonly name: string
  readonly type: string
  readonly context: {
    /** Takes a line for people. */
    readonly log: (line: string) => void
  }
}

/** Has one queue, and only a download waits. */
export interface DeviceEngine extends AnyEngine {
  readonly isHost: false
  /** A layer whose kernels are missing here runs on the host. */
  readonly kernels: Partial<Kernels>
  /** For such layers and for plain host code, in the same heap. */
  readonly host: HostEngine
  /** Who calls kernels from now on; nobody in particular where it is left out. */
  calledBy?(caller?: DeviceCaller): void
}

/** Where kernels run. */
export type Engine = HostEngine | DeviceEngine
