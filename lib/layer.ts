import { Blob, type Shape, shapeText } from './blob.js'
import type { After, DryRun, Engine, FusingKernel, Kernels } from './engine.js'
import { kernelsOf } from './engines/complete.js'
import { NetError } from './errors.js'
import { fillBlobLater } from './filler.js'
import type { FillerParameter, LayerParameter, Phase } from './generated/caffe.js'
import type { Constants, GpuKernel, View } from './gpu_kernel.js'
import { type Share, WHOLE_SHARE } from './group.js'
import type { Memory } from './memory.js'
import {
  type DeclaredValues,
  type MessageDeclaration,
  type ParamDeclaration,
  withDeclaredDefaults,
} from './proto/declared.js'
import { fieldNamed, placeOf } from './proto/places.js'
import { RandomStream } from './rng.js'
import { isFields, mustTake } from './system/arguments.js'
import type { Files } from './system/files.js'

export type { Phase }

/** How many bottoms or tops a layer takes. Nothing given: any number. */
export interface Count {
  readonly exactly?: number
  readonly atLeast?: number
  readonly atMost?: number
}

/** y = factor[c]·x + shift[c] for each channel c. */
export interface ChannelAffine {
  readonly factor: Float32Array
  readonly shift: Float32Array
}

/**
 * How coordinates go from a bottom to the top: to = scale·from + shift along each spatial axis. `axis` is the one
 * before the first spatial axis (1 for N × C × H × W), null where it does not matter. The two lists have one value, or
 * one for each spatial axis.
 */
export type CoordMap = readonly [axis: number | null, scale: readonly number[], shift: readonly number[]]

/** Every value stays in its place. */
export const inPlace: CoordMap = [null, [1], [0]]

/** What the Net tells a layer about its surroundings. */
export interface LayerContext {
  readonly phase: Phase
  /** The engine that holds the net's blobs. */
  readonly engine: Engine
  /** Seed of the net's random streams; restoring a snapshot sets it to the seed of the run that saved it. */
  seed: number
  /** Finds the files that the prototxt names. */
  readonly files: Files
  /** Which batches of every round are this worker's, where several train together. */
  readonly share?: Share
  /** What tells this layer from others of its name: `ip#2` is the second layer named `ip`. Default: the name. */
  readonly key?: string
  /** Receives notices, one line each. */
  readonly log: (line: string, tag?: string) => void
}

/**
 * Statistics of all batches that a layer keeps, which each pass of training moves on. Where several workers train, a pass
 * leaves them alone: its worker notes down what it measured, and all take in everybody's, in the order of the batches.
 */
export interface Moving {
  /** How many values a pass measures. */
  readonly length: number
  /** What the last pass measured. */
  note(): Float32Array | Promise<Float32Array>
  /** Take in what a pass measured. */
  take(measured: Float32Array): void
}

/**
 * What becomes of a layer in a deploy net. 'stays': it stays, though it has no bottoms. 'loss', 'metric': nothing; its
 * first bottom is a prediction, the others are labels. A type: a loss likewise, whose prediction a layer of that type
 * (with the loss's message `param`) makes what people want to see. 'goes': nothing, and what it reads is no output.
 * 'hides': the same, but it stays where what it reads is still made beside something that is needed.
 */
export type AtDeploy =
  | 'stays'
  | 'loss'
  | 'metric'
  | 'goes'
  | 'hides'
  | { readonly type: string; readonly param?: keyof LayerParameter }

/**
 * A unit of computation: bottoms in, tops out. Subclass it to make your own.
 *
 * Name the kernels you call in `static uses`. A layer that names none is plain host code: before its forward the Net
 * brings bottoms and params home, before its backward tops, bottoms and params, so `bottom[0].dataArray[i]` works on
 * every engine.
 */
