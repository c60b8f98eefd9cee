import type { Blob } from './blob.js'
import type { Engine } from './engine.js'
import { kernelsOf } from './engines/complete.js'
import { type EngineName, startDefaultEngine, startEngine } from './engines/index.js'
import { limitEngine } from './engines/limited_heap.js'
import { RistrettoError, throwAll } from './errors.js'
import type { NetParameter } from './generated/caffe.js'
import type { Layer, LayerContext, Phase } from './layer.js'
import { forwardAll, forwardBackwardAll } from './net/batches.js'
import {
  buildNet,
  type LearnableParam,
  type NetNode,
  type NetParts,
  refillLossWeights,
  rememberShapes,
  shapesChanged,
} from './net/build.js'
import { debugBackward, debugForward, debugNorms } from './net/debug_info.js'
import { blobLossWeights, describeNet, type NetDescription } from './net/description.js'
import { explainNet } from './net/explain.js'
import { createFeed, type Feed, type FeedSource, type JointFeedSource } from './net/feed.js'
import {
  type CopyOptions,
  type CopyReport,
  copyWeights,
  type NetFormat,
  netToBytes,
  readWeights,
  saveNet,
} from './net/files.js'
import { type Fused, fusedLayers } from './net/fusion.js'
import { filterNet, insertSplits } from './net/graph.js'
import { homeForBackward, homeForForward, isHostLayer } from './net/host_layer.js'
import { InferencePlan } from './net/inference.js'
import { createWatch } from './net/limits.js'
import { checkFits, type MemoryPlan, memoryPlan } from './net/memory_plan.js'
import { namingLayer } from './net/naming_layer.js'
import { drawSeed, readNet, refuseFaults } from './net/source.js'
import { type Statistics, statisticsOf } from './net/statistics.js'
import { type Arrays, collect, copiesOf, refuseValues, writeValues } from './net/values.js'
import { createFiles, type FileReader, type FileSource, type Files } from './system/files.js'
import { macrotask, mustYield } from './system/macrotask.js'
import { didYouMean, listNames } from './system/names.js'
import type { Values } from './system/ndarrays.js'

/** How a net is built and where it runs. */
export interface NetOptions {
  /** Which layers take part and how they behave; default: the net's own `state`, else TEST. */
  phase?: Phase
  /** Level of the state, for `include { min_level … }` rules. Default: the net's own `state`, else 0. */
  level?: number
  /** Stages of the state, for `include { stage: … }` rules, beside those of the net's own `state`. */
  stages?: readonly string[]
  /** Trained weights to start from: a .caffemodel as a path, URL or bytes; several are loaded in order. */
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
  /**
   * 'inference': activations share memory, affine layers are folded, weights are kept as kernels want them; then only
   * inputs, outputs and `keep` can be read, and there is no backward.
   */
  optimize?: 'inference'
  /** Blobs that stay readable in an optimized net. */
  keep?: readonly string[]
  /** Answers for the files named in the prototxt before the file system does. */
  files?: FileReader
  /** Receives notices; the library prints nothing by itself. */
  log?: (line: string) => void
  /**
   * Where the paths inside a parsed NetParameter are resolved; default: the `files` option and the working directory.
   */
  near?: Files
}

/** Which layers run forward, and what is returned. */
export interface ForwardOptions {
  /** Name of the first and of the last layer to run. */
  start?: string
  end?: string
  /** Further blobs to return. */
  blobs?: readonly string[]
  /** Stops the pass between two layers: it rejects with the signal's reason. AbortSignal.timeout limits its time. */
  signal?: AbortSignal
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
}

/** Called with a layer's name; a promise is waited for. */
export type LayerHook = (layerName: string) => void | Promise<void>

/** What a net may take unless it is told otherwise, in bytes. */
const MAX_MEMORY = 2 ** 32

const record = <T>(): Record<string, T> => Object.create(null)

/**
 * Layers connected by named blobs: Caffe's Net. Passes on one net queue up, so concurrent calls each get their own
 * answer.
 */
