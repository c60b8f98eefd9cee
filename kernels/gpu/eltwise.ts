import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import type { Handle } from '../../lib/engines/gpu/queue.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import type { Memory } from '../../lib/memory.js'

// A device takes few tensors at once, so more than two are folded in one after the other.

const sumOfTwo = gpuKernel('eltwiseSum', function (a: Tensor, b: Tensor, alpha: number, beta: number) {
  return alpha * a[this.thread.z][this.thread.y][this.thread.x] + beta * b[this.thread.z][this.thread.y][this.thread.x]
})
const productOfTwo = gpuKernel('eltwiseProduct', function (a: Tensor, b: Tensor) {
  return a[this.thread.z][this.thread.y][this.thread.x] * b[this.thread.z][this.thread.y][this.thread.x]
})
/** Which of the two is larger; the second on a tie. */
const laterOfTwo = gpuKernel('eltwiseMax, first two', function (a: Tensor, b: Tensor) {
  if (a[this.thread.z][this.thread.y][this.thread.x] > b[this.thread.z][this.thread.y][this.thread.x]) return 0
  return 1
})
/** The mask so far, or k where x is larger than what it stands for. */
const larger = gpuKernel('eltwiseMax, mask', function (best: Tensor, mask: Tensor, x: Tensor, k: number) {
  if (x[this.thread.z][this.thread.y][this.thread.x] > best[this.thread.z][this.thread.y][this.thread.x]) return k
  return mask[this.thread.z][this.thread.y][this.thread.x]
})
/** x where the mask is k, else best. */
const chosen = gpuKernel('eltwiseMax, value', function (best: Tensor, mask: Tensor, x: Tensor, k: number) {
  if (mask[this.thread.z][this.thread.y][this.thread.x] === k) return x[this.thread.z][this.thread.y][this.thread.x]
  return best[this.thread.z][this.thread.y][this.thread.x]
})
const masked = gpuKernel('eltwiseMaxGradient', function (mask: Tensor, dy: Tensor, index: number) {
  if (mask[this.thread.z][this.thread.y][this.thread.x] === index)
    return dy[this.thread.z][this.thread.y][this.thread.x]
  return 0
})

/** The product of all as a handle to release. */
function productOf(gpu: Gpu, n: number, xs: readonly Memory[]): Handle {
  let product = gpu.queue.share(gpu.handle(xs[0]))
  for (const x of xs.slice(1)) {
    const next = gpu.mapped(productOfTwo, n, [product, x])
    gpu.release(product)
    product = next
  }
  return product
}

export const eltwise = (gpu: Gpu): Partial<Kernels> => ({
  eltwiseSum(n, xs, coefficients, y) {
    if (xs.length === 1) return gpu.kernels.axpby(n, coefficients[0], xs[0], 0, y)
    let sum = gpu.mapped(sumOfTwo, n, [xs[0], xs[1], coefficients[0], coefficients[1]])
    for (let k = 2; k < xs.length; k++) {
      const next = gpu.mapped(sumOfTwo, n, [sum, xs[k], 1, coefficients[k]])
      gpu.release(sum)
      sum = next
    }
    gpu.set(y, sum)
  },
  eltwiseProduct: (n, xs, y) => gpu.set(y, productOf(gpu, n, xs)),
  eltwiseProductGradient(n, index, xs, dy, dx) {
    gpu.set(dx, productOf(gpu, n, [dy, ...xs.filter((_, i) => i !== index)]))
  },
  eltwiseMax(n, xs, y, mask) {
    let from = gpu.mapped(laterOfTwo, n, [xs[0], xs[1]])
    let best = gpu.mapped(chosen, n, [xs[0], from, xs[1], 1])
    for (let k = 2; k < xs.length; k++) {
      const nextFrom = gpu.mapped(larger, n, [best, from, xs[k], k])
      const nextBest = gpu.mapped(chosen, n, [best, nextFrom, xs[k], k])
      gpu.release(from, best)
      from = nextFrom
      best = nextBest
    }
    gpu.set(mask, from)
    gpu.set(y, best)
  },
  eltwiseMaxGradient: (n, index, mask, dy, dx) => gpu.map(masked, n, [mask, dy, index], dx),
})
