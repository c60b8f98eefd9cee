import { NetError } from '../errors.js'
import type { RatePolicy, SolverParameter } from '../generated/caffe.js'

type Policy = (p: SolverParameter, iter: number, stage: number) => number

// A stage counts how often the rate has dropped
const dropped: Policy = (p, _iter, stage) => base(p) * gamma(p) ** stage

const policies = {
  fixed: p => base(p),
  step: dropped,
  exp: (p, iter) => base(p) * gamma(p) ** iter,
  inv: (p, iter) => base(p) * (1 + gamma(p) * iter) ** -(p.power ?? 0),
  multistep: dropped,
  poly: (p, iter) => between(p, iter, left => left ** (p.power ?? 0)),
  // of forks: rates, each with the last iteration that it is for
  multifixed: ({ stagelr = [], stageiter = [] }, iter) => {
    const stage = stageiter.findIndex(last => iter <= last)
    return stagelr[stage < 0 ? stagelr.length - 1 : stage]
  },
  sigmoid: (p, iter) => base(p) / (1 + Math.exp(-gamma(p) * (iter - (p.stepsize ?? 0)))),
  // half a wave from base_lr down to min_lr
  cosine: (p, iter) => between(p, iter, left => (1 - Math.cos(Math.PI * left)) / 2),
  // of SSD: a step down whenever the loss has not reached a new low for a while
  plateau: dropped,
  // of a branch of Caffe's own: a step down whenever tests have not reached a new best accuracy for a while
  stepearly: dropped,
} satisfies Record<RatePolicy, Policy>

const base = (p: SolverParameter): number => p.base_lr ?? 0
const gamma = (p: SolverParameter): number => p.gamma ?? 0

/** From base_lr down to min_lr, as `curve` says of the part of max_iter that is left; min_lr from there on. */
function between(p: SolverParameter, iter: number, curve: (left: number) => number): number {
  const { max_iter: end = 0, min_lr: least = 0 } = p
  return iter >= end ? least : least + (base(p) - least) * curve(1 - iter / end)
}

/** The policies that there are. */
export const ratePolicies: readonly string[] = Object.keys(policies)

const isPolicy = (name: string): name is RatePolicy => Object.hasOwn(policies, name)

/** Of forks: from the first rate up to the base rate, in a line; the policy counts from there on. */
function warmUp(p: SolverParameter, iter: number): number | undefined {
  const from = p.warmup_iter ? (p.warmup_start_lr ?? 0) : (p.rampup_lr ?? 0)
  const iterations = p.warmup_iter || p.rampup_interval || 0
  return iter < iterations ? from + ((base(p) - from) * iter) / iterations : undefined
}

/** Caffe's learning-rate policies, those of its forks (multifixed, plateau, stepearly), cosine, and a warm-up. */
export class LearningRate {
  /** How often the rate has dropped, part of a snapshot as `current_step`. */
  stage = 0
  /**
   * plateau: the lowest smoothed loss so far, stepearly: minus the highest accuracy; and the iteration of the last such
   * or drop. Part of a snapshot.
   */
  lowest = Number.POSITIVE_INFINITY
  lastEvent = 0
  private readonly policy: Policy

