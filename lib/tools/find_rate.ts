import { RistrettoError } from '../errors.js'
import type { SolverParameter } from '../generated/caffe.js'
import { NumericsError } from '../solver/numerics.js'
import { SOLVER_RULES, type SolverOptions } from '../solver/options.js'
import { createChangedSolver } from '../solver/rules/index.js'
import type { Solver } from '../solver.js'
import { aFunction, aLimit, anything, checkOptions, type OptionRules } from '../system/check_options.js'
import type { FileSource } from '../system/files.js'

/** Which rates are tried, in how many iterations, and how the solver runs. */
export interface FindRateOptions extends Omit<SolverOptions, 'keepLast' | 'keepBest' | 'patience'> {
  /** The first rate; default 1e-6. */
  readonly from?: number
  /** The last rate; default 1. */
  readonly to?: number
  /** How many iterations to go from the first to the last; default 100. */
  readonly iterations?: number
  /** What the net needs before it runs: `solver => solver.net.feed(…)`. */
  readonly prepare?: (solver: Solver) => void | Promise<void>
  /** Called after every iteration. */
  readonly onPoint?: (point: RatePoint) => void
}

const { keepLast, keepBest, patience, ...solverRules } = SOLVER_RULES
const RULES: OptionRules<FindRateOptions> = {
  ...solverRules,
  from: aLimit,
  to: aLimit,
  iterations: anything,
  prepare: aFunction,
  onPoint: aFunction,
}

/** One iteration at one rate. */
export interface RatePoint {
  readonly rate: number
  /** The loss before the update at this rate. */
  readonly loss: number
  /** A mean of the losses so far, in which those of the last twentieth of the search count most. */
  readonly smoothed: number
}

/** How the loss went as the rate rose. */
export interface RateSearch {
  readonly points: readonly RatePoint[]
  /** Where the smoothed loss falls fastest; undefined where it never falls. */
  readonly suggestion: number | undefined
  /** Where the smoothed loss is lowest: a rate from here on is too high. */
  readonly lowest: number
  /** `diverged`: the loss rose to four times its lowest value, or left the finite numbers, before the last rate. */
  readonly end: 'done' | 'diverged' | 'stopped'
}

/**
 * A learning rate to start with (Smith 2015): the solver's net is trained from its first weights (or `weights`) while
 * the rate rises from `from` to `to` by the same factor every iteration, until the loss blows up. Tests, displays and
 * snapshots are left out; nothing is written.
 *
 * @example
 * const { suggestion } = await findRate('solver.prototxt', { iterations: 200 })
 *
 * @throws RistrettoError for rates that do not rise, and whatever making and running the solver throws
 */
export async function findRate(
  source: FileSource | SolverParameter,
  options: FindRateOptions = {},
): Promise<RateSearch> {
  checkOptions('findRate', options, RULES)
  const { from = 1e-6, to = 1, iterations = 100, prepare, onPoint, ...rest } = options
  // a rate is a number of single precision
  if (!(from > 0 && to > from && Math.fround(to) < Number.POSITIVE_INFINITY))
    throw new RistrettoError(`findRate: the rates go up from above 0, not from ${from} to ${to}`)
  if (!(Number.isSafeInteger(iterations) && iterations >= 10))
    throw new RistrettoError(`findRate: iterations is a whole number from 10 on, not ${iterations}`)
  const factor = (to / from) ** (1 / (iterations - 1))
  const solver = await createChangedSolver(source, { ...rest, checkNumerics: 'auto' }, param => ({
    ...withoutTests(param),
    base_lr: from,
    lr_policy: 'exp',
    gamma: factor,
    max_iter: iterations,
  }))
  try {
    await prepare?.(solver)
    return await search(solver, iterations, onPoint)
  } finally {
    solver.dispose()
  }
}

/** What trains, and nothing that looks or saves. */
function withoutTests(param: SolverParameter): SolverParameter {
  const {
    test_net,
    test_net_param,
    test_iter,
    test_state,
    test_interval,
    display,
    snapshot,
    snapshot_prefix,
    warmup_iter,
    rampup_interval,
    ...rest
  } = param
  return { ...rest, snapshot_after_train: false }
}

async function search(
  solver: Solver,
  iterations: number,
  onPoint: ((point: RatePoint) => void) | undefined,
): Promise<RateSearch> {
  const points: RatePoint[] = []
  const memory = 1 - 1 / Math.max(2, iterations / 20)
  let mean = 0
  let lowest = Number.POSITIVE_INFINITY
  let end: RateSearch['end'] = 'done'
  while (end === 'done' && points.length < iterations) {
    const rate = solver.lr
    try {
      await solver.step(1)
    } catch (error) {
      // the first losses must be finite, or there is nothing to find
      if (!(error instanceof NumericsError) || points.length < 2) throw error
      end = 'diverged'
      break
    }
    if (solver.stopped) end = 'stopped'
    else {
      const loss = await solver.loss()
      mean = memory * mean + (1 - memory) * loss
      const smoothed = mean / (1 - memory ** (points.length + 1))
      points.push({ rate, loss, smoothed })
      onPoint?.(points[points.length - 1])
      lowest = Math.min(lowest, smoothed)
      if (smoothed > 4 * lowest && lowest > 0) end = 'diverged'
    }
  }
  return { points, ...readPoints(points), end }
}

/**
 * Where a curve falls fastest on its way to its lowest point. What falls by little more than batches differ from their
 * neighbours has not fallen: then nothing is suggested.
 */
function readPoints(points: readonly RatePoint[]): Pick<RateSearch, 'suggestion' | 'lowest'> {
  let low = 0
  points.forEach(({ smoothed }, i) => {
    if (smoothed < points[low].smoothed) low = i
  })
  const lowest = points[low]?.rate ?? Number.NaN
  // a single batch is no beginning
  const begin = points[Math.min(low, Math.ceil(points.length / 20))]
  if (!begin || !(begin.smoothed - points[low].smoothed > 1.5 * spreadOf(points, low)))
    return { suggestion: undefined, lowest }
  // a slope is taken over a tenth of the run, so that single batches do not decide
  const span = Math.max(1, Math.round(points.length / 20))
  let steepest = 0
  let suggestion: number | undefined
  for (let i = span; i + span < points.length && i <= low; i++) {
    const slope = points[i + span].smoothed - points[i - span].smoothed
    if (slope >= steepest) continue
    steepest = slope
    suggestion = points[i].rate
  }
  return { suggestion, lowest }
}

/** Standard deviation of the losses about their smoothed curve, up to its lowest point and a few behind it. */
function spreadOf(points: readonly RatePoint[], low: number): number {
  const seen = points.slice(0, Math.max(low + 1, Math.ceil(points.length / 10)))
  return Math.sqrt(seen.reduce((sum, { loss, smoothed }) => sum + (loss - smoothed) ** 2, 0) / seen.length)
}
