import type { MultiBoxLossParameter_ConfLossType, MultiBoxLossParameter_LocLossType } from '../../generated/caffe.js'

const FLT_MIN = 1.1754943508222875e-38

/** What the scores of a box should be. */
export interface Target {
  /** The class that is wanted. */
  readonly label: number
  /** LOGISTIC: what is wanted of the others. */
  readonly others: number
}

/** Loss of scores[at … at + classes). */
export function scoreLoss(
  type: MultiBoxLossParameter_ConfLossType,
  scores: Float32Array,
  at: number,
  classes: number,
  label: number,
  others = 0,
): number {
  if (type === 'SOFTMAX') {
    const { max, sum } = softmaxSum(scores, at, classes)
    return -Math.log(Math.max(Math.exp(scores[at + label] - max) / sum, FLT_MIN))
  }
  let loss = 0
  for (let c = 0; c < classes; c++) {
    const x = scores[at + c]
    const wanted = c === label ? 1 : others
    // −t·log σ(x) − (1 − t)·log(1 − σ(x)), without overflow
    loss += Math.max(x, 0) - x * wanted + Math.log1p(Math.exp(-Math.abs(x)))
  }
  return loss
}

/** out[at … at + classes) += factor·gradient of scoreLoss. */
export function addScoreGradient(
  type: MultiBoxLossParameter_ConfLossType,
  scores: Float32Array,
  at: number,
  classes: number,
  { label, others }: Target,
  factor: number,
  out: Float32Array,
): void {
  const { max, sum } = type === 'SOFTMAX' ? softmaxSum(scores, at, classes) : { max: 0, sum: 0 }
  for (let c = 0; c < classes; c++) {
    const x = scores[at + c]
    const p = type === 'SOFTMAX' ? Math.exp(x - max) / sum : 1 / (1 + Math.exp(-x))
    out[at + c] += factor * (p - (c === label ? 1 : type === 'SOFTMAX' ? 0 : others))
  }
}

function softmaxSum(scores: Float32Array, at: number, classes: number): { max: number; sum: number } {
  let max = scores[at]
  for (let c = 1; c < classes; c++) if (scores[at + c] > max) max = scores[at + c]
  let sum = 0
  for (let c = 0; c < classes; c++) sum += Math.exp(scores[at + c] - max)
  return { max, sum }
}

/** Loss of one number of a code that is off by d. */
export function codeLoss(type: MultiBoxLossParameter_LocLossType, d: number): number {
  if (type === 'L2') return (d * d) / 2
  return Math.abs(d) < 1 ? (d * d) / 2 : Math.abs(d) - 0.5
}

/** Its gradient. */
export function codeSlope(type: MultiBoxLossParameter_LocLossType, d: number): number {
  return type === 'L2' || Math.abs(d) < 1 ? d : Math.sign(d)
}
