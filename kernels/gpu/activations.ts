import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'

/** log(1 + t), to the last digit for small t too. */
export function logOnePlus(t: number): number {
  if (Math.abs(t) < 0.03) return t * (1 - t * (0.5 - t * (0.3333333333 - t * (0.25 - t * 0.2))))
  return Math.log(1 + t)
}
/** eᵗ − 1, to the last digit for small t too. */
function expMinusOne(t: number): number {
  if (Math.abs(t) < 0.03) return t * (1 + t * (0.5 + t * (0.1666666667 + t * (0.04166666667 + t * 0.008333333333))))
  return Math.exp(t) - 1
}
/**
 * base^exponent for every base; `parity` is 1 for odd whole exponents, 0 for even ones, 2 for those that are not whole.
 */
function raised(base: number, exponent: number, parity: number): number {
  if (base < 0 && parity < 1) return (-base) ** exponent
  if (base < 0 && parity < 2) return -((-base) ** exponent)
  return base ** exponent
}

const magnitude = gpuKernel('absolute', function (x: Tensor) {
  return Math.abs(x[this.thread.z][this.thread.y][this.thread.x])
})

const magnitudeSlope = gpuKernel('absoluteGradient', function (x: Tensor, dy: Tensor) {
  const v = x[this.thread.z][this.thread.y][this.thread.x]
  const d = dy[this.thread.z][this.thread.y][this.thread.x]
  if (v > 0) return d
  if (v < 0) return -d
  return 0
})

const softplus = gpuKernel(
  'bnll',
  function (x: Tensor) {
    const v = x[this.thread.z][this.thread.y][this.thread.x]
    return Math.max(v, 0) + logOnePlus(Math.exp(-Math.abs(v)))
  },
  [logOnePlus],
)

const softplusSlope = gpuKernel('bnllGradient', function (x: Tensor, dy: Tensor) {
  return (
    dy[this.thread.z][this.thread.y][this.thread.x] / (1 + Math.exp(-x[this.thread.z][this.thread.y][this.thread.x]))
  )
})

const clipped = gpuKernel('clip', function (x: Tensor, low: number, high: number) {
  return Math.max(low, Math.min(x[this.thread.z][this.thread.y][this.thread.x], high))
})

const clippedSlope = gpuKernel('clipGradient', function (x: Tensor, dy: Tensor, low: number, high: number) {
  const v = x[this.thread.z][this.thread.y][this.thread.x]
  if (v >= low && v <= high) return dy[this.thread.z][this.thread.y][this.thread.x]
  return 0
})

const exponentialLinear = gpuKernel(
  'elu',
  function (x: Tensor, alpha: number) {
    const v = x[this.thread.z][this.thread.y][this.thread.x]
    if (v > 0) return v
    return alpha * expMinusOne(v)
  },
  [expMinusOne],
)

const exponentialLinearSlope = gpuKernel('eluGradient', function (x: Tensor, dy: Tensor, alpha: number) {
  const v = x[this.thread.z][this.thread.y][this.thread.x]
  const d = dy[this.thread.z][this.thread.y][this.thread.x]
  if (v > 0) return d
  return d * alpha * Math.exp(v)
})

const exponentialOf = gpuKernel('exponential', function (x: Tensor, scale: number, factor: number) {
  return factor * Math.exp(scale * x[this.thread.z][this.thread.y][this.thread.x])
})

const exponentialSlope = gpuKernel(
  'exponentialGradient',
  function (x: Tensor, dy: Tensor, scale: number, factor: number) {
    return (
      dy[this.thread.z][this.thread.y][this.thread.x] *
      factor *
      scale *
      Math.exp(scale * x[this.thread.z][this.thread.y][this.thread.x])
    )
  },
)

const logarithmOf = gpuKernel('logarithm', function (x: Tensor, scale: number, shift: number, factor: number) {
  return factor * Math.log(shift + scale * x[this.thread.z][this.thread.y][this.thread.x])
})

const logarithmSlope = gpuKernel(
  'logarithmGradient',
  function (x: Tensor, dy: Tensor, scale: number, shift: number, factor: number) {
    return (
      (dy[this.thread.z][this.thread.y][this.thread.x] * factor * scale) /
      (shift + scale * x[this.thread.z][this.thread.y][this.thread.x])
    )
  },
)

