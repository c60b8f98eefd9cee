import type { CropShape, Kernels, Reduction } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { type Dims, type GpuKernel, generatedKernel, gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import { flatPlace, places, product } from './places.js'
import { columnSums, rowSum, rowSums } from './sums.js'

/** factor·Σᵢ f(x[o,i]). */
const reduced: Record<Reduction, GpuKernel> = {
  SUM: rowSum('reduce, SUM', ['x', 'factor'], at => `x${at}`),
  ASUM: rowSum('reduce, ASUM', ['x', 'factor'], at => `Math.abs(x${at})`),
  SUMSQ: rowSum('reduce, SUMSQ', ['x', 'factor'], at => `x${at} * x${at}`),
}
/** dy[o]·coefficient·f′(x[o,i]). */
const spread = gpuKernel('reduceGradient, SUM', function (dy: Tensor, coefficient: number) {
  return coefficient * dy[0][0][this.thread.y]
})
const slope = gpuKernel('reduceGradient', function (x: Tensor, dy: Tensor, coefficient: number) {
  const v = x[0][this.thread.y][this.thread.x]
  const d = coefficient * dy[0][0][this.thread.y]
  if (this.constants.operation > 1) return 2 * d * v
  if (v > 0) return d
  if (v < 0) return -d
  return 0
})
const operations: readonly Reduction[] = ['SUM', 'ASUM', 'SUMSQ']

// A block is (first axis, other axes): thread.y is the place along the first axis.

function cropSource(s: CropShape): string {
  const rest = s.output.slice(1)
  const inside = rest.map((_, a) => `const i${a} = o${a} + ${s.offset[a + 1]};`).join(' ')
  return `function (x) {
    ${places('o', 'this.thread.x', rest)} ${inside}
    return x[0][this.thread.y + ${s.offset[0]}][${flatPlace('i', s.input.slice(1)) || '0'}]
  }`
}

function cropGradientSource(s: CropShape): string {
  const rest = s.input.slice(1)
  const first = `const o = this.thread.y - ${s.offset[0]};`
  const places_ = rest.map((_, a) => `const o${a} = i${a} - ${s.offset[a + 1]};`).join(' ')
  const inside = [
    `o >= 0 && o < ${s.output[0]}`,
    ...rest.map((_, a) => `o${a} >= 0 && o${a} < ${s.output[a + 1]}`),
  ].join(' && ')
  return `function (dy) {
    ${places('i', 'this.thread.x', rest)} ${first} ${places_}
    if (${inside}) return dy[0][o][${flatPlace('o', s.output.slice(1)) || '0'}];
    return 0
  }`
}

const known = new Map<string, { crop: GpuKernel; gradient: GpuKernel }>()

function cropKernels(s: CropShape): { crop: GpuKernel; gradient: GpuKernel } {
  const key = JSON.stringify(s)
  let kernels = known.get(key)
  if (!kernels) {
    kernels = {
      crop: generatedKernel('crop', () => cropSource(s)),
      gradient: generatedKernel('cropGradient', () => cropGradientSource(s)),
    }
    known.set(key, kernels)
  }
  return kernels
}

/** Written for the shape, as those of crop: thread.y is the place along the first axis of y. */
function permuteSource(shape: readonly number[], order: readonly number[]): string {
  const rest = order.slice(1)
  const named = rest.map((axis, a) => `const i${axis} = o${a};`).join(' ')
  const inner = shape.slice(1).map((_, a) => `i${a + 1} * ${product(shape.slice(a + 2))}`)
  return `function (x) {
    ${places(
      'o',
      'this.thread.x',
      rest.map(axis => shape[axis]),
    )} const i${order[0]} = this.thread.y; ${named}
    return x[0][i0][${inner.join(' + ') || '0'}]
  }`
}

const permutes = new Map<string, GpuKernel>()

function permuteKernel(shape: readonly number[], order: readonly number[]): GpuKernel {
  const key = JSON.stringify([shape, order])
  let kernel = permutes.get(key)
  if (!kernel) {
    kernel = generatedKernel('permute', () => permuteSource(shape, order))
    permutes.set(key, kernel)
  }
  return kernel
}

const blockDims = (sizes: readonly number[]): Dims => [product(sizes.slice(1)), sizes[0], 1]

export const axes = (gpu: Gpu): Partial<Kernels> => ({
  reduce(operation, outer, inner, coefficient, x, y) {
    const dims = [inner, outer, 1] as const
    gpu.set(y, rowSums(gpu, reduced[operation], [{ memory: x, dims }, coefficient], dims))
  },
  reduceGradient(operation, outer, inner, coefficient, x, dy, dx) {
    const dims = [inner, outer, 1] as const
    if (operation === 'SUM') gpu.run(spread, [dy, coefficient], { memory: dx, dims })
    else
      gpu.run(
        slope,
        [{ memory: x, dims }, dy, coefficient],
        { memory: dx, dims },
        { operation: operations.indexOf(operation) },
      )
  },
  sumMiddle(outer, middle, inner, x, y) {
    gpu.set(y, columnSums(gpu, { memory: x, dims: [inner, middle, outer] }))
  },
  permute: (shape, order, x, y) =>
    gpu.run(permuteKernel(shape, order), [{ memory: x, dims: blockDims(shape) }], {
      memory: y,
      dims: blockDims(order.map(axis => shape[axis])),
    }),
  crop: (s, x, y) =>
    gpu.run(cropKernels(s).crop, [{ memory: x, dims: blockDims(s.input) }], { memory: y, dims: blockDims(s.output) }),
  cropGradient: (s, dy, dx) =>
    gpu.run(cropKernels(s).gradient, [{ memory: dy, dims: blockDims(s.output) }], {
      memory: dx,
      dims: blockDims(s.input),
    }),
})
