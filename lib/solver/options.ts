import type { Engine } from '../engine.js'
import type { EngineName } from '../engines/index.js'
import { RistrettoError } from '../errors.js'
import type { Communicator } from '../group.js'
import { NET_RULES } from '../net/options.js'
import {
  aCount,
  aFlag,
  aFunction,
  anything,
  aSignal,
  checkOptions,
  type OptionRules,
  oneOf,
} from '../system/check_options.js'
import type { FileOptions, FileSource } from '../system/files.js'
import type { OutputValue, SolverListener } from './events.js'
import type { NumericsChecks } from './numerics.js'

/** Where a solver runs, what it starts from, and when it looks, saves and stops. */
export interface SolverOptions extends FileOptions {
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
  /**
   * Names of layers that keep their weights, * standing for anything: `['backbone/*']`. As with `lr_mult: 0`, no gradient
   * goes where none is needed; BatchNorm layers among them use their statistics as they are.
   */
  freeze?: readonly string[]
  /**
   * The workers that train together, from `joinGroup`: an iteration then is the passes of all of them, as one worker's with
   * `iter_size` times their number. Every member makes the same solver and the same calls.
   */
  group?: Communicator
  /** The workers share the `iter_size` passes of an iteration, instead of each doing so many. */
  share?: boolean
  /** Receives Caffe's log lines; the library prints nothing by itself. */
  log?: (line: string) => void
  /** Told what happens, as data, from the moment the nets are made; `solver.on` adds listeners later. */
  on?: SolverListener
  /** Stops `step` and `solve` cleanly after the iteration under way. */
  signal?: AbortSignal
  /**
   * When to look for NaN and infinity, before the update that would spoil the weights: 'auto' (default) at the loss
   * of every iteration where it costs nothing (on a device at displays and every 100 iterations), at all gradients at
   * displays and every 100 iterations, and at the weights before they are saved and at the end; 'display' only at
   * displays, 'always' everywhere, 'never' nowhere. What is found is a NumericsError.
   */
  checkNumerics?: NumericsChecks
  /** Keep only so many of this run's snapshots, the newest ones. */
  keepLast?: number
  /** Snapshot as `<prefix>_best` whenever this output of test net 0 is better than before. */
  keepBest?: Watch
  /** Stop when this output of test net 0 has not become better for `tests` tests in a row. */
  patience?: Watch & { tests: number }
}

const { optimize, keep, phase, taggedLog, near, forceBackward, ...common } = NET_RULES
export const SOLVER_RULES: OptionRules<SolverOptions> = {
  ...common,
  on: aFunction,
  signal: aSignal,
  share: aFlag,
  group: [v => typeof (v as Communicator | null)?.gather === 'function', 'what joinGroup resolves to'],
  checkNumerics: oneOf('auto', 'display', 'always', 'never'),
  keepLast: aCount,
  keepBest: anything,
  patience: anything,
}
const WATCH: OptionRules<Watch> = {
  output: [v => typeof v === 'string', 'the name of an output'],
  better: oneOf('min', 'max'),
}

const PATIENCE: OptionRules<NonNullable<SolverOptions['patience']>> = { ...WATCH, tests: aCount }

/** Throws a RistrettoError for an option that is not what it must be. */
export function checkSolverOptions(options: SolverOptions): void {
  checkOptions('the solver', options, SOLVER_RULES)
  const { keepBest, patience } = options
  for (const [name, watch] of Object.entries({ keepBest, patience })) {
    if (watch === undefined) continue
    if (typeof watch !== 'object' || watch === null || typeof watch.output !== 'string')
      throw new RistrettoError(`the option ${name} is { output: 'accuracy' }: the output of test net 0 to watch`)
    checkOptions<Watch>(`the option ${name}`, watch, name === 'patience' ? PATIENCE : WATCH)
  }
  if (patience && patience.tests === undefined)
    throw new RistrettoError('the option patience needs tests: how many tests in a row may be no better')
}

/** A test output to watch: 'max' for an accuracy, 'min' for a loss (the default if its blob has a loss weight). */
export interface Watch {
  readonly output: string
  readonly better?: 'min' | 'max'
}

/** One output value of a test, averaged over its iterations. */
export type TestResult = OutputValue

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