export class Net {
  /** `name` in the prototxt. */
  readonly name: string
  /** TRAIN or TEST: which layers took part, and how they behave. */
  readonly phase: Phase
  /** Where the net computes: `engine.name`, and more in `engine.detail`. */
  readonly engine: Engine
  /** Activations by name, in creation order. */
  readonly blobs: Record<string, Blob> = record()
  /** Learned weights by layer name, e.g. params['conv1'] is [weight, bias]. */
  readonly params: Record<string, Blob[]> = record()
  /** Names of the blobs that `forward` may be given: the tops of Input layers. */
  readonly inputs: readonly string[]
  /** Names of the blobs that no layer takes: what `forward` resolves to. */
  readonly outputs: readonly string[]
  /** In the order in which they run, splits included; `layerNames` likewise. */
  readonly layers: readonly Layer[]
  readonly layerNames: readonly string[]
  /** The same layers by name. */
  readonly layerDict: Record<string, Layer> = record()
  /** Names of the blobs that a layer gives, by layer name. */
  readonly topNames: Record<string, string[]> = record()
  /** Names of the blobs that a layer takes, by layer name. */
  readonly bottomNames: Record<string, string[]> = record()
  /** What the solver updates, with the multipliers in force after sharing. */
  readonly learnable: readonly LearnableParam[]
  /** Layers in their places, for code that walks the net. */
  readonly nodes: readonly NetNode[]
  /** What the net was built from. */
  readonly parts: NetParts
  /** How many forward passes have run: the iteration number of every layer's random stream. */
  passes = 0
  /** Log the mean absolute value of every blob and param as it is computed. */
  debugInfo: boolean

  private readonly index = new Map<string, number>()
  private feeds: Feed[] = []
  private readonly hooks = {
    beforeForward: [] as LayerHook[],
    afterForward: [] as LayerHook[],
    beforeBackward: [] as LayerHook[],
    afterBackward: [] as LayerHook[],
  }
  private tail: Promise<unknown> | undefined
  /** Holds a reshaped layer against what the net may take. */
  private watch: ((node: NetNode) => void) | undefined
  private disposed = false
  private plan: InferencePlan | undefined
  private fused: ReadonlyMap<NetNode, Fused>

  private constructor(
    /** The filtered net with its splits, as it was built. */
    readonly param: NetParameter,
    /** The layers that the state selects, before splits. */
    readonly filtered: NetParameter,
    readonly context: LayerContext,
    readonly state: { phase: Phase; level: number; stages: readonly string[] },
    parts: NetParts,
  ) {
    if (!param || !parts) throw new RistrettoError("a Net is made by Net.create: await Net.create('net.prototxt')")
    this.name = param.name ?? ''
    this.phase = state.phase
    this.engine = context.engine
    this.debugInfo = param.debug_info ?? false
    this.parts = parts
    this.nodes = parts.nodes
    this.fused = fusedLayers(parts.nodes)
    this.inputs = parts.inputs
    this.outputs = parts.outputs
    this.learnable = parts.learnable
    this.layers = parts.nodes.map(node => node.layer)
    this.layerNames = parts.nodes.map(node => node.name)
    for (const blob of parts.blobs) this.blobs[blob.name] = blob
    parts.nodes.forEach((node, i) => {
      this.index.set(node.name, i)
      this.layerDict[node.name] = node.layer
      this.topNames[node.name] = node.top.map(blob => blob.name)
      this.bottomNames[node.name] = node.bottom.map(blob => blob.name)
      if (node.layer.blobs.length) this.params[node.name] = node.layer.blobs
    })
  }