const powerOf = gpuKernel(
  'power',
  function (x: Tensor, exponent: number, parity: number, scale: number, shift: number) {
    return raised(shift + scale * x[this.thread.z][this.thread.y][this.thread.x], exponent, parity)
  },
  [raised],
)

const linear = gpuKernel('power, exponent 1', function (x: Tensor, scale: number, shift: number) {
  return shift + scale * x[this.thread.z][this.thread.y][this.thread.x]
})

const squared = gpuKernel('power, exponent 2', function (x: Tensor, scale: number, shift: number) {
  const v = shift + scale * x[this.thread.z][this.thread.y][this.thread.x]
  return v * v
})

const powerSlope = gpuKernel(
  'powerGradient',
  function (x: Tensor, dy: Tensor, exponent: number, parity: number, scale: number, shift: number, slope: number) {
    return (
      dy[this.thread.z][this.thread.y][this.thread.x] *
      slope *
      raised(shift + scale * x[this.thread.z][this.thread.y][this.thread.x], exponent, parity)
    )
  },
  [raised],
)

const squaredSlope = gpuKernel(
  'powerGradient, exponent 2',
  function (x: Tensor, dy: Tensor, scale: number, shift: number, slope: number) {
    return (
      dy[this.thread.z][this.thread.y][this.thread.x] *
      slope *
      (shift + scale * x[this.thread.z][this.thread.y][this.thread.x])
    )
  },
)

const swishOf = gpuKernel('swish', function (x: Tensor, beta: number) {
  const v = x[this.thread.z][this.thread.y][this.thread.x]
  return v / (1 + Math.exp(-beta * v))
})

const swishSlope = gpuKernel('swishGradient', function (x: Tensor, dy: Tensor, beta: number) {
  const v = x[this.thread.z][this.thread.y][this.thread.x]
  const s = 1 / (1 + Math.exp(-beta * v))
  return dy[this.thread.z][this.thread.y][this.thread.x] * (s + beta * v * s * (1 - s))
})

/** tanh(log(1 + w)) = q / (q + 2) with w = eᵗ, q = w·(w + 2); from 20 on it is 1. */
function mishRatio(t: number): number {
  const w = Math.exp(Math.min(t, 20))
  const q = w * (w + 2)
  return q / (q + 2)
}
/** Its derivative. */
function mishSlope(t: number): number {
  const w = Math.exp(Math.min(t, 20))
  const whole = w * (w + 2) + 2
  return (4 * w * (1 + w)) / whole / whole
}

const hardSigmoidOf = gpuKernel('hardSigmoid', function (x: Tensor, alpha: number, beta: number) {
  return Math.max(0, Math.min(alpha * x[this.thread.z][this.thread.y][this.thread.x] + beta, 1))
})

const hardSigmoidSlope = gpuKernel(
  'hardSigmoidGradient',
  function (x: Tensor, dy: Tensor, alpha: number, beta: number) {
    const h = alpha * x[this.thread.z][this.thread.y][this.thread.x] + beta
    if (h > 0 && h < 1) return dy[this.thread.z][this.thread.y][this.thread.x] * alpha
    return 0
  },
)

const hardSwishOf = gpuKernel('hardSwish', function (x: Tensor, alpha: number, beta: number) {
  const v = x[this.thread.z][this.thread.y][this.thread.x]
  return v * Math.max(0, Math.min(alpha * v + beta, 1))
})

const hardSwishSlope = gpuKernel('hardSwishGradient', function (x: Tensor, dy: Tensor, alpha: number, beta: number) {
  const v = x[this.thread.z][this.thread.y][this.thread.x]
  const d = dy[this.thread.z][this.thread.y][this.thread.x]
  const h = alpha * v + beta
  if (h > 0 && h < 1) return d * (h + alpha * v)
  return d * Math.max(0, Math.min(h, 1))
})

const mishOf = gpuKernel(
  'mish',
  function (x: Tensor) {
    const v = x[this.thread.z][this.thread.y][this.thread.x]
    return v * mishRatio(v)
  },
  [mishRatio],
)

