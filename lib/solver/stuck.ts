import { g6 } from '../system/format.js'

/** A hint if solve() has no iteration to run. */
export function lintEnd(maxIter: number, iter: number): string | undefined {
  if (!maxIter) return 'max_iter is 0, so nothing is trained: write for example max_iter: 1000'
  if (iter >= maxIter)
    return `iteration ${iter} is not before max_iter: ${maxIter}, so nothing is trained: write a larger max_iter to go on`
  return undefined
}

/** −log of the smallest positive float32: the softmax loss when the true class has probability 0. */
const SATURATED = 87.3365

/** How many times the first loss the last one is when training has not just wavered. */
const RISEN = 10

/** A hint for a training whose loss went up from the first iteration to the last. */
export function lintRise(first: number, last: number): string | undefined {
  if (!(first > 0 && last > RISEN * first)) return undefined
  return `the loss has risen from ${g6(first)} to ${g6(last)}: lower base_lr, check the data's scale, or clip gradients`
}

/** A hint for a displayed loss that says training is stuck. */
export function lintLoss(loss: number): string | undefined {
  if (!(Math.abs(loss - SATURATED) <= 0.001)) return undefined
  return `loss = ${SATURATED} means that the true class got probability 0 everywhere: the scores have blown up; lower base_lr, check the data's scale, or clip gradients`
}