  /**
   * Build a net from a prototxt (path, URL or bytes) or a parsed NetParameter, of any version of the format.
   * Throws FormatError for a file that cannot be read, NetError for a net that breaks a rule, EngineError for an engine
   * that cannot run here.
   */
  static async create(source: FileSource | NetParameter, options: NetOptions = {}): Promise<Net> {
    const log = options.log ?? (() => {})
    // threads take their time to start: other things are done meanwhile
    const starting = options.engine ? startEngine(options.engine, options) : startDefaultEngine(options, log)
    starting.catch(() => {})
    const { param, errors, files } = await readNet(source, options.near ?? createFiles(options.files))
    const state = {
      phase: options.phase ?? param.state?.phase ?? 'TEST',
      level: options.level ?? param.state?.level ?? 0,
      stages: [...(param.state?.stage ?? []), ...(options.stages ?? [])],
    }
    if (state.phase !== 'TRAIN' && state.phase !== 'TEST')
      throw new RistrettoError(`phase is 'TRAIN' or 'TEST', not '${state.phase}'`)
    const filtered = filterNet(param, state)
    refuseFaults(filtered, errors)
    const split = insertSplits(filtered)
    const whole = await starting
    const limit = options.maxMemory ?? (whole.heap.available === undefined ? MAX_MEMORY : undefined)
    const engine = limit === undefined ? whole : limitEngine(whole, limit)
    const context: LayerContext = { phase: state.phase, engine, seed: options.seed ?? drawSeed(), files, log }
    const parts = await buildNet(split, context)
    const limits = { memory: options.maxMemory, work: options.maxWork }
    const watch = createWatch(parts, engine.heap, limits)
    checkFits(parts, context, options.maxMemory !== undefined)
    const net = new Net(split, filtered, context, state, parts)
    net.watch = watch
    if (options.weights !== undefined) {
      const list = Array.isArray(options.weights) ? options.weights : [options.weights as FileSource]
      for (const weights of list) await net.copyFrom(weights)
    }
    for (const { blob } of parts.params) blob.memory.data.settle()
    if (options.optimize === 'inference') net.optimize(options.keep ?? [])
    await engine.ready
    return net
  }

  /** The description in a prototxt, upgraded to the current format. */
  static async read(source: FileSource, files: Files = createFiles()): Promise<NetParameter> {
    const { param, errors } = await readNet(source, files)
    throwAll(errors)
    return param
  }

  /**
   * Fill the inputs, run the layers, and resolve to copies of the outputs (and of `options.blobs`) on ordinary buffers.
   * The values are taken at call time; calls that overlap run one after the other.
   */
  forward(inputs: Record<string, Values> = {}, options: ForwardOptions = {}): Promise<Arrays> {
    return this.queue(inputs, async values => {
      const [start, end] = this.range(options.start, options.end)
      this.fill(values, options.start !== undefined)
      await this.runForward(start, end, options.signal)
      // a device's failure rejects the pass that caused it
      await this.engine.finish?.()
      const names = options.end === undefined ? this.outputs : this.topNames[options.end]
      return collect(
        [...names, ...(options.blobs ?? [])].map(name => this.blob(name)),
        'data',
      )
    })
  }

  /**
   * Run the layers backward from the top diffs as they stand (loss tops hold their loss weight) or as given in `diffs`.
   * Param diffs add up until clearParamDiffs. Resolves to copies of the input gradients that were computed, and of
   * `options.diffs`.
   */
  backward(diffs: Record<string, Values> = {}, options: BackwardOptions = {}): Promise<Arrays> {
    if (this.plan)
      return Promise.reject(
        new RistrettoError(
          `net '${this.name}' was made with optimize: 'inference': it keeps nothing for a backward pass`,
        ),
      )
    return this.queue(diffs, async values => {
      const [end, start] = this.range(options.end, options.start)
      for (const [name, value] of Object.entries(values)) writeValues(this.blob(name), value, this.blob(name).diffArray)
      await this.runBackward(start, end, options.signal)
      await this.engine.finish?.()
      const wanted = this.nodes.flatMap(node =>
        node.bottom.filter((_, k) => node.bottomNeedsBackward[k]).map(blob => blob.name),
      )
      const given = [...this.inputs.filter(name => wanted.includes(name)), ...(options.diffs ?? [])]
      return collect(
        given.map(name => this.blob(name)),
        'diff',
      )
    })
  }

  /** pycaffe's forward_all: any number of items, cut into batches; resolves to the outputs of all of them. */
  forwardAll(inputs: Record<string, Values>, options: { blobs?: readonly string[] } = {}): Promise<Arrays> {
    return forwardAll(this, inputs, options)
  }

  /**
   * pycaffe's forward_backward_all: inputs and top diffs of any number of items, cut into batches; resolves to [blobs,
   * diffs].
   */
  forwardBackwardAll(
    values: Record<string, Values>,
    options: { blobs?: readonly string[]; diffs?: readonly string[] } = {},
  ): Promise<[blobs: Arrays, diffs: Arrays]> {
    return forwardBackwardAll(this, values, options)
  }

  /** The objective after the last forward: Σ loss weight × top over all tops that have one. */
  async loss(): Promise<number> {
    for (const { top, lossWeights } of this.nodes)
      for (let i = 0; i < top.length; i++) if (lossWeights[i]) await top[i].memory.data.pull()
    return this.lossNow()
  }

