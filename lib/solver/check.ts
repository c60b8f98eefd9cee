import { NetError, RistrettoError } from '../errors.js'
import type { SolverParameter } from '../generated/caffe.js'
import { detectionTestOf } from './detection_test.js'

/** Refuse what no solver can work with, before any net is made. */
export function checkSolver(param: SolverParameter): void {
  const { iter_size = 1, average_loss = 1, regularization_type = 'L2', weight_decay = 0 } = param
  if (iter_size < 1) throw new NetError(`solver: iter_size must be at least 1, it is ${iter_size}`)
  if (average_loss < 1) throw new NetError(`solver: average_loss must be at least 1, it is ${average_loss}`)
  if (weight_decay && regularization_type !== 'L1' && regularization_type !== 'L2')
    throw new NetError(`solver: unknown regularization_type '${regularization_type}'; it may be L1 or L2`)
  for (const name of USED) {
    const value = param[name]
    // once it is in the weights, it stays there
    if (value !== undefined && !Number.isFinite(Math.fround(value)))
      throw new NetError(`solver: ${name} must be a finite number in single precision, it is ${value}`)
  }
  detectionTestOf(param)
}

/** What updates multiply with, beside the rate, which is looked at when it is used. */
const USED = ['momentum', 'momentum2', 'delta', 'rms_decay', 'weight_decay', 'clip_gradients'] as const

/** An error that begins with `what`, unless `value` is a whole number from 0 on. */
export const isNoCount = (value: number, what: string): RistrettoError | undefined =>
  Number.isSafeInteger(value) && value >= 0 ? undefined : new RistrettoError(`${what} ${String(value)}`)