export abstract class Layer {
  /** Kernels that this layer calls; the layer runs on the device only if the engine has them all. */
  static readonly uses: readonly (keyof Kernels)[] = []
  /** Whether passes are calls of kernels and nothing else: net.memory() then runs them dry, for what kernels take. */
  static readonly onlyKernels: boolean = false
  /**
   * The messages of a prototxt that are this layer's own: names of those that the schema has, `['convolution_param']`,
   * or declarations of others, `{ my_param: { size: { type: 'uint32', default: 3 } } }`: from the registration on
   * prototxts may hold them, checked, and with a `number` model files; `ownParam` reads them, defaults applied.
   */
  static readonly param: ParamDeclaration = []
  /** Its tops are the inputs of the net: values that the program writes, by name in `net.forward` or by a feed. */
  static readonly isInput: boolean = false
  /**
   * It compares the first bottom with labels, the second: scores of classes (before a softmax), their probabilities, or
   * either. What an evaluation looks at.
   */
  static readonly compares: 'scores' | 'probabilities' | 'either' | undefined = undefined
  /** All weights zero are a mistake, which no training mends: no gradient passes through them. */
  static readonly needsWeights: boolean = false
  /**
   * What a deploy net, which has no labels, has in its place. Left out: the layer itself, or an input in the place of
   * one without bottoms.
   */
  static readonly atDeploy: AtDeploy | undefined = undefined
  /**
   * 'on purpose': backward gives something else than the derivative of forward, and is meant to, as where a gradient is
   * passed whole by what picks or blanks. Checks then do not hold it against differences.
   */
  static readonly gradient: 'on purpose' | undefined = undefined
  /** Own kernels for the gpu engine, from `gpuKernel`: naming them leaves this layer's values on the device. */
  static readonly gpu: readonly GpuKernel[] = []

  /**
   * How coordinates go from a bottom to the tops of a layer with these parameters; undefined where values keep no order
   * along spatial axes, or a bottom is not what is computed from.
   */
  static coordinates(_param: LayerParameter, _bottom: number): CoordMap | undefined {
    return undefined
  }
  /** What is probably wrong where layers of these classes read the top, in words that follow the layer's name. */
  static hint(_readers: readonly LayerClass[], _param: LayerParameter): string | undefined {
    return undefined
  }

  /** How many bottoms it takes; the Net checks them before `setup`. */
  readonly bottomCount: Count = {}
  /** How many tops it gives. */
  readonly topCount: Count = {}
  /** As many tops as bottoms. */
  readonly sameCounts: boolean = false
  /** Missing tops are made up by the Net ("(automatic)"): losses are usually written without one. */
  readonly automaticTops: boolean = false
  /** The first top is a loss: it weighs 1 in the objective unless `loss_weight` says otherwise. */
  readonly isLoss: boolean = false

  /** false: its tops are picked, matched or drawn, so that nothing before it learns from what follows. */
  readonly passesGradient: boolean = true

  /** Its tops may be filled from outside, by `net.feed`. */
  readonly takesFeed: boolean = false

  /** Name in the net. */
  readonly name: string
  /** Its name, with a number behind it where an earlier layer has the same: what random streams and files go by. */
  readonly key: string
  /** Prototxt type. */
  readonly type: string
  /** TRAIN or TEST. */
  readonly phase: Phase
  /** Where this layer computes: the net's engine, or its host engine. */
  readonly engine: Engine
  /** Learned weights, in caffemodel order. */
  readonly blobs: Blob[] = []
  /** Whether backward should compute the gradient of blobs[i]; the Net sets it from lr_mult. */
  readonly paramPropagateDown: boolean[] = []
  /** Weight of each top in the objective; the Net sets it. */
  lossWeights: number[] = []
  /** Whether a backward pass will ever ask for what forward could keep for it; the Net sets it. */
  needsBackward = true
  /** Tops that a feed fills before every forward, which leaves them as they are; the Net says which. */
  readonly fed = new Set<Blob>()
  /**
   * This layer's own random numbers: a function of the net's seed, the layer's name and the number of the forward pass.
   */
  readonly random: RandomStream

  /** Nets make their layers: keep this signature, and do what needs values or shapes in `setup`. */
  constructor(
    readonly param: LayerParameter,
    readonly context: LayerContext,
  ) {
    const what = 'the param and the context that a net makes it with, super(param, context)'
    for (const given of [param, context]) mustTake(isFields(given), 'new Layer', what, given)
    this.name = param.name ?? ''
    this.type = param.type ?? ''
    this.key = context.key ?? this.name
    this.phase = context.phase
    this.engine = context.engine
    this.random = new RandomStream(context.seed, `layer ${this.key}`)
  }

  /** `python_param.param_str`, as written. */
  get paramStr(): string {
    return this.param.python_param?.param_str ?? ''
  }

  /** What the prototxt says in a message that this class declares in `static param`, with its defaults. */
  protected ownParam<D, K extends keyof D & string>(
    _declared: D,
    message: K,
  ): DeclaredValues<Extract<D[K], MessageDeclaration>> {
    return withDeclaredDefaults(message, this.param) as DeclaredValues<Extract<D[K], MessageDeclaration>>
  }