  /** The same, where the values are at home already, as they always are on a host engine. */
  lossNow(): number {
    let total = 0
    for (const { top, lossWeights } of this.nodes)
      for (let i = 0; i < top.length; i++) {
        if (!lossWeights[i]) continue
        let sum = 0
        for (const value of top[i].dataArray) sum += value
        total += lossWeights[i] * sum
      }
    return total
  }

  /**
   * Mean, standard deviation, range and histogram of a blob (by name) or param (the Blob itself), of its data or diff.
   */
  async statistics(blob: string | Blob, part: 'data' | 'diff' = 'data'): Promise<Statistics> {
    const { memory } = typeof blob === 'string' ? this.blob(blob) : blob
    await memory[part].pull()
    return statisticsOf(memory[part].values)
  }

  /** The memory that this net needs, in bytes, by kind; shapes count, whether it has been taken yet or not. */
  memory(): MemoryPlan {
    return memoryPlan(this.parts)
  }

  /** Set every param's gradient to zero. */
  clearParamDiffs(): void {
    for (const { blob } of this.learnable) kernelsOf(this.engine).fill(blob.count, 0, blob.memory.diff)
  }

  /** Bring every blob and param home, data and diff; nothing to do on a host engine. */
  async pull(): Promise<void> {
    for (const blob of [...this.parts.blobs, ...this.parts.params.map(p => p.blob)]) await blob.pull()
  }

  /** Shape every blob from the inputs as they stand, without running. */
  reshape(): void {
    for (const node of this.nodes) this.reshapeNode(node)
    if (!this.plan) return
    this.plan.link()
    for (const node of this.nodes) this.reshapeNode(node)
    this.plan.share()
  }

  /**
   * Copy weights by layer name from a .caffemodel (path, URL, bytes), a parsed NetParameter or another net.
   * Layers that this net lacks are left out; a param of another shape throws a NetError, unless `strict: false` skips
   * it. Resolves to what was loaded and what was not, which the `log` option is told, too, in Caffe's lines.
   */
  async copyFrom(source: FileSource | NetParameter | Net, options: CopyOptions = {}): Promise<CopyReport> {
    if (source instanceof Net) await source.pull()
    const report = copyWeights(this, await readWeights(source, this.context.files), options)
    if (this.plan) this.refold(this.plan)
    return report
  }

  /** Use the params of `other`, layer by layer of the same name, instead of own ones: what Caffe's test nets do. */
  shareWith(other: Net): void {
    const shares: (() => void)[] = []
    for (const node of this.nodes) {
      const source = other.params[node.name]
      if (!source) continue
      if (source.length !== node.layer.blobs.length)
        throw node.layer.error(
          `it has ${node.layer.blobs.length} params, the layer of that name to share with has ${source.length}`,
        )
      node.layer.blobs.forEach((blob, i) => {
        if (blob.shape.join() !== source[i].shape.join())
          throw node.layer.error(
            `param ${i} is ${blob.shape.join('×')}, in the net to share with it is ${source[i].shape.join('×')}`,
          )
        shares.push(() => blob.shareData(source[i]))
      })
    }
    // nothing is shared unless all can be
    for (const share of shares) share()
  }

  /** Write a .caffemodel (or .caffemodel.h5): to a temporary name first, then renamed. */
  async save(path: string, options: { format?: NetFormat; diffs?: boolean } = {}): Promise<void> {
    await this.pull()
    await saveNet(this, path, options)
  }

  /** The model as bytes, for places without files. */
  async toBytes(options: { format?: NetFormat; diffs?: boolean } = {}): Promise<Uint8Array> {
    await this.pull()
    return netToBytes(this, options)
  }

  /**
   * Take the batches of an input, a top of an Input or MemoryData layer, from `source`: one array cut into batches, or
   * an iterable of items or batches, sync or async. With a list of inputs one source fills them all, from pairs `[data,
   * label]` or objects `{ data, label }`. What fed one of them before is let go.
   */
  feed<Input extends string>(inputs: readonly Input[], source: JointFeedSource<Input>): void
  feed(input: string, source: FeedSource): void
  feed(inputs: string | readonly string[], source: FeedSource | JointFeedSource): void {
    const joint = typeof inputs !== 'string'
    const blobs = (joint ? inputs : [inputs]).map(name => this.blob(name))
    const feed = createFeed(this, blobs, source, joint)
    this.feeds = [...this.feeds.filter(other => !other.replacedBy(feed)), feed]
  }

