import type { BroadcastOperation, BroadcastShape, Kernels } from '../../lib/engine.js'
import type { Gpu, HandleView } from '../../lib/engines/gpu/gpu.js'
import { type Dims, type GpuKernel, generatedKernel, type View } from '../../lib/gpu_kernel.js'
import type { Memory } from '../../lib/memory.js'
import { places, product } from './places.js'

/** Statements that make `p` aᵇ, for a below 0, too, where b is a whole number. */
const power = (b: string): string => `const size = Math.pow(Math.abs(a), ${b}); let p = size;
  if (a < 0 && Math.floor(${b}) === ${b} && 2 * Math.floor(${b} * 0.5) !== ${b}) p = -size;
  if (a < 0 && Math.floor(${b}) !== ${b}) p = Math.pow(a, ${b});`

const either = (holds: string, yes: string, no: string): string => `if (${holds}) return ${yes}; return ${no}`
const truth = (holds: string): string => either(holds, '1', '0')

/** Bodies that return the value, then dy times the derivatives by the operands. */
const bodies: Readonly<Record<BroadcastOperation, readonly string[]>> = {
  ADD: ['return a + b', 'return dy', 'return dy'],
  SUB: ['return a - b', 'return dy', 'return -dy'],
  MUL: ['return a * b', 'return dy * b', 'return dy * a'],
  DIV: ['return a / b', 'return dy / b', 'return -dy * (a / b) / b'],
  MAX: [either('a > b', 'a', 'b'), either('a > b', 'dy', '0'), either('a > b', '0', 'dy')],
  MIN: [either('a < b', 'a', 'b'), either('a < b', 'dy', '0'), either('a < b', '0', 'dy')],
  POW: [
    `${power('b')} return p`,
    `if (b === 0) return 0; const less = b - 1; ${power('less')} return dy * b * p`,
    'if (a > 0) return dy * Math.pow(a, b) * Math.log(a); return 0',
  ],
  WHERE: [either('a !== 0', 'b', 'c'), '', either('a !== 0', 'dy', '0'), either('a === 0', 'dy', '0')],
  EQUAL: [truth('a === b')],
  GREATER: [truth('a > b')],
  GREATER_EQUAL: [truth('a >= b')],
  LESS: [truth('a < b')],
  LESS_EQUAL: [truth('a <= b')],
}

/** Which operands a body reads. */
const names = ['a', 'b', 'c'] as const
const read = (body: string): readonly (typeof names)[number][] =>
  names.filter(name => new RegExp(`\\b${name}\\b`).test(body))

/** Where an operand lies that a thread reads: y is the first axis, x all others. */
function placeOf({ steps }: BroadcastShape, k: number): string {
  const inner = steps[k].slice(1).map((step, a) => (step === 0 ? '' : `o${a} * ${step}`))
  return `[0][${steps[k][0] ? 'this.thread.y' : '0'}][${inner.filter(Boolean).join(' + ') || '0'}]`
}

/** Several axes: as those of crop. */
function source(s: BroadcastShape, body: string): string {
  const operands = read(body)
  const isSlope = /\bdy\b/.test(body)
  const values = operands.map(name => `const ${name} = x${name}${placeOf(s, names.indexOf(name))};`)
  return `function (${[...operands.map(name => `x${name}`), ...(isSlope ? ['d'] : [])].join(', ')}) {
    ${places('o', 'this.thread.x', s.sizes.slice(1))} ${values.join(' ')}
    ${isSlope ? 'const dy = d[0][this.thread.y][this.thread.x];' : ''} ${body}
  }`
}

/** One axis or none: flat tensors, and single values. */
function flatSource(s: BroadcastShape, body: string): string {
  const operands = read(body)
  const isSlope = /\bdy\b/.test(body)
  const own = '[this.thread.z][this.thread.y][this.thread.x]'
  const values = operands.map(name => `const ${name} = x${name}${s.steps[names.indexOf(name)][0] ? own : '[0][0][0]'};`)
  return `function (${[...operands.map(name => `x${name}`), ...(isSlope ? ['d'] : [])].join(', ')}) {
    ${values.join(' ')} ${isSlope ? `const dy = d${own};` : ''} ${body}
  }`
}

const known = new Map<string, GpuKernel>()

function kernelOf(operation: BroadcastOperation, s: BroadcastShape, which: number): GpuKernel {
  const isFlat = s.sizes.length < 2
  // the sizes of one axis are those of its tensors
  const key = `${operation} ${which} ${isFlat ? '' : s.sizes} ${s.steps.map(step => step.join()).join(' ')}`
  let kernel = known.get(key)
  if (!kernel) {
    const body = bodies[operation][which]
    const name = which === 0 ? `broadcast, ${operation}` : `broadcastGradient, ${operation}`
    kernel = generatedKernel(name, () => (isFlat ? flatSource(s, body) : source(s, body)))
    known.set(key, kernel)
  }
  return kernel
}

export const broadcast = (gpu: Gpu): Partial<Kernels> => {
  const run = (
    operation: BroadcastOperation,
    s: BroadcastShape,
    which: number,
    xs: readonly Memory[],
    dy: Memory | null,
    y: Memory,
  ): void => {
    const { sizes, steps } = s
    const n = product(sizes)
    const whole: Dims = sizes.length < 2 ? gpu.flat(n) : [product(sizes.slice(1)), sizes[0], 1]
    const dimsOf = (k: number): Dims => {
      if (sizes.length < 2) return steps[k][0] ? whole : [1, 1, 1]
      return [product(sizes.slice(1).filter((_, a) => steps[k][a + 1])), steps[k][0] ? sizes[0] : 1, 1]
    }
    const used = read(bodies[operation][which]).map(name => names.indexOf(name))
    const args: (View | HandleView)[] = used.map(k => ({ handle: gpu.handle(xs[k]), dims: dimsOf(k) }))
    if (dy && /\bdy\b/.test(bodies[operation][which])) args.push({ handle: gpu.handle(dy), dims: whole })
    gpu.set(y, gpu.compute(kernelOf(operation, s, which), args, whole, {}, n))
  }
  return {
    broadcast: (operation, s, xs, y) => run(operation, s, 0, xs, null, y),
    broadcastGradient: (operation, s, index, xs, dy, slope) => run(operation, s, 1 + index, xs, dy, slope),
  }
}