  /** The engine's kernels: name those you call in `static uses`. */
  protected get kernels(): Kernels {
    return this.dry ?? kernelsOf(this.engine)
  }

  /** Whether this layer's values are on a device: then `run`, not host arrays. */
  protected get onDevice(): boolean {
    return !this.engine.isHost
  }

  /**
   * On the gpu engine: out ← kernel(args), one value for each place of `out`. Kernels see a memory as [n, 1, 1], or as
   * `view(memory, x, y, z)` says; numbers are passed as they are, `constants` are compiled in.
   */
  protected run(
    kernel: GpuKernel,
    args: readonly (Memory | View | number)[],
    out: Memory | View,
    constants?: Constants,
  ): void {
    if (!this.engine.run) {
      const { gpu, name } = this.constructor as LayerClass & { name: string }
      const what = gpu?.length
        ? 'call run only where this.onDevice'
        : `its class names none: static gpu = [kernel, …] in ${name} keeps it on the device, and run is called only where this.onDevice`
      throw this.error(`it runs on the ${this.engine.name} engine, which has no kernels of a layer's own: ${what}`)
    }
    this.engine.run(kernel, args, out, constants, `layer '${this.name}' (${this.type})`)
  }

  /** Read parameters, check counts, make weights with `addBlob`. Once; the bottoms have their shapes. */
  setup(_bottom: Blob[], _top: Blob[]): void | Promise<void> {}

  /** Shape the tops from the bottoms. Before every forward in which a shape changed. */
  abstract reshape(bottom: Blob[], top: Blob[]): void

  /**
   * top.data ← f(bottom.data, blobs.data). Return a promise only to wait for the outside world. `after` is given only to
   * a layer that `fuses`: what is to be done to the top as well.
   */
  abstract forward(bottom: Blob[], top: Blob[], after?: After): void | Promise<void>

  /** The kernel that writes the only top last, to which forward passes `after` on. Undefined: it takes nothing along. */
  get fuses(): FusingKernel | undefined {
    return undefined
  }

  /** What forward does to each value, if that is all it does: in place, the layer before may take it along. */
  get after(): After | undefined {
    return undefined
  }

  /**
   * bottom[i].diff ← ∂E/∂bottom[i] where propagateDown[i]; blobs[i].diff += ∂E/∂blobs[i]. Doing nothing leaves the
   * diffs as they stand.
   */
  backward(_top: Blob[], _propagateDown: boolean[], _bottom: Blob[]): void | Promise<void> {
    throw this.error(
      'has no backward pass: give the bottoms that lead here propagate_down: false, or keep losses away from it',
    )
  }

  /** Whether `force_backward` may ask for the gradient of bottom i; losses refuse it for labels. */
  allowsForceBackward(_bottomIndex: number): boolean {
    return true
  }

  /**
   * If this layer only scales and shifts channels (axis 1), with what: an optimized net then folds it into the layer
   * before.
   */
  channelAffine(): ChannelAffine | undefined {
    return undefined
  }
  /**
   * Take what follows this layer, on top of what it took before, into the weights that forward uses; false if it
   * cannot.
   */
  absorbAffine(_affine: ChannelAffine, _bottom: Blob[]): boolean {
    return false
  }
  /** Go back to the layer's own weights. */
  dropAbsorbed(): void {}
  /**
   * The net is made for inference: weights may be kept in the form that a kernel wants, in `room` more bytes, as long
   * as they do not change. Returns how many of the bytes will be taken.
   */
  keepPrepared(_room: number): number {
    return 0
  }

  /** Calls kernels as `forward` does, and `backward` where `propagateDown` is given, to learn what they take. */
  dryRun({ kernels }: DryRun, bottom: Blob[], top: Blob[], propagateDown?: boolean[]): void {
    if (!classOf(this).onlyKernels) return
    this.dry = kernels
    try {
      this.forward(bottom, top)
      if (propagateDown) this.backward(top, propagateDown, bottom)
    } finally {
      this.dry = undefined
    }
  }
  private dry: Kernels | undefined

  /**
   * Multiply-adds of a forward pass, about, where these are not those of the calls of `dryRun`: what `maxWork` is held
   * against. Left as it is: one for each value of bottoms and tops.
   */
  work(bottom: Blob[], top: Blob[]): number {
    return [...bottom, ...top].reduce((sum, blob) => sum + blob.count, 0)
  }