  /** What was built: layers, connections, shapes, loss weights, who needs gradients, params. */
  describe(): NetDescription {
    return describeNet(this)
  }

  /**
   * Where each layer runs and why, and the bytes that a forward and a backward pass move between host and device: a
   * table to print.
   */
  explain(): string {
    return explainNet(this)
  }

  /**
   * Call `hook` before every layer's forward (Input and Split included). Hooks may wait; they must not start passes on
   * this net.
   */
  beforeForward(hook: LayerHook): void {
    this.hooks.beforeForward.push(hook)
  }
  /** Call `hook` after every layer's forward, when its tops hold their values. */
  afterForward(hook: LayerHook): void {
    this.hooks.afterForward.push(hook)
  }
  /** Call `hook` before the backward of every layer that has one to run, last layer first. */
  beforeBackward(hook: LayerHook): void {
    this.hooks.beforeBackward.push(hook)
  }
  /** Call `hook` after every layer's backward, when its bottoms' diffs hold their gradients. */
  afterBackward(hook: LayerHook): void {
    this.hooks.afterBackward.push(hook)
  }

  /** Give all memory back. Arrays taken from the blobs are invalid afterwards. */
  dispose(): void {
    if (this.disposed) return
    this.disposed = true
    for (const node of this.nodes) node.layer.dispose()
    this.plan?.dispose()
    for (const blob of [...this.parts.blobs, ...this.parts.params.map(p => p.blob)]) blob.dispose()
  }
  /** The same at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  /** The weight of each blob in the objective, by blob name. */
  get blobLossWeights(): Record<string, number> {
    return blobLossWeights(this.parts)
  }

  /** Seed of the random streams: given, or drawn when the net was made. */
  get seed(): number {
    return this.context.seed
  }

  /** Go on with the random streams of another run. */
  reseed(seed: number): void {
    this.context.seed = seed
    for (const layer of this.layers) {
      layer.context.seed = seed
      layer.random.seed = seed
    }
  }

  /** Run `task` when the passes before it are done; nothing else runs on this net meanwhile. */
  exclusive<T>(task: () => Promise<T>): Promise<T> {
    if (this.disposed) return Promise.reject(new RistrettoError(`net '${this.name}' was disposed`))
    const run = this.tail ? this.tail.then(task) : task()
    const settled = run.then(
      () => {
        if (this.tail === settled) this.tail = undefined
      },
      () => {
        if (this.tail === settled) this.tail = undefined
      },
    )
    this.tail = settled
    return run
  }

  /** Layers start … end inclusive, forward. Callers hold the net through `exclusive`. */
  async runForward(start = 0, end = this.nodes.length - 1, signal?: AbortSignal): Promise<void> {
    const { beforeForward, afterForward } = this.hooks
    for (const feed of this.feeds) {
      const wait = feed.next()
      if (wait) await wait
    }
    // shared memory is laid out for all shapes at once
    if (this.plan?.isStale) {
      for (const { blob } of this.parts.params) await blob.memory.data.pull()
      this.refold(this.plan)
    } else if (this.plan && this.nodes.some(shapesChanged)) this.reshape()
    // whoever looks between two layers gets to see what is there
    const watched = beforeForward.length > 0 || afterForward.length > 0 || this.debugInfo
    let done: NetNode | undefined
    for (let i = start; i <= end; i++) {
      // no iterators here without need: each is garbage, for every layer of every pass
      const node = this.nodes[i]
      if (node === done) continue
      signal?.throwIfAborted()
      if (beforeForward.length) for (const hook of beforeForward) await hook(node.name)
      if (this.plan?.skipped.has(node)) continue
      if (shapesChanged(node) || isHostLayer(node.layer)) this.reshapeNode(node)
      if (node.layer.engine !== this.engine) await homeForForward(node)
      node.layer.random.iteration = this.passes
      const next = watched ? undefined : this.fused.get(node)
      try {
        if (next && next.place <= end) {
          if (shapesChanged(next.node)) this.reshapeNode(next.node)
          node.layer.forward(node.bottom, node.top, next.after)
          done = next.node
        } else {
          const wait = node.layer.forward(node.bottom, node.top)
          if (wait) await wait
        }
      } catch (error) {
        throw namingLayer(node.layer, error)
      }
      if (this.debugInfo) await debugForward(this, node)
      if (afterForward.length) for (const hook of afterForward) await hook(node.name)
      if (mustYield()) await macrotask()
    }
    this.passes++
  }

