import { RistrettoError } from '../errors.js'
import type { SolverParameter } from '../generated/caffe.js'
import type { SolverEvent } from '../solver/events.js'
import { SOLVER_RULES, type SolverOptions } from '../solver/options.js'
import type { Snapshot } from '../solver/snapshot.js'
import { isFields, mustTake } from '../system/arguments.js'
import { aList, anObject, anything, aText, checkNeeded, type OptionRules } from '../system/check_options.js'
import { type FileSource, isFileSource } from '../system/files.js'
import { type StartOptions, startWorkers } from './supervisor.js'

/** How `trainWorkers` trains: what a solver takes that can be sent to a thread, and what is told to the caller. */
export interface TrainWorkersOptions
  extends Pick<SolverOptions, 'threads' | 'seed' | 'level' | 'share' | 'log' | 'on' | 'signal' | 'maxMemory'>,
    Pick<SolverOptions, 'keepLast' | 'keepBest' | 'patience' | 'checkNumerics' | 'outputs'> {
  /** How many threads train. */
  workers: number
  /** Where the nets compute: wasm (the default), native or js. */
  engine?: string
  stages?: readonly string[]
  /**
   * Modules, by path or URL, whose classes of layers every worker registers: under the name of the file as a Python
   * layer's module, and each under its own name. What a module registers itself is registered as well.
   */
  layers?: readonly (string | URL)[]
  /** Trained weights to start from, or a .solverstate to go on from. */
  weights?: FileSource | readonly FileSource[]
  snapshot?: FileSource
  /** Seconds that a worker waits for the others; default: warn after a minute, never end. */
  timeout?: number
  /** Limits of each worker's JavaScript heap, in Node. */
  resourceLimits?: StartOptions['resourceLimits']
}

const { maxWork, files, maxFile, urlTimeout, streams, group, ...common } = SOLVER_RULES
const RULES: OptionRules<TrainWorkersOptions> = {
  ...common,
  workers: anything,
  engine: aText,
  layers: aList,
  snapshot: anything,
  timeout: anything,
  resourceLimits: anObject,
}

/** What a member of trainWorkers is told to do. */
export interface TrainOrder {
  readonly solver: FileSource | SolverParameter
  readonly options: Omit<TrainWorkersOptions, 'log' | 'on' | 'signal' | 'workers' | 'resourceLimits'>
}

/** What member 0 tells. */
export type TrainWord =
  | { readonly event: SolverEvent }
  | { readonly log: string }
  | { readonly result: Snapshot | undefined }

/**
 * Train a solver with `workers` threads, each with a memory of its own; resolves to the last snapshot, of the weights that
 * all members end with: paths, or bytes where the solver has no snapshot_prefix. The first error of a worker ends all, and
 * is a RistrettoError that names the worker. A module of the library is started in each thread: pages that are bundled
 * start one of their own, with `startWorkers`.
 */
export async function trainWorkers(
  solver: FileSource | SolverParameter,
  given: TrainWorkersOptions,
): Promise<Snapshot> {
  const fits = isFields(solver) || isFileSource(solver)
  mustTake(fits, 'trainWorkers', "a solver: a path, 'solver.prototxt', or what parseSolver gives", solver)
  checkNeeded('trainWorkers', given, RULES, ['workers'])
  const { workers, log, on, signal, resourceLimits, ...options } = given
  const order: TrainOrder = {
    solver: sendable(solver),
    options: {
      ...options,
      layers: options.layers?.map(String),
      weights: Array.isArray(options.weights) ? options.weights.map(sendable) : sendable(options.weights),
      snapshot: sendable(options.snapshot),
    },
  }
  let result: Snapshot | undefined
  const started = await startWorkers(member, workers, {
    data: order,
    signal,
    resourceLimits,
    onMessage(message) {
      const word = message as TrainWord
      if ('event' in word) on?.(word.event)
      else if ('log' in word) log?.(word.log)
      else result = word.result
    },
  })
  await started.finished
  if (!result) throw new RistrettoError('the workers ended without a snapshot')
  return result
}

/** What each thread runs: in the package, or in its source. */
const member = new URL(import.meta.url.endsWith('.ts') ? './train_member.ts' : './train_member.js', import.meta.url)

/** URLs cannot be sent to a thread, their texts can. */
const sendable = <T>(source: T): T => (source instanceof URL && isFileSource(source) ? (source.href as T) : source)
