import type { AxisReduction, AxisReductionShape, Kernels } from '../../lib/engine.js'
import type { Argument, Gpu, HandleView } from '../../lib/engines/gpu/gpu.js'
import type { Handle } from '../../lib/engines/gpu/queue.js'
import { type Dims, type GpuKernel, generatedKernel, type View } from '../../lib/gpu_kernel.js'
import { columnSums, overPart, shares } from './sums.js'

// Tensors are (outer, size, inner): thread.y is the place along the axis, or 0.

const own = '[this.thread.z][this.thread.y][this.thread.x]'
const result = '[this.thread.z][0][this.thread.x]'
const formula = (name: string, args: string, body: string): GpuKernel =>
  generatedKernel(name, () => `function (${args}) { ${body} }`)

/** A kernel that makes one value of a part of a column. */
const folding = (name: string, begin: string, body: string): GpuKernel =>
  generatedKernel(`reduceAxis, ${name}`, constants => {
    const value = 'x[this.thread.z][from + j][this.thread.x]'
    const first = begin || 'x[this.thread.z][from][this.thread.x]'
    return `function (x) {
      ${overPart(constants, 'this.thread.y', 'so', first, `const v = ${value}; ${body}`)}
      return so
    }`
  })
const folds = {
  MAX: folding('MAX', '', 'if (v > so) so = v;'),
  MIN: folding('MIN', '', 'if (v < so) so = v;'),
  PROD: folding('PROD', '1', 'so = so * v;'),
}

const terms: Partial<Record<AxisReduction, GpuKernel>> = {
  ASUM: formula('reduceAxis, ASUM', 'x', `return Math.abs(x${own})`),
  SUMSQ: formula('reduceAxis, SUMSQ', 'x', `const v = x${own}; return v * v`),
  L2: formula('reduceAxis, L2', 'x', `const v = x${own}; return v * v`),
}
const root = formula('reduceAxis, root', 'x', `return Math.sqrt(x${own})`)
const exponentials = formula('reduceAxis, LOG_SUM_EXP', 'x, best', `return Math.exp(x${own} - best${result})`)
const logarithm = formula('reduceAxis, logarithm', 'sum, best', `return best${own} + Math.log(sum${own})`)

/** The place of the best value of a column, or of the first that is y. */
const placeOf = (name: string, args: string, begin: string, better: string): GpuKernel =>
  generatedKernel(
    name,
    ({ size }) => `function (${args}) {
    let place = ${begin};
    for (let j = 0; j < ${size}; j++) { const v = x[this.thread.z][j][this.thread.x]; if (${better}) place = j; }
    return place
  }`,
  )
const best = `x[this.thread.z][place][this.thread.x]`
const placeKernels = {
  ARGMAX: placeOf('reduceAxis, ARGMAX', 'x', '0', `v > ${best}`),
  ARGMIN: placeOf('reduceAxis, ARGMIN', 'x', '0', `v < ${best}`),
  LAST_ARGMAX: placeOf('reduceAxis, last ARGMAX', 'x', '0', `v >= ${best}`),
  LAST_ARGMIN: placeOf('reduceAxis, last ARGMIN', 'x', '0', `v <= ${best}`),
}
const firstOfBest = placeOf('reduceAxisGradient, place', 'x, y', '-1', `place < 0 && v === y${result}`)

const slopes: Partial<Record<AxisReduction, GpuKernel>> = {
  SUM: generatedKernel('reduceAxisGradient, SUM', () => `function (dy, factor) { return factor * dy${result} }`),
  ASUM: formula('reduceAxisGradient, ASUM', 'x, dy', `return dy${result} * Math.sign(x${own})`),
  SUMSQ: formula('reduceAxisGradient, SUMSQ', 'x, dy', `return 2 * dy${result} * x${own}`),
  L2: formula(
    'reduceAxisGradient, L2',
    'x, dy, y',
    `const l = y${result}; if (l === 0) return 0; return dy${result} * (x${own} / l)`,
  ),
  LOG_SUM_EXP: formula(
    'reduceAxisGradient, LOG_SUM_EXP',
    'x, dy, y',
    `return dy${result} * Math.exp(x${own} - y${result})`,
  ),
}
const chosen = formula(
  'reduceAxisGradient, best',
  'place, dy',
  `if (place${result} === this.thread.y) return dy${result}; return 0`,
)
const isZero = formula('reduceAxisGradient, zeros', 'x', `if (x${own} === 0) return 1; return 0`)
const others = formula('reduceAxisGradient, others', 'x', `const v = x${own}; if (v === 0) return 1; return v`)
const productSlope = formula(
  'reduceAxisGradient, PROD',
  'x, dy, product, zeros',
  `const v = x${own}; const all = dy${result} * product${result};
  if (v === 0) { if (zeros${result} > 1) return 0; return all }
  if (zeros${result} > 0) return 0; return all / v`,
)

