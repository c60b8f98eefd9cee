import type { Preparation } from './data/preparation.js'
import { RistrettoError, throwAll } from './errors.js'
import type { NetParameter } from './generated/caffe.js'
import { createBuilt } from './net/create.js'
import type { DeployNetOptions } from './net/deploy_net.js'
import { createFeed, type FeedOptions, type FeedSource, type JointFeedSource } from './net/feed.js'
import type { CopyOptions, CopyReport } from './net/files.js'
import { fillBlobs } from './net/fill.js'
import {
  BACKWARD_RULES,
  type BackwardOptions,
  FORWARD_RULES,
  type ForwardOptions,
  type NetOptions,
} from './net/options.js'
import { PictureInput } from './net/picture_input.js'
import { pictureLayers } from './net/picture_layers.js'
import type { PredictItem, PredictOptions } from './net/predict.js'
import type { Saving } from './net/save_options.js'
import { shareParams } from './net/share.js'
import { readNet } from './net/source.js'
import { type Arrays, collect, copiesOf, refuseValues, writeValues } from './net/values.js'
import { WatchedNet } from './net/watched.js'
import { whatIs } from './system/arguments.js'
import { aFlag, checkOptions } from './system/check_options.js'
import { createFiles, type FileSource, type Files } from './system/files.js'
import { Lazy } from './system/lazy.js'
import type { Values } from './system/ndarrays.js'

/**
 * Layers connected by named blobs: Caffe's Net. Passes on one net queue up, so concurrent calls each get their own
 * answer.
 */
export class Net extends WatchedNet {
  /** @internal The whole description, of every phase and stage. */
  description: NetParameter = {}
  /** @internal How pictures become the first input. */
  readonly pictures = new PictureInput()
  /** Names of the classes, where the model or the data that it learned from has them. */
  labels: readonly string[] | undefined
  /** The deploy net that shares the weights, once somebody predicts. */
  private readonly predicting = new Lazy(async (): Promise<Net> => {
    const { deployBuilt } = await import('./net/deployed.js')
    const net = await deployBuilt(this as Net, {}, Net.deploy)
    net.shareWith(this)
    return net
  })

  /**
   * Build a net from a prototxt (path, URL or bytes) or a parsed NetParameter, of any version of the format, or from an
   * ONNX model, which brings its weights. Weights in the `blobs` of a NetParameter's layers are taken, too.
   * Throws FormatError for a file that cannot be read, NetError for a net that breaks a rule, EngineError for an engine
   * that cannot run here.
   */
  static async create(source: FileSource | NetParameter, options: NetOptions = {}): Promise<Net> {
    // what reads models comes while layers are built
    if (options?.weights !== undefined) import('./net/files.js').catch(() => {})
    const { built, watch, description, weights } = await createBuilt(source, options)
    const net = new Net(built, watch)
    net.description = description
    net.pictures.layers = pictureLayers(description.layer)
    for (const params of weights) await net.copyFrom(params)
    if (options.optimize === 'inference') await net.runner.optimize(options.keep ?? [])
    return net
  }

  /**
   * Build the net that is used of one that is trained: no data layers, labels, losses and accuracies, but inputs and
   * predictions. See deployNet; sizes that the text does not say come from the data, its mean file or the weights. The net
   * knows how the data layers prepared pictures (`preparation`), and their classes (`labels`).
   */
  static async deploy(source: FileSource | NetParameter, options: DeployNetOptions = {}): Promise<Net> {
    const { deployFrom } = await import('./net/deploy_net.js')
    return deployFrom(source, options, (param, options) => Net.create(param, options))
  }

