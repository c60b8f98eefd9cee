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

/**
 * Statements that make `s` and `c` the sine and cosine of v: a device's own may be wrong by 2⁻¹¹. What is left of v after so many
 * quarter turns, taken off in three parts, goes into polynomials.
 */
const turns = `const k = Math.floor(v * 0.6366197723675814 + 0.5);
  const r = v - k * 1.5703125 - k * 0.00048375129699707 - k * 0.0000000754978995489;
  const rr = r * r;
  const a = r + r * rr * (-0.16666654611 + rr * (0.0083321608736 - rr * 0.00019515295891));
  const b = 1 - 0.5 * rr + rr * rr * (0.04166664568298827 + rr * (-0.001388731625493765 + rr * 0.00002443315711809948));
  const quarter = k - 4 * Math.floor(k * 0.25);
  let s = a; let c = b;
  if (quarter === 1) { s = b; c = -a; }
  if (quarter === 2) { s = -a; c = -b; }
  if (quarter === 3) { s = -b; c = a; }`

/**
 * Statements that make `arc` the arcsine of a value of up to ½: |v|, or, where `far` says that |v| is above, the root of
 * (1 − |v|) / 2, of which two are what |v| lacks of a quarter turn.
 */
const arcs = `const size = Math.abs(v);
  const far = size > 0.5;
  let z = size * size; let w = size;
  if (far) { z = 0.5 * (1 - size); w = Math.sqrt(z); }
  const arc = w + w * z * (0.16666752422 + z * (0.074953002686 + z * (0.045470025998 + z * (0.024181311049 + z * 0.042163199048))));`

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
  SIN: [`${turns} return s`, `${turns} return c`],
  COS: [`${turns} return c`, `${turns} return -s`],
  TAN: [`${turns} return s / c`, `${turns} return 1 / (c * c)`],
  ASIN: [
    `${arcs} let up = arc; if (far) up = 1.5707963267948966 - 2 * arc;
    return Math.sign(v) * up`,
    'return 1 / Math.sqrt(1 - v * v)',
  ],
  ACOS: [
    `${arcs} let up = 1.5707963267948966 - arc; if (far) up = 2 * arc;
    if (v >= 0) return up;
    return 3.141592653589793 - up`,
    'return -1 / Math.sqrt(1 - v * v)',
  ],
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
