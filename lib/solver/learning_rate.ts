import { NetError } from '../errors.js'
import type { SolverParameter } from '../generated/caffe.js'
import { didYouMean } from '../system/names.js'

type Policy = (p: SolverParameter, iter: number, stage: number) => number

// A stage counts how often the rate has dropped: `step` and `multistep` have one.
const policies: Record<string, Policy> = {
  fixed: p => base(p),
  step: (p, _iter, stage) => base(p) * gamma(p) ** stage,
  exp: (p, iter) => base(p) * gamma(p) ** iter,
  inv: (p, iter) => base(p) * (1 + gamma(p) * iter) ** -(p.power ?? 0),
  multistep: (p, _iter, stage) => base(p) * gamma(p) ** stage,
  // beyond max_iter a power of a negative number would be no number
  poly: (p, iter) => (iter >= (p.max_iter ?? 0) ? 0 : base(p) * (1 - iter / (p.max_iter ?? 0)) ** (p.power ?? 0)),
  // of forks: rates, each with the last iteration that it is for
  multifixed: ({ stagelr = [], stageiter = [] }, iter) => {
    const stage = stageiter.findIndex(last => iter <= last)
    return stagelr[stage < 0 ? stagelr.length - 1 : stage]
  },
  sigmoid: (p, iter) => base(p) / (1 + Math.exp(-gamma(p) * (iter - (p.stepsize ?? 0)))),
}

const base = (p: SolverParameter): number => p.base_lr ?? 0
const gamma = (p: SolverParameter): number => p.gamma ?? 0

/** Of forks: from the first rate up to the base rate, in a line; the policy counts from there on. */
function warmUp(p: SolverParameter, iter: number): number | undefined {
  const from = p.warmup_iter ? (p.warmup_start_lr ?? 0) : (p.rampup_lr ?? 0)
  const iterations = p.warmup_iter || p.rampup_interval || 0
  return iter < iterations ? from + ((base(p) - from) * iter) / iterations : undefined
}

/** Caffe's learning-rate policies, and multifixed and a warm-up of forks. */
export class LearningRate {
  /** How often the rate has dropped, part of a snapshot as `current_step`. */
  stage = 0
  private readonly policy: Policy

  /** Throws a NetError for a policy that does not exist or cannot work. */
  constructor(private readonly param: SolverParameter) {
    const name = param.lr_policy ?? ''
    if (!Object.hasOwn(policies, name))
      throw new NetError(
        `solver: ${param.lr_policy === undefined ? 'lr_policy is missing' : `unknown lr_policy '${name}'${didYouMean(name, Object.keys(policies))}`}; it may be ${Object.keys(policies).join(', ')}`,
      )
    if (name === 'step' && !((param.stepsize ?? 0) > 0))
      throw new NetError(`solver: lr_policy 'step' needs a positive stepsize, it is ${param.stepsize ?? 0}`)
    const { stagelr = [], stageiter = [] } = param
    if (name === 'multifixed' && (!stagelr.length || stagelr.length !== stageiter.length))
      throw new NetError(
        `solver: lr_policy 'multifixed' needs as many stageiter as stagelr, there are ${stageiter.length} and ${stagelr.length}`,
      )
    this.policy = policies[name]
  }

  /** The rate of iteration `iter`, without moving the stage. */
  peek(iter: number): number {
    return this.rateOf(iter, this.nextStage(iter))
  }

  /** The rate of iteration `iter`. A multistep stage moves by at most one a call, as in Caffe. */
  take(iter: number): number {
    this.stage = this.nextStage(iter)
    return this.rateOf(iter, this.stage)
  }

  private rateOf(iter: number, stage: number): number {
    const rate = warmUp(this.param, iter) ?? this.policy(this.param, iter, stage)
    if (Number.isFinite(rate)) return rate
    const { lr_policy, base_lr, gamma, power, stepsize } = this.param
    const given = Object.entries({ base_lr, gamma, power, stepsize }).filter(([, value]) => value !== undefined)
    throw new NetError(
      `solver: lr_policy '${lr_policy}' with ${given.map(([name, value]) => `${name} ${value}`).join(', ')} makes the rate ${rate} at iteration ${iter}: a rate is a finite number`,
    )
  }

  private nextStage(iter: number): number {
    if (this.param.lr_policy === 'step') return Math.floor(iter / this.param.stepsize!)
    const steps = this.param.lr_policy === 'multistep' ? (this.param.stepvalue ?? []) : []
    return this.stage < steps.length && iter >= steps[this.stage] ? this.stage + 1 : this.stage
  }
}
