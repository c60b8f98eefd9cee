import type { Blob } from '../blob.js'
import type { Engine } from '../engine.js'
import { RistrettoError } from '../errors.js'
import type { SolverParameter } from '../generated/caffe.js'
import type { DeployNetOptions } from '../net/deploy_net.js'
import type { Net } from '../net.js'
import { whatIs } from '../system/arguments.js'
import { type FileSource, type Files, isFileSource } from '../system/files.js'
import { checkSolver } from './check.js'
import type { Keeper } from './keeper.js'
import { LearningRate } from './learning_rate.js'
import { badParams, notFinite } from './numerics.js'
import { Observed } from './observed.js'
import { checkSolverOptions, type SolverOptions } from './options.js'
import { stateName } from './positions.js'
import type { Replicas } from './replicas.js'
import type { Snapshot } from './snapshot.js'

/** Where a training run stands, and how that is kept: its nets, its history, snapshots of both. */
export abstract class Saved extends Observed {
  /** The net that is trained. */
  net!: Net
  /** Nets that share its weights and are tested every `test_interval` iterations. */
  testNets: Net[] = []
  /** How many times the weights have been updated. */
  iter = 0
  /** Moments of past gradients, in the order of Caffe's solver state. */
  readonly history: Blob[] = []
  /** The learning rate, iteration by iteration. */
  readonly rate: LearningRate
  /** @internal Keeps the last snapshots and the best, and says when patience has run out; made where options ask for it. */
  protected keeper: Keeper | undefined
  /** That of the last iteration; NaN where it was not read back. */
  protected lastLoss = Number.NaN
  /** Whether `lastLoss` is that of the last iteration. */
  protected lossKnown = true
  /** Loaded before the training: a page's host may be gone when its weights are to be saved. */
  protected saving!: typeof import('./snapshot.js')
  /** A snapshot is to follow the iteration under way. */
  protected snapshotWanted = false
  /** No trained weights were loaded. */
  protected fresh = true
  /** @internal Where an iteration is more than one pass, of this worker or of others. */
  protected replicas: Replicas | undefined

  /** Use a solver's create. */
  constructor(
    /** What the prototxt says. */
    readonly param: SolverParameter,
    /** As they were given. */
    readonly options: SolverOptions,
    /** Where paths are resolved. */
    readonly files: Files,
  ) {
    super()
    if (!param || !options || !files)
      throw new RistrettoError(
        `a ${new.target.name} is made by its create: await ${new.target.name}.create('solver.prototxt')`,
      )
    checkSolverOptions(options)
    checkSolver(param)
    this.rate = new LearningRate(param)
  }

  /** Where the train net computes. */
  get engine(): Engine {
    if (!this.net) this.mustLive('engine')
    return this.net.engine
  }
  /** The learning rate that the next step will use. */
  get lr(): number {
    return this.rate.peek(this.iter)
  }

  /** The loss of the last iteration, averaged over iter_size, not smoothed; NaN before the first. */
  async loss(): Promise<number> {
    this.mustLive('loss')
    if (!this.lossKnown) this.lastLoss = await this.net.loss()
    this.lossKnown = true
    return this.lastLoss
  }

  /**
   * Save model and solver state as `<prefix>_iter_<n>.caffemodel` and `.solverstate`; without a prefix resolves to
   * their bytes.
   */
  async snapshot(): Promise<Snapshot> {
    this.mustLive('snapshot')
    await this.stopIf(await badParams(this.net.built, this.options.checkNumerics))
    if (this.replicas) await this.replicas.checkWeights()
    const snapshot = await this.net.exclusive(() => this.saving.snapshotSolver(this, undefined, this.writes))
    this.saved(snapshot, false)
    if (this.writes) await this.keeper?.saved(snapshot)
    return snapshot
  }

  /** Write a snapshot under another name than the iteration's: `<prefix>_<name>`. */
  async snapshotAs(name: string): Promise<Snapshot> {
    this.mustLive('snapshotAs')
    const snapshot = await this.net.exclusive(() => this.saving.snapshotSolver(this, name, this.writes))
    this.saved(snapshot, name === 'best')
    return snapshot
  }

  private saved({ model, state }: Snapshot, best: boolean): void {
    const files = typeof model === 'string' && typeof state === 'string' ? { files: { model, state } } : {}
    const format = this.param.snapshot_format === 'HDF5' ? 'HDF5' : 'binary proto'
    this.emit({ type: 'snapshot', iter: this.iter, format, best, ...files })
  }

  /** Ask for a snapshot after the iteration under way (what SIGHUP does). */
  requestSnapshot(): void {
    if (!this.replicas?.asks()) this.snapshotWanted = true
  }

  /** Continue from a .solverstate (and the model that it names, or `model`). */
  async restore(state: FileSource, model?: FileSource): Promise<void> {
    this.mustLive('restore')
    if (!isFileSource(state))
      throw new RistrettoError(`restore takes the path, URL or bytes of a solver state, not ${whatIs(state)}`)
    let note: string | undefined
    const restore = () =>
      this.net.exclusive(async () => {
        note = await this.saving.restoreSolver(this, state, model)
      })
    await (this.replicas ? this.replicas.restore(restore) : restore())
    this.fresh = false
    this.emit({ type: 'restored', iter: this.iter, file: stateName(state) })
    if (note !== undefined) this.emit({ type: 'notice', text: note })
  }

  /**
   * The net that is used of the one that is trained, with the weights as they are now: see Net.deploy. It is on its own,
   * and lives until it is disposed.
   */
  async deploy(options: DeployNetOptions = {}): Promise<Net> {
    this.mustLive('deploy')
    // the test net says how its pictures are prepared, and has the same weights
    return (this.testNets[0] ?? this.net).deploy(options)
  }

  /** Give the memory of all nets and the history back. */
  dispose(): void {
    this.replicas?.dispose()
    this.net?.dispose()
    for (const net of this.testNets) net.dispose()
    for (const blob of this.history) blob.dispose()
  }
  /** The same at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  /** What a solver without its nets says to whoever wants something of it. */
  protected refusal(method: string): RistrettoError | undefined {
    const { name } = this.constructor
    if (!this.net)
      return new RistrettoError(
        `${method}: this ${name} has no net yet; it is made by its create: await ${name}.create('solver.prototxt')`,
      )
    return this.net.runner.refusal()
  }

  /** Throws what `refusal` says. */
  protected mustLive(method: string): void {
    const refused = this.refusal(method)
    if (refused) throw refused
  }

  /** Whether this is the worker that writes files. */
  protected get writes(): boolean {
    return this.replicas?.writes ?? true
  }

  /** Stop before what is no finite number spoils the weights or a file, with the first bad layer and blob. */
  protected async stopIf(what: string | undefined): Promise<void> {
    if (what === undefined) return
    const error = await notFinite(this.net.built, this.iter, this.lr, what)
    this.emit({ type: 'numerics', iter: this.iter, loss: this.lastLoss, message: error.message })
    throw error
  }
}
