/** A hint if solve() has no iteration to run. */
export function lintEnd(maxIter: number | undefined, iter: number): string | undefined {
  if (!maxIter)
    return `max_iter is ${maxIter === undefined ? 'missing' : 0}, so nothing is trained: write for example max_iter: 1000`
  if (iter >= maxIter)
    return `iteration ${iter} is not before max_iter: ${maxIter}, so nothing is trained: write a larger max_iter to go on`
  return undefined
}

/** −log of the smallest positive float32: the softmax loss when the true class has probability 0. */
const SATURATED = 87.3365

/** A hint for a displayed loss that says training is stuck. */
export function lintLoss(loss: number): string | undefined {
  if (!(Math.abs(loss - SATURATED) <= 0.001)) return undefined
  return `loss = ${SATURATED} means that the true class got probability 0 everywhere: the scores have blown up; lower base_lr, check the data's scale, or clip gradients`
}
