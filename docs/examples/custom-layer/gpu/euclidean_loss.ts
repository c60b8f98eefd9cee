import { Blob, gpuKernel, type Tensor, view } from 'ristretto'
import { EuclideanLossLayer } from '../euclidean_loss.js'

// Predictions and targets are (N, D): thread.x runs over the D values of an item, thread.y over the items.

const difference = gpuKernel('difference', function (a: Tensor, b: Tensor) {
  return a[this.thread.z][this.thread.y][this.thread.x] - b[this.thread.z][this.thread.y][this.thread.x]
})
/** Σ difference² of item thread.x. */
const squares = gpuKernel('squares', function (d: Tensor) {
  let sum = 0
  for (let i = 0; i < this.constants.D; i++) sum += d[0][this.thread.x][i] * d[0][this.thread.x][i]
  return sum
})
/** Σ over the items / 2N. */
const mean = gpuKernel('mean', function (sums: Tensor) {
  let sum = 0
  for (let n = 0; n < this.constants.N; n++) sum += sums[0][0][n]
  return sum / (2 * this.constants.N)
})
/** factor·dloss·difference. */
const slope = gpuKernel('slope', function (d: Tensor, dloss: Tensor, factor: number) {
  return factor * dloss[0][0][0] * d[this.thread.z][this.thread.y][this.thread.x]
})

/**
 * The loss with its kernels: nothing is read back until somebody looks at it. On other engines it is the layer that it
 * extends.
 */
export class GpuEuclideanLossLayer extends EuclideanLossLayer {
  static override readonly gpu = [difference, squares, mean, slope]
  private readonly differences = new Blob([], this.engine.heap, 'differences')
  private readonly sums = new Blob([], this.engine.heap, 'sums')

  override reshape(bottom: Blob[], top: Blob[]): void {
    super.reshape(bottom, top)
    this.differences.reshapeLike(bottom[0])
    this.sums.reshape(bottom[0].num)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    if (!this.onDevice) {
      super.forward(bottom, top)
      return
    }
    const [N, D] = [bottom[0].num, bottom[0].size(1)]
    this.run(difference, [bottom[0].memory.data, bottom[1].memory.data], this.differences.memory.data)
    this.run(squares, [view(this.differences.memory.data, D, N)], this.sums.memory.data, { D })
    this.run(mean, [this.sums.memory.data], top[0].memory.data, { N })
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (!this.onDevice) {
      super.backward(top, propagateDown, bottom)
      return
    }
    for (const [i, sign] of [1, -1].entries())
      if (propagateDown[i])
        this.run(slope, [this.differences.memory.data, top[0].memory.diff, sign / bottom[i].num], bottom[i].memory.diff)
  }

  override dispose(): void {
    this.differences.dispose()
    this.sums.dispose()
  }
}
