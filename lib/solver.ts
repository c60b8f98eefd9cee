import { Blob } from './blob.js'
import type { Engine, Kernels, UpdateRule } from './engine.js'
import { kernelsOf } from './engines/complete.js'
import { type EngineName, gpuForSolverMode } from './engines/index.js'
import { NetError, RistrettoError } from './errors.js'
import type { NetParameter, SolverParameter } from './generated/caffe.js'
import { Memory } from './memory.js'
import type { LearnableParam } from './net/build.js'
import { Net } from './net.js'
import { checkMessage } from './proto/message.js'
import { parseSolver } from './proto/text.js'
import { upgradeSolver } from './proto/upgrade.js'
import { checkSolver } from './solver/check.js'
import { Keeper } from './solver/keeper.js'
import { LearningRate } from './solver/learning_rate.js'
import { InputLint, lint, lintEnd, lintLoss } from './solver/lint.js'
import { outputText, outputValues, stateOptions, testNetsOf, trainNetOf } from './solver/nets.js'
import { findNotFinite, NumericsError } from './solver/numerics.js'
import { restoreSolver, type Snapshot, snapshotSolver } from './solver/snapshot.js'
import { createFiles, type FileReader, type FileSource, type Files, fileName, isFileSource } from './system/files.js'
import { g6 } from './system/format.js'

/** Where a solver runs, what it starts from, and when it looks, saves and stops. */
export interface SolverOptions {
  /** Where the nets compute: a name, or an engine. Default: wasm, or what `solver_mode` asks for. */
  engine?: EngineName | Engine
  /** Compute threads, the calling one included; default: the cores the process may use. Results do not depend on it. */
  threads?: number
  /** Most bytes that each net may take for values and its kernels' work; default: 4 GiB. */
  maxMemory?: number
  /** Most multiply-adds of a pass of each net, forward and backward; default: no limit. */
  maxWork?: number
  /** Seed of every random stream; default: the solver's `random_seed`, else one is drawn. */
  seed?: number
  /** Level and further stages of the train net's state, beside those of `train_state`. */
  level?: number
  stages?: readonly string[]
  /** Trained weights to start from, loaded into the train net in order. */
  weights?: FileSource | readonly FileSource[]
  /** Answers for the files named in the prototxts before the file system does. */
  files?: FileReader
  /** Receives Caffe's log lines; the library prints nothing by itself. */
  log?: (line: string) => void
  /** Stops `step` and `solve` cleanly after the iteration under way. */
  signal?: AbortSignal
  /** When to look for NaN and infinity: at display points (default), after every iteration, or never. */
  checkNumerics?: 'display' | 'always' | 'never'
  /** Keep only so many of this run's snapshots, the newest ones. */
  keepLast?: number
  /** Snapshot as `<prefix>_best` whenever this output of test net 0 is better than before. */
  keepBest?: Watch
  /** Stop when this output of test net 0 has not become better for `tests` tests in a row. */
  patience?: Watch & { tests: number }
}

/** A test output to watch: 'max' for an accuracy, 'min' for a loss (the default if its blob has a loss weight). */
export interface Watch {
  readonly output: string
  readonly better?: 'min' | 'max'
}

/** One output value of a test, averaged over its iterations. */
export interface TestResult {
  readonly name: string
  readonly value: number
  readonly lossWeight: number
}

/** What `onIteration` is told. */
export interface IterationEvent {
  /** Number of updates so far, this one included. */
  readonly iter: number
  readonly lr: number
}

/** What `onTest` is told. */
export interface TestEvent {
  readonly iter: number
  /** Number of the test net. */
  readonly net: number
  readonly results: readonly TestResult[]
}

/** Called while a solver trains; a promise is waited for. */
export type SolverHook<E> = (event: E) => void | Promise<void>

/** Minimises a net's loss: Caffe's Solver. Subclasses say only how a gradient becomes a step. */
export abstract class Solver {
  /** The net that is trained. */
  net!: Net
  /** Nets that share its weights and are tested every `test_interval` iterations. */
  testNets: Net[] = []
  /** How many times the weights have been updated. */
  iter = 0
  /** Moments of past gradients, in the order of Caffe's solver state. */
  readonly history: Blob[] = []
  readonly rate: LearningRate
  private readonly keeper: Keeper
  /** True once the last `step` or `solve` was stopped by its signal. */
  stopped = false

