import { Blob } from './blob.js'
import type { Kernels, UpdateRule } from './engine.js'
import { kernelsOf } from './engines/complete.js'
import { NetError, RistrettoError } from './errors.js'
import type { SolverParameter } from './generated/caffe.js'
import type { LearnableParam } from './net/node.js'
import { isNoCount } from './solver/check.js'
import type { EndReason } from './solver/events.js'
import { computePasses, finalLoss, replicasFor } from './solver/iteration.js'
import { buildNets, readOutputs } from './solver/nets.js'
import { badParams, badPass } from './solver/numerics.js'
import type { SolverOptions } from './solver/options.js'
import { applyPositions, hasMultiple, positionsOf } from './solver/positions.js'
import { readSolver } from './solver/source.js'
import { lintEnd, lintLoss, lintRise } from './solver/stuck.js'
import { Tested } from './solver/tested.js'
import { gradientNorm, Pace, ruleOf, SmoothedLoss, updateEach } from './solver/update.js'
import type { FileSource, Files } from './system/files.js'

/** Minimises a net's loss: Caffe's Solver. Subclasses say only how a gradient becomes a step. */
export abstract class Solver extends Tested {
  /** That of the first iteration whose loss was known. */
  private firstLoss: number | undefined
  private readonly smoothed: SmoothedLoss
  /** `solve` is under way, which saves when it is over. */
  private savesAtEnd = false
  /** Settles when the steps asked for so far are done. */
  private stepping: Promise<void> | undefined
  private linted = false
  private readonly pace = new Pace()
  /** What the last pass of all left in the outputs, where another worker computed it. */
  private othersOutputs: readonly number[] = []

  /** Use create(), which also builds the nets. */
  constructor(param: SolverParameter, options: SolverOptions, files: Files) {
    super(param, options, files)
    this.smoothed = new SmoothedLoss(param.average_loss ?? 1)
    if (options.keepBest && param.snapshot_prefix === undefined)
      throw new NetError('solver: keepBest writes files, so snapshot_prefix must say where')
    this.checkParam()
  }

  /**
   * Build a solver with its train net and test nets from a solver prototxt (path, URL or bytes) or a parsed
   * SolverParameter, whose `type` may be left out here. A NetError if it names another solver than this class.
   */
  static async create<S extends Solver>(
    this: (new (param: SolverParameter, options: SolverOptions, files: Files) => S) & { readonly type?: string },
    source: FileSource | SolverParameter,
    options: SolverOptions = {},
  ): Promise<S> {
    const { param, files } = await readSolver(source, options)
    const solver = new this(param, options, files)
    refuseOther(solver.constructor, param)
    await solver.setup()
    return solver
  }

  /**
   * w ← w − step, dw ← step, given the raw gradient in dw and this param's history. `index` is the learnable param's
   * number.
   */
  protected abstract update(index: number, param: LearnableParam, rule: UpdateRule): void

  /** How many history blobs a param has. */
  protected get moments(): number {
    return 1
  }

  /** Refuse parameters that this solver cannot use. */
  protected checkParam(): void {}

  /** The engine's kernels, for update rules. */
  protected get kernels(): Kernels {
    return kernelsOf(this.net.engine)
  }

  /** The loss averaged over the last `average_loss` iterations of this step, as it is displayed. */
  get smoothedLoss(): number {
    return this.smoothed.value
  }

  /**
   * Run `iterations` iterations: test, forward, backward, update. Resolves to nothing, so that no value has to be read
   * back. Calls that overlap run one after the other.
   */
  step(iterations = 1): Promise<void> {
    const refused =
      isNoCount(iterations, 'step takes a number of iterations, 0 or more, not') ??
      isNoCount(this.iter, 'solver.iter is the number of updates so far, 0 or more, not') ??
      this.refusal('step')
    if (refused) return Promise.reject(refused)
    const run = this.stepping ? this.stepping.then(() => this.iterate(iterations)) : this.iterate(iterations)
    const settled = run
      .catch(() => {})
      .then(() => {
        if (this.stepping === settled) this.stepping = undefined
      })
    this.stepping = settled
    return run
  }