  /**
   * The net in an archive of `save` or `ristretto archive`, or of DIGITS (.tar.gz, .zip): with its weights, classes
   * (`labels`) and what is done with pictures (`preparation`). Custom layers in it are not run: their classes are
   * registered before. Throws a FormatError for a damaged archive, a NetError where weights are missing.
   */
  static async load(source: FileSource, options: NetOptions = {}): Promise<Net> {
    const { loadArchive } = await import('./net/deployed.js')
    return loadArchive(source, options, (param, options) => Net.create(param, options))
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
      checkOptions('forward', options, FORWARD_RULES)
      const [start, end] = this.range(options.start, options.end)
      fillBlobs(this, values, options.start !== undefined)
      await this.runner.forward(start, end, options)
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
    if (this.runner.optimized)
      return Promise.reject(
        new RistrettoError(
          `net '${this.name}' was made with optimize: 'inference': it keeps nothing for a backward pass`,
        ),
      )
    return this.queue(diffs, async values => {
      checkOptions('backward', options, BACKWARD_RULES)
      const [end, start] = this.range(options.end, options.start)
      for (const [name, value] of Object.entries(values)) writeValues(this.blob(name), value, this.blob(name).diffArray)
      await this.runner.backward(start, end, options)
      await this.engine.finish?.()
      const wanted = this.built.nodes.flatMap(node =>
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
  async forwardAll(inputs: Record<string, Values>, options: { blobs?: readonly string[] } = {}): Promise<Arrays> {
    const { forwardAll } = await import('./net/batches.js')
    return forwardAll(this, inputs, options)
  }

  /**
   * pycaffe's forward_backward_all: inputs and top diffs of any number of items, cut into batches; resolves to [blobs,
   * diffs].
   */
  async forwardBackwardAll(
    values: Record<string, Values>,
    options: { blobs?: readonly string[]; diffs?: readonly string[] } = {},
  ): Promise<[blobs: Arrays, diffs: Arrays]> {
    const { forwardBackwardAll } = await import('./net/batches.js')
    return forwardBackwardAll(this, values, options)
  }

  /**
   * Copy weights by layer name from a .caffemodel (path, URL, bytes), a parsed NetParameter or another net.
   * Layers that this net lacks are left out, and those that the source lacks keep their values, which is how a net is
   * fine-tuned; `strict: true` makes either a NetError. So is a param of another shape, unless `strict: false` skips it.
   * Resolves to what was loaded and what was not, which the `log` option is told, too, in Caffe's lines.
   */
  async copyFrom(source: FileSource | NetParameter | Net, options: CopyOptions = {}): Promise<CopyReport> {
    this.runner.mustLive()
    checkOptions('copyFrom', options, { strict: aFlag })
    if (source === undefined || source === null)
      throw new RistrettoError(`copyFrom takes a path, URL, bytes, a NetParameter or a net, not ${whatIs(source)}`)
    if (source instanceof Net) await source.pull()
    const { copyWeights, netWeights, readModel } = await import('./net/files.js')
    const { context } = this.built
    const { weights, pictures } =
      source instanceof Net
        ? { weights: netWeights(source.built), pictures: source.pictures.layers }
        : await readModel(source, context.files)
    const report = copyWeights(this.built, weights, options)
    if (pictures.length) this.pictures.layers = pictures
    this.runner.refold()
    return report
  }

  /** Use the params of `other`, layer by layer of the same name, instead of own ones: what Caffe's test nets do. */
  shareWith(other: Net): void {
    if (!(other instanceof Net)) throw new RistrettoError('shareWith takes a net: what it was given is none')
    this.runner.mustLive()
    other.runner.mustLive()
    shareParams(this.built, other.params)
    this.predicting.tell(net => net.shareWith(this))
  }

  /**
   * Write a .caffemodel, a .caffemodel.h5, or with the ending .zip an archive: the deploy net with weights, classes and
   * what is done with pictures, which Net.load and Classifier.load need nothing else for. With the ending .onnx an ONNX
   * model, of the deploy net too; a NetError lists all layers that have no ONNX form. To a temporary name first, then
   * renamed.
   */
  async save(path: string, options: Saving = {}): Promise<void> {
    if (typeof path !== 'string') throw new RistrettoError(`save takes the path of a file, not ${whatIs(path)}`)
    const { checkSaving, formatOf } = await import('./net/save_options.js')
    const format = options?.format ?? formatOf(path)
    checkSaving('save', options, format)
    const { writeFileSafely } = await import('./system/write_file.js')
    await writeFileSafely(path, await this.toBytes({ ...options, format }))
  }

  /** The model as bytes, for places without files. */
  async toBytes(options: Saving = {}): Promise<Uint8Array> {
    const { checkSaving } = await import('./net/save_options.js')
    checkSaving('toBytes', options, options?.format)
    this.runner.checkParams()
    const { format, diffs, ...archive } = options
    if (format === 'onnx') {
      this.runner.mustLive()
      const { onnxOf } = await import('./onnx/model.js')
      return onnxOf(this, options, Net.deploy)
    }
    if (format === 'zip') {
      this.runner.mustLive()
      const { archiveOf } = await import('./net/deployed.js')
      return archiveOf(this, archive, Net.deploy)
    }
    await this.pull()
    const { netToBytes } = await import('./net/files.js')
    return netToBytes(this.built, { format, diffs })
  }

  /** The net that is used of this one, with the weights as they are now, on its own: see the static `deploy`. */
  async deploy(options: DeployNetOptions = {}): Promise<Net> {
    this.runner.mustLive()
    const { deployCopy } = await import('./net/deployed.js')
    return deployCopy(this, options, Net.deploy)
  }

  /**
   * What the net says of any number of items: one row of values an item, those of the first output. Items are values of
   * the input, in arrays of any kind, or pictures (path, URL, bytes of a file, RGBA pixels), prepared as in the training.
   * A net with labels or losses, or in phase TRAIN, predicts through its deploy net, which shares its weights. Throws a
   * RistrettoError that names the item for what fits no input.
   */
  async predict(
    items: Iterable<PredictItem> | AsyncIterable<PredictItem>,
    options: PredictOptions = {},
  ): Promise<Float32Array[]> {
    this.runner.mustLive()
    const { needsDeploy, predictItems } = await import('./net/predict.js')
    if (!needsDeploy(this.built) && !this.built.blobs.some(blob => this.runner.isFed(blob)))
      return predictItems(this, items, options)
    const net = await this.predicting.get()
    // a source of items may use this net itself, so it is held for a batch at a time
    return predictItems(net, items, options, task => this.exclusive(task))
  }

  /**
   * Take the batches of an input, a top of an Input or MemoryData layer, from `source`: one array cut into batches, or
   * an iterable of items or batches, sync or async. With a list of inputs one source fills them all, from pairs `[data,
   * label]` or objects `{ data, label }`. What fed one of them before is let go; with
   * null nothing feeds it any more. Inputs fed apart must have the same number of items, so that they stay in step, unless
   * `anyLength: true` says otherwise. `shuffle: true` draws a new order of an array's items for each epoch.
   */
  feed<Input extends string>(inputs: readonly Input[], source: JointFeedSource<Input>, options?: FeedOptions): void
  feed(input: string, source: FeedSource | null, options?: FeedOptions): void
  feed(
    inputs: string | readonly string[],
    source: FeedSource | JointFeedSource | null,
    options: FeedOptions = {},
  ): void {
    const joint = Array.isArray(inputs)
    const blobs = [inputs].flat().map(name => {
      if (typeof name === 'string') return this.blob(name)
      throw new RistrettoError(
        `feed takes the name of an input, or a list of them, and what fills it, not ${whatIs(name)}`,
      )
    })
    if (source === null) this.runner.unfeed(blobs)
    else {
      const { runner } = this
      const surroundings = {
        seed: () => this.seed,
        onEpoch: (epoch: number, names: readonly string[]) => runner.onEpoch?.(epoch, names),
      }
      runner.feed(createFeed(this.built, blobs, source, joint, options, surroundings))
    }
  }

  /**
   * How pictures become the first input, as the data layer of the training made them: of the prototxt, of the model, or as
   * it was set. Undefined where nothing says so. Reads the mean file. A NetError if the input is not N × C × H × W.
   */
  preparation(): Promise<Preparation | undefined> {
    return this.pictures.preparation(this.built, this.blobs[this.inputs[0]])
  }

  /** Say how pictures become the first input, whatever the model says. */
  setPreparation(preparation: Preparation): void {
    this.pictures.chosen = preparation
    this.predicting.tell(net => net.setPreparation(preparation))
  }

  /**
   * Give all memory back. An array that was taken from a blob holds its part until it is garbage: it may be read and
   * written, and is nobody else's. Params that other nets share go on with them.
   */
  dispose(): void {
    this.runner.dispose()
    this.predicting.tell(net => net.dispose())
  }
  /** The same at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  /** Queue a pass with its values; they are copied now if it has to wait for its turn. */
  private queue<T>(values: Record<string, Values>, task: (values: Record<string, Values>) => Promise<T>): Promise<T> {
    const refused = refuseValues(values, this.inputs)
    if (refused) return Promise.reject(refused)
    if (this.runner.idle) return this.exclusive(() => task(values))
    const copies = copiesOf(values)
    return this.exclusive(() => task(copies))
  }
}