  private readonly hooks = {
    start: [] as SolverHook<number>[],
    gradients: [] as SolverHook<number>[],
    iteration: [] as SolverHook<IterationEvent>[],
    test: [] as SolverHook<TestEvent>[],
  }
  private lastLoss = 0
  private lossKnown = true
  private recent: number[] = []
  private smoothed = 0
  private snapshotWanted = false
  /** Settles when the steps asked for so far are done. */
  private stepping: Promise<void> | undefined
  private linted = false
  private readonly inputs = new InputLint()
  /** No trained weights were loaded. */
  private fresh = true
  private lastDisplay: { iter: number; time: number } | undefined

  /** Use create(), which also builds the nets. */
  constructor(
    readonly param: SolverParameter,
    readonly options: SolverOptions,
    readonly files: Files,
  ) {
    if (!param || !options || !files)
      throw new RistrettoError(
        `a ${new.target.name} is made by its create: await ${new.target.name}.create('solver.prototxt')`,
      )
    checkSolver(param)
    this.rate = new LearningRate(param)
    this.keeper = new Keeper(this)
    if (options.keepBest && param.snapshot_prefix === undefined)
      throw new NetError('solver: keepBest writes files, so snapshot_prefix must say where')
    this.checkParam()
  }

  /**
   * Build a solver with its train net and test nets from a solver prototxt (path, URL or bytes) or a parsed
   * SolverParameter.
   */
  static async create<S extends Solver>(
    this: new (
      param: SolverParameter,
      options: SolverOptions,
      files: Files,
    ) => S,
    source: FileSource | SolverParameter,
    options: SolverOptions = {},
  ): Promise<S> {
    const { param, files } = await readSolver(source, options)
    const solver = new this(param, options, files)
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

  /** Where the train net computes. */
  get engine(): Engine {
    return this.net.engine
  }
  /** The engine's kernels, for update rules. */
  protected get kernels(): Kernels {
    return kernelsOf(this.net.engine)
  }

  /** The learning rate that the next step will use. */
  get lr(): number {
    return this.rate.peek(this.iter)
  }

  /** The loss of the last iteration, averaged over iter_size, not smoothed. */
  async loss(): Promise<number> {
    if (!this.lossKnown) await this.readLoss()
    return this.lastLoss
  }

  /** The loss averaged over the last `average_loss` iterations of this step, as it is displayed. */
  get smoothedLoss(): number {
    return this.smoothed
  }

  /** Called before an iteration's forward pass, with the iteration number. */
  onStart(hook: SolverHook<number>): void {
    this.hooks.start.push(hook)
  }
  /** Called when the gradients stand in the params' diffs, before they are clipped, regularized and applied. */
  onGradientsReady(hook: SolverHook<number>): void {
    this.hooks.gradients.push(hook)
  }
  /** Called after every update. */
  onIteration(hook: SolverHook<IterationEvent>): void {
    this.hooks.iteration.push(hook)
  }
  /** Called after every test, with the averaged outputs. */
  onTest(hook: SolverHook<TestEvent>): void {
    this.hooks.test.push(hook)
  }

  /**
   * Run `iterations` iterations: test, forward, backward, update. Resolves to nothing, so that no value has to be read
   * back. Calls that overlap run one after the other.
   */
  step(iterations = 1): Promise<void> {
    if (!Number.isSafeInteger(iterations) || iterations < 0)
      return Promise.reject(
        new RistrettoError(`step takes a number of iterations, 0 or more, not ${String(iterations)}`),
      )
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
    if (!this.linted) {
      this.linted = true
      for (const hint of await lint(net, param, this.fresh)) this.hint(hint)
    }
    const start = this.iter
    const stop = start + iterations
    this.recent = []
    this.smoothed = 0
    this.stopped = false
    this.lastDisplay ??= { iter: start, time: performance.now() }
    while (this.iter < stop) {
      if (this.options.signal?.aborted) {
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
      for (const hook of this.hooks.start) await hook(this.iter)
      const displayed = !!param.display && this.iter % param.display === 0
      if (param.debug_info) net.debugInfo = displayed
      const untouched = this.inputs.before(net)
      await net.exclusive(() => this.computeGradients(displayed, start))
      if (untouched.length) for (const hint of await this.inputs.after(untouched, 'the train net')) this.hint(hint)
      if (displayed) await this.display()
      if (this.checks(displayed)) await this.checkNumerics()
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
    await this.net.exclusive(() => this.advance())
  }

  /**
   * Train to max_iter, with the tests, displays and snapshots that the solver asks for. Starts from `state` if one is
   * given.
   */
  async solve(state?: FileSource): Promise<void> {
    const { param } = this
    this.log(`Solving ${this.net.name}`)
    this.log(`Learning Rate Policy: ${param.lr_policy}`)
    if (state !== undefined) await this.restore(state)
    const start = this.iter
    const hint = lintEnd(param.max_iter, start)
    if (hint) this.hint(hint)
    await this.step(Math.max(0, (param.max_iter ?? 0) - this.iter))
    const justSaved = !!param.snapshot && this.iter % param.snapshot === 0
    if ((param.snapshot_after_train ?? true) && param.snapshot_prefix !== undefined && !justSaved) await this.snapshot()
    if (this.stopped) {
      this.log('Optimization stopped early.')
      return
    }
    if (param.display && this.iter % param.display === 0) {
      await this.net.exclusive(() => this.net.runForward())
      this.smooth(await this.net.loss(), start)
      this.log(`Iteration ${this.iter}, loss = ${g6(this.smoothed)}`)
    }
    if (param.test_interval && this.iter % param.test_interval === 0) await this.testAll()
    this.log('Optimization Done.')
  }

  /** Average every output of every test net over its test_iter batches. */
  async testAll(): Promise<TestResult[][]> {
    const all: TestResult[][] = []
    for (let i = 0; i < this.testNets.length && !this.stopped; i++) all.push(await this.test(i))
    return all
  }

  /** Average every output of test net `index` over its test_iter batches. */
  async test(index = 0): Promise<TestResult[]> {
    const net = this.testNets[index]
    const iterations = this.param.test_iter?.[index] ?? 0
    this.log(`Iteration ${this.iter}, Testing net (#${index})`)
    const sums: number[] = []
    let loss = 0
    for (let i = 0; i < iterations; i++) {
      if (this.options.signal?.aborted) {
        this.stopped = true
        this.log('Test interrupted.')
        return []
      }
      const untouched = this.inputs.before(net)
      await net.exclusive(() => net.runForward())
      if (untouched.length) for (const hint of await this.inputs.after(untouched, `test net #${index}`)) this.hint(hint)
      if (this.param.test_compute_loss) loss += await net.loss()
      let k = 0
      for (const name of net.outputs) {
        const blob = net.blobs[name]
        await blob.memory.data.pull()
        for (const value of blob.dataArray) sums[k] = (sums[k++] ?? 0) + value
      }
    }
    if (this.param.test_compute_loss) this.log(`Test loss: ${g6(loss / iterations)}`)
    const results = outputValues(net, k => sums[k] / iterations)
    results.forEach((result, k) => this.log(`    Test net output #${k}: ${outputText(result)}`))
    for (const hook of this.hooks.test) await hook({ iter: this.iter, net: index, results })
    if (index === 0 && (await this.keeper.tested(results))) this.stopped = true
    return results
  }

  /**
   * Save model and solver state as `<prefix>_iter_<n>.caffemodel` and `.solverstate`; without a prefix resolves to
   * their bytes.
   */
  async snapshot(): Promise<Snapshot> {
    const snapshot = await this.net.exclusive(() => snapshotSolver(this))
    await this.keeper.saved(snapshot)
    return snapshot
  }

  /** Write a snapshot under another name than the iteration's: `<prefix>_<name>`. */
  async snapshotAs(name: string): Promise<Snapshot> {
    return this.net.exclusive(() => snapshotSolver(this, name))
  }

  /** Ask for a snapshot after the iteration under way (what SIGHUP does). */
  requestSnapshot(): void {
    this.snapshotWanted = true
  }

  /** Continue from a .solverstate (and the model that it names, or `model`). */
  async restore(state: FileSource, model?: FileSource): Promise<void> {
    await this.net.exclusive(() => restoreSolver(this, state, model))
    this.fresh = false
  }

  /** Give the memory of all nets and the history back. */
  dispose(): void {
    this.net.dispose()
    for (const net of this.testNets) net.dispose()
    for (const blob of this.history) blob.dispose()
  }
  /** The same at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  /** Hand a line to the `log` option. */
  log(line: string): void {
    this.options.log?.(line)
  }

  /** Make the nets and the history. Called once, by create. */
  async setup(): Promise<void> {
    const { param, options } = this
    const seed = options.seed ?? ((param.random_seed ?? -1) >= 0 ? param.random_seed : undefined)
    const { threads, maxMemory, maxWork, files, log } = options
    // the schema's default is GPU, too: only a written one counts
    const engine =
      options.engine ??
      (param.solver_mode === 'GPU' ? await gpuForSolverMode(options, line => this.log(line)) : undefined)
    const common = { engine, threads, maxMemory, maxWork, files, log }
    const train = await this.netParam(trainNetOf(param))
    const phase = param.train_state?.phase ?? train.state?.phase ?? 'TRAIN'
    const state = stateOptions(param.train_state)
    const level = options.level ?? state.level
    const stages = [...(state.stages ?? []), ...(options.stages ?? [])]
    this.net = await Net.create(train, { ...common, level, stages, phase, seed, near: this.files })
    const weights = [...(param.weights ?? []).flatMap(list => list.split(',')), ...listOf(options.weights)]
    for (const file of weights) await this.net.copyFrom(file)
    this.fresh = weights.length === 0
    const tests = testNetsOf(param)
    for (let i = 0; i < tests.length; i++) {
      const net = await this.netParam(tests[i])
      const state = param.test_state?.[i]
      const testPhase = state?.phase ?? net.state?.phase ?? 'TEST'
      this.testNets.push(
        await Net.create(net, {
          ...common,
          ...stateOptions(state),
          phase: testPhase,
          seed: this.net.seed,
          near: this.files,
        }),
      )
      this.testNets[i].shareWith(this.net)
    }
    for (let m = 0; m < this.moments; m++)
      for (const { blob } of this.net.learnable)
        this.history.push(new Blob(blob.shape, this.engine.heap, `history of ${blob.name}`))
  }

  /** Forward and backward over iter_size batches. The gradients add up in the params' diffs. */
  private async computeGradients(displayed: boolean, start: number): Promise<void> {
    const { net } = this
    const size = this.param.iter_size ?? 1
    net.clearParamDiffs()
    let loss = 0
    // a device's loss is fetched only when somebody looks at it, unless a mean over several passes is wanted
    const wanted = this.engine.isHost || displayed || size > 1 || (this.param.average_loss ?? 1) > 1
    for (let i = 0; i < size; i++) {
      await net.runForward()
      if (wanted) loss += this.engine.isHost ? net.lossNow() : await net.loss()
      await net.runBackward()
    }
    this.lossKnown = wanted
    if (wanted) this.smooth((this.lastLoss = loss / size), start)
  }

  private hint(text: string): void {
    this.log(`Hint: ${text}`)
  }

  private checks(displayed: boolean): boolean {
    const when = this.options.checkNumerics ?? 'display'
    return when === 'always' || (when === 'display' && displayed)
  }

  /** Stop with the name of the first bad layer and blob if the loss is no finite number. */
  private async checkNumerics(): Promise<void> {
    const loss = await this.loss()
    if (Number.isFinite(loss)) return
    const where = await findNotFinite(this.net)
    throw new NumericsError(
      `iteration ${this.iter}: the loss is ${loss}. First bad value: ${where ?? 'none found in the blobs'}. Lower base_lr (now ${g6(this.lr)}), clip gradients, or check the data's scale`,
    )
  }

  private async readLoss(): Promise<void> {
    this.lastLoss = await this.net.loss()
    this.lossKnown = true
  }

  private smooth(loss: number, start: number): void {
    const window = this.param.average_loss ?? 1
    if (this.recent.length < window) {
      this.recent.push(loss)
      const n = this.recent.length
      this.smoothed = (this.smoothed * (n - 1) + loss) / n
    } else {
      const oldest = (this.iter - start) % window
      this.smoothed += (loss - this.recent[oldest]) / window
      this.recent[oldest] = loss
    }
  }

  private async display(): Promise<void> {
    const now = performance.now()
    const last = this.lastDisplay!
    const seconds = (now - last.time) / 1000
    const done = this.iter - last.iter
    const pace = `(${g6(done / (seconds || 1))} iter/s, ${g6(seconds)}s/${this.param.display} iters)`
    this.log(`Iteration ${this.iter} ${pace}, loss = ${g6(this.smoothed)}`)
    this.lastDisplay = { iter: this.iter, time: now }
    for (const name of this.net.outputs) await this.net.blobs[name].memory.data.pull()
    const values = this.net.outputs.flatMap(name => [...this.net.blobs[name].dataArray])
    outputValues(this.net, k => values[k]).forEach((result, k) =>
      this.log(`    Train net output #${k}: ${outputText(result)}`),
    )
    const hint = lintLoss(this.lastLoss)
    if (hint) this.hint(hint)
  }

  /** Clip, then per param: divide by iter_size, regularize, update. Resolves to the rate. */
  private async advance(): Promise<number> {
    const { param, net, iter } = this
    const { stage } = this.rate
    const lr = this.rate.take(iter)
    if (param.lr_policy === 'multistep' && this.rate.stage !== stage)
      this.log(`MultiStep Status: Iteration ${iter}, step = ${this.rate.stage}`)
    if (param.display && iter % param.display === 0) this.log(`Iteration ${iter}, lr = ${g6(lr)}`)
    const scale = (await this.clipScale()) / (param.iter_size ?? 1)
    const regularization = param.regularization_type === 'L1' ? 'L1' : 'L2'
    net.learnable.forEach((learnable, i) => {
      const decay = (param.weight_decay ?? 0) * learnable.decayMult
      this.update(i, learnable, { rate: lr * learnable.lrMult, scale, decay, regularization })
    })
    // a device's queue must not grow without end; nothing is read back
    await this.engine.finish?.()
    this.iter++
    return lr
  }

  /** Factor that brings the L2 norm of all raw gradients together down to clip_gradients; 1 if it is below. */
  private async clipScale(): Promise<number> {
    const limit = this.param.clip_gradients ?? -1
    if (limit < 0) return 1
    const { learnable } = this.net
    const sums = new Memory(learnable.length, this.engine.heap)
    learnable.forEach(({ blob }, i) => this.kernels.sumOfSquares(blob.count, blob.memory.diff, sums, i))
    await sums.pull()
    const norm = Math.sqrt(sums.array.reduce((sum, value) => sum + value, 0))
    sums.dispose()
    if (norm <= limit) return 1
    this.log(
      `Gradient clipping: scaling down gradients (L2 norm ${g6(norm)} > ${g6(limit)}) by scale factor ${g6(limit / norm)}`,
    )
    return limit / norm
  }

  private async netParam(source: string | NetParameter): Promise<NetParameter> {
    return typeof source === 'string' ? Net.read(source, this.files) : source
  }
}

/** The solver description from wherever it is, upgraded; and files as seen from it. */
export async function readSolver(
  source: FileSource | SolverParameter,
  options: SolverOptions,
): Promise<{ param: SolverParameter; files: Files }> {
  const files = createFiles(options.files)
  if (!isFileSource(source)) return { param: upgradeSolver(checkMessage('SolverParameter', source, 'solver')), files }
  const text = new TextDecoder().decode(await files.read(source))
  return { param: upgradeSolver(parseSolver(text, { file: fileName(source) })), files: files.near(source) }
}

const listOf = (weights: SolverOptions['weights']): readonly FileSource[] =>
  weights === undefined ? [] : Array.isArray(weights) ? weights : [weights as FileSource]
