import type { Kernels, UnaryOperation } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { type GpuKernel, generatedKernel } from '../../lib/gpu_kernel.js'

/** Statements that make `q` ½·erfc(z/√2) of a `z` from 0 on: a minimax polynomial, as kernels/wasm/normal_lanes.ts has it. */
const tail = `const t = 1 / (1 + 0.3 * z);
  const q = Math.exp(-0.5 * z * z) * (0.0000071692534220346715 + t * (0.11948768049478531 + t * (0.1219203993678093 +
    t * (0.09468325972557068 + t * (0.1425362080335617 + t * (-0.0765075534582138 + t * (0.22866109013557434 +
    t * (-0.16916663944721222 + t * 0.03837840259075165))))))));`
/** Statements that make `phi` the normal distribution at v. */
const normal = `const z = Math.abs(v); ${tail} let phi = q; if (v >= 0) phi = 1 - q;`
const twice = '1.5957691216057308 * v * (1 + 0.044715 * v * v)'
const logistic = `const s = 1 / (1 + Math.exp(-(${twice})));`

/** Bodies that return the function of v, and its derivative; those that are left out are 0. */
const bodies: Readonly<Record<UnaryOperation, readonly [value: string, slope?: string]>> = {
  ERF: [
    `const square = v * v;
    if (Math.abs(v) < 0.75) return v * (1.1283791065216064 + square * (-0.3761192858219147 + square * (0.11273733526468277 +
      square * (-0.026360204443335533 + square * 0.004158788826316595))));
    const z = 1.4142135623730951 * Math.abs(v); ${tail}
    return Math.sign(v) * (1 - 2 * q)`,
    'return 1.1283791670955126 * Math.exp(-v * v)',
  ],
  FLOOR: ['return Math.floor(v)'],
  CEIL: ['return Math.ceil(v)'],
  ROUND: [
    `const down = Math.floor(v);
    if (v - down < 0.5) return down;
    if (v - down > 0.5) return down + 1;
    return 2 * Math.floor((down + 1) * 0.5)`,
  ],
  SIGN: ['return Math.sign(v)'],
  SOFTSIGN: ['return v / (1 + Math.abs(v))', 'const d = 1 + Math.abs(v); return 1 / (d * d)'],
  SIN: ['return Math.sin(v)', 'return Math.cos(v)'],
  COS: ['return Math.cos(v)', 'return -Math.sin(v)'],
  TAN: ['return Math.tan(v)', 'const c = Math.cos(v); return 1 / (c * c)'],
  ASIN: ['return Math.asin(v)', 'return 1 / Math.sqrt(1 - v * v)'],
  ACOS: ['return Math.acos(v)', 'return -1 / Math.sqrt(1 - v * v)'],
  ATAN: ['return Math.atan(v)', 'return 1 / (1 + v * v)'],
  SINH: ['return Math.sinh(v)', 'return Math.cosh(v)'],
  COSH: ['return Math.cosh(v)', 'return Math.sinh(v)'],
  ASINH: ['return Math.asinh(v)', 'return 1 / Math.sqrt(v * v + 1)'],
  ACOSH: ['return Math.acosh(v)', 'return 1 / Math.sqrt(v * v - 1)'],
  ATANH: ['return Math.atanh(v)', 'return 1 / (1 - v * v)'],
  GELU: [`${normal} return v * phi`, `${normal} return phi + v * 0.3989422804014327 * Math.exp(-0.5 * v * v)`],
  GELU_TANH: [
    `${logistic} return v * s`,
    `${logistic} if (Math.abs(v) > 30) return s;
    return s + v * s * (1 - s) * (1.5957691216057308 + 0.21406446226069465 * v * v)`,
  ],
}

const place = '[this.thread.z][this.thread.y][this.thread.x]'

const kernels = new Map<UnaryOperation, { value: GpuKernel; slope?: GpuKernel }>()

function kernelsOf(operation: UnaryOperation): { value: GpuKernel; slope?: GpuKernel } {
  let made = kernels.get(operation)
  if (!made) {
    const [value, slope] = bodies[operation]
    made = {
      value: generatedKernel(`unary, ${operation}`, () => `function (x) { const v = x${place}; ${value} }`),
      slope:
        slope === undefined
          ? undefined
          : generatedKernel(`unaryGradient, ${operation}`, () => `function (x) { const v = x${place}; ${slope} }`),
    }
    kernels.set(operation, made)
  }
  return made
}

export const unary = (gpu: Gpu): Partial<Kernels> => ({
  unary: (operation, n, x, y) => gpu.map(kernelsOf(operation).value, n, [x], y),
  unaryGradient(operation, n, x, dy, dx) {
    const { slope } = kernelsOf(operation)
    if (!slope) return gpu.kernels.fill(n, 0, dx)
    const slopes = gpu.mapped(slope, n, [x])
    gpu.map(timesGradient, n, [slopes, dy], dx)
    gpu.release(slopes)
  },
})

const timesGradient = generatedKernel(
  'unaryGradient',
  () => `function (slope, dy) { return slope${place} * dy${place} }`,
)