  private async iterate(iterations: number): Promise<void> {
    const { param, net } = this
    const { checkNumerics = 'auto' } = this.options
    if (!this.linted) {
      this.linted = true
      const { lint } = await import('./solver/lint.js')
      for (const hint of await lint(net.built, param, this.fresh)) this.hint(hint)
    }
    if (this.replicas) await this.replicas.begin(iterations)
    const start = this.iter
    const stop = start + iterations
    // snapshots to come need a place that can be written: found out before the work
    const saves = this.savesAtEnd || !!this.options.keepBest || hasMultiple(param.snapshot, start, stop)
    if (saves && this.writes && param.snapshot_prefix !== undefined)
      await this.files.mustBeWritable(`${param.snapshot_prefix}_iter_${stop}.caffemodel`, {
        anywhere: true,
        tried: true,
      })
    this.smoothed.restart(start)
    this.stopped = false
    this.pace.begin(start)
    while (this.iter < stop) {
      if (this.replicas?.stops ?? this.options.signal?.aborted) {
        this.stopped = true
        break
      }
      if (
        param.test_interval &&
        this.iter % param.test_interval === 0 &&
        (this.iter > 0 || (param.test_initialization ?? true))
      ) {
        await this.testAll()
        if (this.stopped) break
      }
      this.rate.peek(this.iter)
      for (const hook of this.hooks.start) await hook(this.iter)
      const displayed = !!param.display && this.iter % param.display === 0
      if (param.debug_info) net.debugInfo = displayed
      await net.exclusive(() => this.computeGradients(displayed))
      if (displayed) await this.display()
      await this.stopIf(await badPass(net.built, this.iter, displayed, checkNumerics, () => this.loss()))
      for (const hook of this.hooks.gradients) await hook(this.iter)
      // a snapshot that somebody asks for meanwhile holds an iteration whole, or not at all
      const lr = await net.exclusive(() => this.advance())
      for (const hook of this.hooks.iteration) await hook({ iter: this.iter, lr })
      if (this.snapshotWanted || (param.snapshot && this.iter % param.snapshot === 0)) {
        this.snapshotWanted = false
        await this.snapshot()
      }
    }
  }

  /**
   * pycaffe's apply_update: what `step` does with the gradients that stand in the params' diffs. They are clipped,
   * divided by iter_size, regularized and applied at this iteration's rate; then `iter` goes up. The diffs are left
   * holding what was taken off the weights: `net.clearParamDiffs()` comes before the next backward pass. Hooks, tests
   * and snapshots are step's alone.
   */
  async applyUpdate(): Promise<void> {
    this.mustLive('applyUpdate')
    this.replicas?.refuse('applyUpdate')
    await this.net.exclusive(() => this.advance())
  }

  /**
   * Train to max_iter, with the tests, displays and snapshots that the solver asks for. Starts from `state` if one is
   * given. A NetError where the solver has no max_iter: Caffe ends at once then, and saves the weights untrained.
   */
  async solve(state?: FileSource): Promise<void> {
    this.mustLive('solve')
    const { param } = this
    const { max_iter: maxIter, lr_policy: policy = '' } = param
    if (maxIter === undefined)
      throw new NetError(
        'solver: max_iter is missing, so solve() would train nothing: write for example max_iter: 1000, or call step(n)',
      )
    this.outOfPatience = false
    this.emit({ type: 'begin', iter: this.iter, maxIter, net: this.net.name, policy })
    let reason: EndReason = 'error'
    this.savesAtEnd = param.snapshot_after_train ?? true
    try {
      await this.run(maxIter, state)
      reason = this.outOfPatience ? 'patience' : this.stopped ? 'stopped' : 'done'
    } finally {
      this.savesAtEnd = false
      this.emit({ type: 'end', iter: this.iter, reason })
    }
  }

  private async run(maxIter: number, state: FileSource | undefined): Promise<void> {
    const { param } = this
    if (state !== undefined) await this.restore(state)
    const hint = lintEnd(maxIter, this.iter)
    if (hint) this.hint(hint)
    await this.step(Math.max(0, maxIter - this.iter))
    await this.stopIf(await badParams(this.net.built, this.options.checkNumerics))
    const rise = this.lossKnown && lintRise(this.firstLoss ?? Number.NaN, this.lastLoss)
    if (rise) this.hint(rise)
    const justSaved = !!param.snapshot && this.iter % param.snapshot === 0
    if ((param.snapshot_after_train ?? true) && param.snapshot_prefix !== undefined && !justSaved) await this.snapshot()
    if (this.stopped) return
    if (param.display && this.iter % param.display === 0) {
      this.smoothed.add(await this.net.exclusive(() => finalLoss(this.net, this.replicas)), this.iter)
      this.emit({ type: 'final', iter: this.iter, loss: this.smoothed.value })
    }
    if (param.test_interval && this.iter % param.test_interval === 0) await this.testAll()
  }