  /**
   * Which batches of every round (an iteration, a test) this worker takes, for layers that read data themselves: of
   * `before + own + after` in a row it is to skip `before`, give `own` and skip `after`. `rank` and `size` say who it is.
   */
  get share(): Share {
    return this.context.share ?? WHOLE_SHARE
  }

  /** The statistics that it keeps of all batches while it trains, if it does. */
  get moving(): Moving | undefined {
    return undefined
  }

  /** What the items of the next batch are called (files, keys), where a data layer knows. */
  itemNames?(): Promise<readonly string[] | undefined>

  /** Bring home what `saveState` reads, if it may be on a device. */
  pullState(): void | Promise<void> {}
  /** Where this layer is in its input, for a snapshot: data layers override the pair. */
  saveState(): Record<string, number> | undefined {
    return undefined
  }
  /** Go on from what `saveState` gave. */
  restoreState(_state: Record<string, number>): void {}

  /** Give back what the garbage collector does not see: files, workers. */
  dispose(): void {}

  /** Add a learned weight and fill it (with zeros if no filler is given). */
  protected addBlob(shape: Shape, filler?: FillerParameter): Blob {
    const index = this.blobs.length
    const blob = new Blob(shape, this.engine.heap, `${this.name}[${index}]`)
    fillBlobLater(blob, filler ?? {}, new RandomStream(this.context.seed, `filler ${this.key} ${index}`))
    this.blobs.push(blob)
    return blob
  }

  /**
   * An error that names this layer: `layer 'ip2' (InnerProduct): …`.
   * @param field which field of the layer is at fault, as in `pooling_param.stride`; left out, the first one that the
   * message names
   */
  error(message: string, field = fieldNamed(this.param, message)): NetError {
    const place = placeOf(this.param, field)
    return new NetError(`layer '${this.name}' (${this.type}): ${message}`, { layer: this.name, field, place })
  }

  /** Refuse top i in place of bottom i. */
  protected refuseInPlace(bottom: Blob[], top: Blob[]): void {
    const i = top.findIndex((blob, k) => blob === bottom[k])
    if (i >= 0)
      throw this.error(
        `top '${top[i].name}' may not be its bottom: this layer cannot work in place, give the top a name of its own`,
      )
  }

  /** Both blobs must have the same count. */
  protected requireSameCount(a: Blob, b: Blob): void {
    if (a.count !== b.count)
      throw this.error(
        `'${a.name}' (${shapeText(a.shape)}) and '${b.name}' (${shapeText(b.shape)}) must have the same number of values`,
      )
  }
}

/** A class of layers, as it is registered. */
export interface LayerClass {
  readonly prototype: Layer
  /** Nets make one instance a layer. */
  new (param: LayerParameter, context: LayerContext): Layer
  /** Kernels of the engine that it calls. */
  readonly uses: readonly (keyof Kernels)[]
  /** Whether its passes are calls of them and nothing else. */
  readonly onlyKernels?: boolean
  /** Whether backward gives something else than the derivative of forward, and is meant to. */
  readonly gradient?: 'on purpose'
  /** Kernels of its own, for the gpu engine. */
  readonly gpu?: readonly GpuKernel[]
  /** Its own messages in a prototxt. */
  readonly param?: ParamDeclaration
  /** Its tops are the inputs of the net. */
  readonly isInput?: boolean
  /** Its bottoms are scores or probabilities of classes, and labels. */
  readonly compares?: 'scores' | 'probabilities' | 'either'
  /** All weights zero are a mistake. */
  readonly needsWeights?: boolean
  /** What a deploy net has in its place. */
  readonly atDeploy?: AtDeploy
  /** How coordinates go from a bottom to the tops. */
  coordinates?(param: LayerParameter, bottom: number): CoordMap | undefined
  /** What is probably wrong where layers of these classes read the top. */
  hint?(readers: readonly LayerClass[], param: LayerParameter): string | undefined
}

/** The class that a layer is of. */
export const classOf = (layer: Layer): LayerClass => layer.constructor as unknown as LayerClass

/** Whether a class is one of these, or made from one. */
export const isOf = (layer: LayerClass, ...classes: readonly LayerClass[]): boolean =>
  classes.some(known => layer === known || layer.prototype instanceof known)