/** What a fold makes of the columns of x, as a new handle (outer, inner). */
function folded(gpu: Gpu, kernel: GpuKernel, x: View | HandleView): Handle {
  const [inner, size, outer] = x.dims
  const split = shares(size)
  const dims = [inner, split.parts, outer] as const
  const parts = gpu.compute(kernel, [x], dims, { ...split })
  if (split.parts === 1) return parts
  const made = folded(gpu, kernel, { handle: parts, dims })
  gpu.release(parts)
  return made
}

export const reduceAxis = (gpu: Gpu): Partial<Kernels> => {
  const dimsOf = ({ outer, size, inner }: AxisReductionShape): { whole: Dims; ends: Dims } => ({
    whole: [inner, size, outer],
    ends: [inner, 1, outer],
  })

  /** `make` with handles that are released afterwards. */
  const using = (handles: readonly Handle[], make: (...views: HandleView[]) => void, dims: readonly Dims[]): void => {
    make(...handles.map((handle, i) => ({ handle, dims: dims[i] })))
    gpu.release(...handles)
  }

  /** The sums of a formula of x. */
  const sumsOf = (kernel: GpuKernel, args: readonly Argument[], whole: Dims, factor = 1): Handle => {
    const values = gpu.compute(kernel, args, whole)
    const sums = columnSums(gpu, { handle: values, dims: whole }, factor)
    gpu.release(values)
    return sums
  }

  return {
    reduceAxis(s, x, y) {
      const { operation, size, last } = s
      const { whole, ends } = dimsOf(s)
      const from = { memory: x, dims: whole }
      if (s.outer * size * s.inner === 0) return gpu.kernels.fill(s.outer * s.inner, 0, y)
      if (operation === 'ARGMAX' || operation === 'ARGMIN')
        return gpu.run(
          placeKernels[last ? (`LAST_${operation}` as const) : operation],
          [from],
          { memory: y, dims: ends },
          { size },
        )
      if (operation === 'MAX' || operation === 'MIN' || operation === 'PROD')
        return gpu.set(y, folded(gpu, folds[operation], from))
      if (operation === 'SUM' || operation === 'MEAN')
        return gpu.set(y, columnSums(gpu, from, operation === 'MEAN' ? 1 / size : 1))
      if (operation !== 'LOG_SUM_EXP') {
        const sums = sumsOf(terms[operation]!, [from], whole)
        if (operation !== 'L2') return gpu.set(y, sums)
        gpu.run(root, [{ handle: sums, dims: ends }], { memory: y, dims: ends })
        return gpu.release(sums)
      }
      const most = { handle: folded(gpu, folds.MAX, from), dims: ends }
      const sums = sumsOf(exponentials, [from, most], whole)
      gpu.run(logarithm, [{ handle: sums, dims: ends }, most], { memory: y, dims: ends })
      gpu.release(sums, most.handle)
    },
    reduceAxisGradient(s, x, y, dy, dx) {
      const { operation, size } = s
      const { whole, ends } = dimsOf(s)
      const [from, to] = [
        { memory: x, dims: whole },
        { memory: dx, dims: whole },
      ]
      const [slope, value] = [
        { memory: dy, dims: ends },
        { memory: y, dims: ends },
      ]
      if (s.outer * size * s.inner === 0) return
      if (operation === 'SUM' || operation === 'MEAN')
        return gpu.run(slopes.SUM!, [slope, operation === 'MEAN' ? 1 / size : 1], to)
      if (operation === 'MAX' || operation === 'MIN') {
        const place = gpu.compute(firstOfBest, [from, value], ends, { size })
        return using([place], view => gpu.run(chosen, [view, slope], to), [ends])
      }
      if (operation === 'PROD') {
        const values = gpu.compute(others, [from], whole)
        const product = folded(gpu, folds.PROD, { handle: values, dims: whole })
        gpu.release(values)
        const zeros = sumsOf(isZero, [from], whole)
        return using([product, zeros], (p, z) => gpu.run(productSlope, [from, slope, p, z], to), [ends, ends])
      }
      const needsValue = operation === 'L2' || operation === 'LOG_SUM_EXP'
      gpu.run(slopes[operation]!, needsValue ? [from, slope, value] : [from, slope], to)
    },
  }
}