  /** Make the nets and the history. Called once, by create. */
  async setup(): Promise<void> {
    if (this.net) throw new RistrettoError('setup: this solver has its nets already; create calls it, once')
    const { log, on, keepBest, keepLast, patience } = this.options
    if (log) {
      const { caffeLog } = await import('./solver/caffe_log.js')
      this.on(event => caffeLog(event, line => log(line)))
    }
    if (on) this.on(on)
    this.saving = await import('./solver/snapshot.js')
    if (keepBest || keepLast !== undefined || patience) {
      const { Keeper } = await import('./solver/keeper.js')
      this.keeper = new Keeper(this.options, () => this.snapshotAs('best'))
    }
    const notice = (text: string, tag?: string) => this.emit({ type: 'notice', text, ...(tag ? { tag } : {}) })
    this.replicas = await replicasFor(this.param, this.options)
    const { net, testNets, trained } = await buildNets(this.param, this.options, this.files, notice, this.replicas)
    this.net = net
    net.runner.onEpoch = (epoch, inputs) => this.emit({ type: 'epoch', iter: this.iter, epoch, inputs })
    this.testNets = testNets
    this.fresh = !trained
    for (let m = 0; m < this.moments; m++)
      for (const { blob } of net.built.learnable)
        this.history.push(new Blob(blob.shape, this.engine.heap, `history of ${blob.name}`))
    await this.replicas?.attach(this, { positionsOf, applyPositions }, notice)
  }

  /** Forward and backward over the batches of an iteration. The gradients add up in the params' diffs. */
  private async computeGradients(displayed: boolean): Promise<void> {
    const size = this.replicas?.total ?? 1
    // a device's loss is fetched only when somebody looks at it, unless a mean over several passes is wanted
    const wanted =
      this.engine.isHost || displayed || size > 1 || (this.param.average_loss ?? 1) > 1 || this.rate.followsLoss
    const { loss, saves, outputs } = await computePasses(this.net, this.replicas, { wanted, displayed })
    this.snapshotWanted ||= saves
    this.othersOutputs = outputs
    this.lossKnown = wanted
    if (!wanted) return
    this.lastLoss = loss / size
    this.firstLoss ??= this.lastLoss
    this.smoothed.add(this.lastLoss, this.iter)
  }

  private async display(): Promise<void> {
    const { net, iter, lastLoss } = this
    const { iterations, seconds } = this.pace.since(iter)
    const outputs = await readOutputs(net, this.othersOutputs)
    const interval = this.param.display ?? 0
    const loss = this.smoothed.value
    this.emit({ type: 'display', iter, loss, lastLoss, lr: this.lr, iterations, seconds, interval, outputs })
    const hint = lintLoss(lastLoss)
    if (hint) this.hint(hint)
  }

  /** Clip, then per param: divide by iter_size, regularize, update. Resolves to the rate. */
  private async advance(): Promise<number> {
    const { param, net, iter } = this
    const { stage } = this.rate
    const lr = this.rate.take(iter, this.smoothed.value)
    const displayed = !!param.display && iter % param.display === 0
    this.tellRate(lr, displayed, stage)
    const scale = (await this.clipScale()) / (this.replicas?.total ?? 1)
    updateEach(net.built, (i, learnable) => this.update(i, learnable, ruleOf(param, learnable, lr, scale)))
    // a device's queue must not grow without end; nothing is read back
    await this.engine.finish?.()
    this.iter++
    return lr
  }

  /** Factor that brings the L2 norm of all raw gradients together down to clip_gradients; 1 if it is below. */
  private async clipScale(): Promise<number> {
    const limit = this.param.clip_gradients ?? -1
    if (limit < 0) return 1
    const norm = (await gradientNorm(this.net.built)) / (this.replicas?.members ?? 1)
    if (!Number.isFinite(norm)) await this.stopIf(`the L2 norm of all gradients is ${norm}`)
    if (norm <= limit) return 1
    this.emit({ type: 'clip', iter: this.iter, norm, limit })
    return limit / norm
  }
}

/** A description of another type than the class; one of a program's own may have any. */
function refuseOther(made: object & { readonly type?: string }, { type }: SolverParameter): void {
  const own = Object.hasOwn(made, 'type') ? made.type : undefined
  if (own !== undefined && type !== undefined && type !== own)
    throw new NetError(
      `solver: its type is '${type}', but ${own}Solver.create trains by ${own}; createSolver takes the class that the type names, or leave the type out`,
    )
}