  /** Layers start … end inclusive, backward (start ≥ end). Callers hold the net through `exclusive`. */
  async runBackward(start = this.nodes.length - 1, end = 0, signal?: AbortSignal): Promise<void> {
    const { beforeBackward, afterBackward } = this.hooks
    for (let i = start; i >= end; i--) {
      const node = this.nodes[i]
      if (!node.needsBackward) continue
      signal?.throwIfAborted()
      for (const hook of beforeBackward) await hook(node.name)
      if (node.layer.engine !== this.engine) await homeForBackward(node)
      try {
        const wait = node.layer.backward(node.top, node.bottomNeedsBackward, node.bottom)
        if (wait) await wait
      } catch (error) {
        throw namingLayer(node.layer, error)
      }
      if (this.debugInfo) await debugBackward(this, node)
      for (const hook of afterBackward) await hook(node.name)
      if (mustYield()) await macrotask()
    }
    if (this.debugInfo) await debugNorms(this)
  }

  private optimize(keep: readonly string[]): void {
    if (this.phase !== 'TEST')
      throw new RistrettoError(`optimize: 'inference' needs phase TEST, net '${this.name}' is ${this.phase}`)
    this.plan = new InferencePlan(this.parts, keep)
    for (const node of this.nodes) node.layer.needsBackward = false
    this.fused = fusedLayers(this.nodes, this.plan.skipped)
    this.reshape()
  }

  /** Fold the params as they are now, which decides anew which layers run. */
  private refold(plan: InferencePlan): void {
    plan.fold()
    this.fused = fusedLayers(this.nodes, plan.skipped)
    this.reshape()
  }

  private reshapeNode(node: NetNode): void {
    const counts = node.top.map(blob => blob.count)
    try {
      node.layer.reshape(node.bottom, node.top)
    } catch (error) {
      throw namingLayer(node.layer, error)
    }
    if (node.top.some((blob, i) => blob.count !== counts[i])) refillLossWeights(node)
    rememberShapes(node)
    this.watch?.(node)
  }

  private blob(name: string): Blob {
    const blob = this.blobs[name]
    if (!blob)
      throw new RistrettoError(
        `net '${this.name}' has no blob '${name}'${didYouMean(name, Object.keys(this.blobs))}; its blobs are ${listNames(Object.keys(this.blobs))}`,
      )
    return blob
  }

  /** Layer names to places, first to last. */
  private range(first: string | undefined, last: string | undefined): [number, number] {
    const place = (name: string | undefined, otherwise: number) => {
      if (name === undefined) return otherwise
      const i = this.index.get(name)
      if (i === undefined)
        throw new RistrettoError(
          `net '${this.name}' has no layer '${name}'${didYouMean(name, this.layerNames)}; its layers are ${listNames(this.layerNames)}`,
        )
      return i
    }
    return [place(first, 0), place(last, this.nodes.length - 1)]
  }

  /** Queue a pass with its values; they are copied now if it has to wait for its turn. */
  private queue<T>(values: Record<string, Values>, task: (values: Record<string, Values>) => Promise<T>): Promise<T> {
    const refused = refuseValues(values, this.inputs)
    if (refused) return Promise.reject(refused)
    if (!this.tail) return this.exclusive(() => task(values))
    const copies = copiesOf(values)
    return this.exclusive(() => task(copies))
  }

  private fill(values: Record<string, Values>, anyBlob: boolean): void {
    for (const [name, value] of Object.entries(values)) {
      const blob = this.blob(name)
      if (!anyBlob && !this.inputs.includes(name))
        throw new RistrettoError(
          `'${name}' is no input of net '${this.name}': its inputs are ${listNames(this.inputs)}`,
        )
      blob.memory.data.claim()
      writeValues(blob, value, blob.dataArray)
    }
  }
}