const mishGradientOf = gpuKernel(
  'mishGradient',
  function (x: Tensor, dy: Tensor) {
    const v = x[this.thread.z][this.thread.y][this.thread.x]
    return dy[this.thread.z][this.thread.y][this.thread.x] * (mishRatio(v) + v * mishSlope(v))
  },
  [mishRatio, mishSlope],
)

const above = gpuKernel('threshold', function (x: Tensor, limit: number) {
  if (x[this.thread.z][this.thread.y][this.thread.x] > limit) return 1
  return 0
})

/** What `raised` wants to know of an exponent. */
const parityOf = (exponent: number): number => (Number.isInteger(exponent) ? Math.abs(exponent % 2) : 2)

export const activations = (gpu: Gpu): Partial<Kernels> => ({
  absolute: (n, x, y) => gpu.map(magnitude, n, [x], y),
  absoluteGradient: (n, x, dy, dx) => gpu.map(magnitudeSlope, n, [x, dy], dx),
  bnll: (n, x, y) => gpu.map(softplus, n, [x], y),
  bnllGradient: (n, x, dy, dx) => gpu.map(softplusSlope, n, [x, dy], dx),
  clip: (n, low, high, x, y) => gpu.map(clipped, n, [x, low, high], y),
  clipGradient: (n, low, high, x, dy, dx) => gpu.map(clippedSlope, n, [x, dy, low, high], dx),
  elu: (n, alpha, x, y) => gpu.map(exponentialLinear, n, [x, alpha], y),
  eluGradient: (n, alpha, x, dy, dx) => gpu.map(exponentialLinearSlope, n, [x, dy, alpha], dx),
  exponential: (n, scale, factor, x, y) => gpu.map(exponentialOf, n, [x, scale, factor], y),
  exponentialGradient: (n, scale, factor, x, dy, dx) => gpu.map(exponentialSlope, n, [x, dy, scale, factor], dx),
  logarithm: (n, scale, shift, factor, x, y) => gpu.map(logarithmOf, n, [x, scale, shift, factor], y),
  logarithmGradient: (n, scale, shift, factor, x, dy, dx) =>
    gpu.map(logarithmSlope, n, [x, dy, scale, shift, factor], dx),
  power(n, exponent, scale, shift, x, y) {
    if (exponent === 0) gpu.kernels.fill(n, 1, y)
    else if (exponent === 1) gpu.map(linear, n, [x, scale, shift], y)
    else if (exponent === 2) gpu.map(squared, n, [x, scale, shift], y)
    else gpu.map(powerOf, n, [x, exponent, parityOf(exponent), scale, shift], y)
  },
  powerGradient(n, exponent, scale, shift, x, dy, dx) {
    const slope = exponent * scale
    if (slope === 0) gpu.kernels.fill(n, 0, dx)
    else if (exponent === 1) gpu.kernels.axpby(n, slope, dy, 0, dx)
    else if (exponent === 2) gpu.map(squaredSlope, n, [x, dy, scale, shift, slope], dx)
    else gpu.map(powerSlope, n, [x, dy, exponent - 1, parityOf(exponent - 1), scale, shift, slope], dx)
  },
  swish: (n, beta, x, y) => gpu.map(swishOf, n, [x, beta], y),
  swishGradient: (n, beta, x, dy, dx) => gpu.map(swishSlope, n, [x, dy, beta], dx),
  hardSigmoid: (n, alpha, beta, x, y) => gpu.map(hardSigmoidOf, n, [x, alpha, beta], y),
  hardSigmoidGradient: (n, alpha, beta, x, dy, dx) => gpu.map(hardSigmoidSlope, n, [x, dy, alpha, beta], dx),
  hardSwish: (n, alpha, beta, x, y) => gpu.map(hardSwishOf, n, [x, alpha, beta], y),
  hardSwishGradient: (n, alpha, beta, x, dy, dx) => gpu.map(hardSwishSlope, n, [x, dy, alpha, beta], dx),
  mish: (n, x, y) => gpu.map(mishOf, n, [x], y),
  mishGradient: (n, x, dy, dx) => gpu.map(mishGradientOf, n, [x, dy], dx),
  threshold: (n, limit, x, y) => gpu.map(above, n, [x, limit], y),
})