  /** Throws a NetError for a policy that does not exist or cannot work. */
  constructor(private readonly param: SolverParameter) {
    const name = param.lr_policy ?? ''
    if (!isPolicy(name))
      throw new NetError(
        `solver: lr_policy ${name ? `'${name}' is unknown` : 'is missing'}; it may be ${ratePolicies.join(', ')}`,
      )
    const needs = (policy: RatePolicy, fits: boolean, what: string) => {
      if (name === policy && !fits) throw new NetError(`solver: lr_policy '${policy}' needs ${what}`)
    }
    const { stepsize = 0, max_iter = 0, stagelr = [], stageiter = [], plateau_winsize: sizes = [] } = param
    const { stepearly = 0, test_interval = 0 } = param
    needs('step', stepsize > 0, `a positive stepsize, it is ${stepsize}`)
    needs('cosine', max_iter > 0, `a positive max_iter, it is ${max_iter}`)
    needs(
      'multifixed',
      stagelr.length > 0 && stagelr.length === stageiter.length,
      `as many stageiter as stagelr, there are ${stageiter.length} and ${stagelr.length}`,
    )
    needs(
      'plateau',
      sizes.length > 0 && sizes.every(size => size > 0),
      'plateau_winsize: iterations (1 or more) without a new low of the loss until the rate drops, for every drop',
    )
    needs(
      'stepearly',
      stepearly > 0 && test_interval > 0,
      `a positive stepearly and test_interval, they are ${stepearly} and ${test_interval}`,
    )
    this.policy = policies[name]
  }

  /** Whether the rate follows the loss, so that every iteration's has to be known. */
  get followsLoss(): boolean {
    return this.param.lr_policy === 'plateau'
  }

  /** The rate of iteration `iter`, without moving the stage. */
  peek(iter: number): number {
    return this.rateOf(iter, this.nextStage(iter))
  }

  /**
   * The rate of iteration `iter`. A multistep stage moves by at most one a call, as in Caffe.
   *
   * @param loss smoothed, of this iteration; what plateau goes by
   */
  take(iter: number, loss = Number.NaN): number {
    // while it warms up, no loss is a low that later ones are held against
    if (this.followsLoss && warmUp(this.param, iter) === undefined) this.follow(iter, loss)
    else this.stage = this.nextStage(iter)
    return this.rateOf(iter, this.stage)
  }

  /**
   * stepearly: a test of the first test net. What counts is its first output that is no loss, in single precision, as
   * snapshots hold it. Throws a NetError where there is none.
   */
  tested(iter: number, outputs: readonly { readonly value: number; readonly lossWeight: number }[]): void {
    const { lr_policy, stepearly = 0, test_interval = 0 } = this.param
    if (lr_policy !== 'stepearly') return
    const accuracy = outputs.find(({ lossWeight }) => !lossWeight)
    if (!accuracy) throw new NetError("solver: lr_policy 'stepearly' needs an Accuracy layer in the first test net")
    // while it warms up, too: an accuracy that is not reached again is no progress
    this.drop(iter, -Math.fround(accuracy.value), stepearly * test_interval)
  }

  private rateOf(iter: number, stage: number): number {
    const rate = warmUp(this.param, iter) ?? this.policy(this.param, iter, stage)
    if (Number.isFinite(Math.fround(rate))) return rate
    const { lr_policy, base_lr, gamma, power, stepsize } = this.param
    const given = Object.entries({ base_lr, gamma, power, stepsize }).filter(([, value]) => value !== undefined)
    throw new NetError(
      `solver: lr_policy '${lr_policy}' with ${given.map(([name, value]) => `${name} ${value}`).join(', ')} makes the rate ${rate} at iteration ${iter}: a rate is a finite number in single precision`,
    )
  }

  private follow(iter: number, loss: number): void {
    this.drop(iter, loss, this.param.plateau_winsize?.[this.stage] ?? Number.POSITIVE_INFINITY)
  }

  /** A drop where there was no new low, and no drop, for `patience` iterations. */
  private drop(iter: number, value: number, patience: number): void {
    if (value < this.lowest) {
      this.lowest = value
      this.lastEvent = iter
    }
    if (iter < this.lastEvent + patience) return
    this.stage++
    this.lastEvent = iter
  }

  private nextStage(iter: number): number {
    if (this.param.lr_policy === 'step') return Math.floor(iter / this.param.stepsize!)
    const steps = this.param.lr_policy === 'multistep' ? (this.param.stepvalue ?? []) : []
    return this.stage < steps.length && iter >= steps[this.stage] ? this.stage + 1 : this.stage
  }
}
