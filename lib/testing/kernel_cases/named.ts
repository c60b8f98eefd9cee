import type {
  AxisReduction,
  AxisReductionShape,
  BroadcastOperation,
  BroadcastShape,
  UnaryOperation,
} from '../../engine.js'
import type { Memory } from '../../memory.js'
import { dims, type KernelCase, type KernelCases, type Kit, onHosts, product } from './kit.js'

// ---- of one value ----------------------------------------------------------------------------------------------------

/** Those that are asked about values in ±1, or elsewhere. */
const plain = ['ERF', 'FLOOR', 'CEIL', 'ROUND', 'SIGN', 'SOFTSIGN', 'GELU', 'GELU_TANH'] as const
const angles = ['SIN', 'COS', 'TAN', 'ASIN', 'ACOS', 'ATAN', 'SINH', 'COSH', 'ASINH', 'ATANH'] as const
const functions: readonly UnaryOperation[] = [...plain, ...angles]

/** Between and on the places where functions go in steps, and where another formula begins. */
const given = [-7.5, -2.5, -1, -0.76, -0.5, -0.1, 0, 1e-4, 0.5, 0.74, 0.76, 1.5, 2.5, 6, 12]
const oddNumbers = [0, -0, Number.NaN, Infinity, -Infinity, 100, -100, 1e-40, 3e38]

const unary: KernelCase[] = [
  ...plain.map(
    (operation): KernelCase => ({
      name: `${operation} of given ones`,
      run: (k, kit) => k.unary(operation, given.length, kit.values(...given), kit.out(given.length)),
    }),
  ),
  ...functions.map(
    (operation): KernelCase => ({
      name: `${operation} of 37`,
      run: (k, kit) => k.unary(operation, 37, kit.random(37, 0.9), kit.out(37)),
    }),
  ),
  { name: 'ACOSH of 21', run: (k, kit) => k.unary('ACOSH', 21, above(kit, 21), kit.out(21)) },
  ...onHosts(
    'large',
    functions.map(operation => ({
      name: `${operation} of 40001`,
      run: (k, kit) => k.unary(operation, 40001, kit.random(40001, 0.95), kit.out(40001)),
    })),
  ),
  ...onHosts(
    'large',
    [...plain, 'SIN', 'COS', 'ATAN', 'ASINH'].map(operation => ({
      name: `${operation} of 331 up to ±20`,
      run: (k, kit) => k.unary(operation as UnaryOperation, 331, kit.random(331, 20), kit.out(331)),
    })),
  ),
  ...onHosts(
    'not finite',
    functions.map(operation => ({
      name: `${operation} of odd numbers`,
      run(k, kit) {
        for (const odd of oddNumbers) k.unary(operation, 1, kit.values(odd), kit.out(1))
      },
    })),
  ),
]

/** Values from 1.1 on. */
function above(kit: Kit, n: number): Memory {
  const x = kit.positive(n)
  for (let i = 0; i < n; i++) x.array[i] += 1
  return x
}

const unaryGradient: KernelCase[] = [
  ...plain.map(
    (operation): KernelCase => ({
      name: `${operation} of given ones`,
      run(k, kit) {
        const dy = kit.random(given.length)
        k.unaryGradient(operation, given.length, kit.values(...given), dy, kit.out(given.length))
      },
    }),
  ),
  ...functions.map(
    (operation): KernelCase => ({
      name: `${operation} of 37`,
      run: (k, kit) => k.unaryGradient(operation, 37, kit.random(37, 0.9), kit.random(37), kit.out(37)),
    }),
  ),
  {
    name: 'ACOSH of 21',
    run: (k, kit) => k.unaryGradient('ACOSH', 21, above(kit, 21), kit.random(21), kit.out(21)),
  },
  ...onHosts(
    'large',
    functions.map(operation => ({
      name: `${operation} of 40001`,
      run: (k, kit) => k.unaryGradient(operation, 40001, kit.random(40001, 0.95), kit.random(40001), kit.out(40001)),
    })),
  ),
  ...onHosts(
    'not finite',
    plain.map(operation => ({
      name: `${operation} of odd numbers`,
      run(k, kit) {
        for (const odd of oddNumbers.filter(Number.isFinite))
          k.unaryGradient(operation, 1, kit.values(odd), kit.values(2), kit.out(1))
      },
    })),
  ),
]

// ---- of values that repeat -------------------------------------------------------------------------------------------

/** '2×3×1 with 1×4': shapes of the same length; sizes and steps as layers make them, but no axes joined. */
function broadcastShape(text: string): BroadcastShape & { lengths: number[] } {
  const shapes = text.split(' with ').map(shape => (shape === '' ? [] : dims(shape)))
  const axes = Math.max(...shapes.map(shape => shape.length))
  const full = shapes.map(shape => [...Array<number>(axes - shape.length).fill(1), ...shape])
  const sizes = Array.from({ length: axes }, (_, i) => full.map(shape => shape[i]).find(size => size !== 1) ?? 1)
  const steps = full.map(shape => shape.map((size, i) => (size === 1 ? 0 : product(shape.slice(i + 1)))))
  return { sizes, steps, lengths: full.map(product) }
}

const two = ['ADD', 'SUB', 'MUL', 'DIV', 'MAX', 'MIN', 'POW'] as const
const comparisons = ['EQUAL', 'GREATER', 'GREATER_EQUAL', 'LESS', 'LESS_EQUAL'] as const
const shapes = [
  '2×3×1 with 1×4',
  '5 with 5',
  '4×7 with 7',
  '3×5 with 3×1',
  '2×1×3×1×2 with 4×1×5×1',
  '6 with 1',
  '1 with 1',
]
const thirds = ['3×1 with 2×3×4 with 4', '5 with 5 with 1', '1 with 3×1×2 with 4×1', '2×6 with 1 with 2×6']
const largeShapes = [
  '3×40×257 with 40×1',
  '9×64×64 with 9×1×1',
  '70001 with 70001',
  '70001 with 1',
  '2×1×40000 with 2×3×1',
  '500×3 with 3',
  '0×3 with 3',
]
const largeThirds = ['40×1×33 with 7×1 with 40×7×33', '50000 with 50000 with 1']

/** Whole numbers where equal ones matter, positive ones where others have no power. */
function operand(kit: Kit, operation: BroadcastOperation, n: number): Memory {
  if (operation === 'POW') return kit.positive(n)
  if (operation === 'WHERE' || comparisons.some(name => name === operation)) return kit.integers(n, 3)
  if (operation === 'MAX' || operation === 'MIN') return kit.integers(n, 5)
  return operation === 'DIV' ? kit.positive(n) : kit.random(n)
}

const forward = (operation: BroadcastOperation, text: string): KernelCase => ({
  name: `${operation} of ${text}`,
  run(k, kit) {
    const s = broadcastShape(text)
    const xs = s.lengths.map(n => operand(kit, operation, n))
    k.broadcast(operation, s, xs, kit.out(product(s.sizes)))
  },
})
const gradient = (operation: BroadcastOperation, index: number, text: string): KernelCase => ({
  name: `${operation} of ${text}, by ${index}`,
  run(k, kit) {
    const s = broadcastShape(text)
    const xs = s.lengths.map(n => operand(kit, operation, n))
    k.broadcastGradient(operation, s, index, xs, kit.random(product(s.sizes)), kit.out(product(s.sizes)))
  },
})
/** Powers of numbers below 0 and of 0. */
const bases = [-2, -1.5, -1, 0, 0, 1, 3, -2, 0.5]
const exponents = [2, 3, -1, 0, 2, 5, -2, 0, -0.5]
const odd: KernelCase[] = (['ADD', 'MAX', 'MIN', 'WHERE', ...comparisons] as const).map(operation => ({
  name: `${operation} of odd numbers`,
  hostOnly: 'not finite',
  run(k, kit) {
    const s = { sizes: [1], steps: operation === 'WHERE' ? [[0], [0], [0]] : [[0], [0]] }
    for (const a of oddNumbers)
      for (const b of [1, Number.NaN, Infinity]) {
        const xs = [kit.values(a), kit.values(b), ...(operation === 'WHERE' ? [kit.values(5)] : [])]
        k.broadcast(operation, s, xs, kit.out(1))
      }
  },
}))

const broadcast: KernelCase[] = [
  ...two.flatMap(operation => shapes.map(text => forward(operation, text))),
  ...comparisons.map(operation => forward(operation, '2×3×4 with 3×1')),
  ...thirds.map(text => forward('WHERE', text)),
  {
    name: 'POW of given ones',
    run(k, kit) {
      const s = { sizes: [9], steps: [[1], [1]] }
      k.broadcast('POW', s, [kit.values(...bases), kit.values(...exponents)], kit.out(9))
    },
  },
  ...onHosts(
    'large',
    (['SUB', 'DIV', 'MAX', 'POW'] as const).flatMap(operation => largeShapes.map(text => forward(operation, text))),
  ),
  ...onHosts(
    'large',
    largeThirds.map(text => forward('WHERE', text)),
  ),
  ...odd,
]
const broadcastGradient: KernelCase[] = [
  ...two.flatMap(operation =>
    ['2×3×1 with 1×4', '5 with 5'].flatMap(text => [0, 1].map(i => gradient(operation, i, text))),
  ),
  ...thirds.flatMap(text => [1, 2].map(i => gradient('WHERE', i, text))),
  {
    name: 'POW of given ones',
    run(k, kit) {
      const s = { sizes: [9], steps: [[1], [1]] }
      const dy = kit.random(9)
      const xs = () => [kit.values(...bases.map(base => base || 2)), kit.values(...exponents)]
      for (const index of [0, 1]) k.broadcastGradient('POW', s, index, xs(), dy, kit.out(9))
    },
  },
  ...onHosts(
    'large',
    (['SUB', 'MUL', 'DIV', 'MIN'] as const).flatMap(operation =>
      largeShapes.flatMap(text => [0, 1].map(i => gradient(operation, i, text))),
    ),
  ),
  ...onHosts(
    'large',
    largeThirds.flatMap(text => [1, 2].map(i => gradient('WHERE', i, text))),
  ),
]

// ---- along an axis ---------------------------------------------------------------------------------------------------

const sums = ['SUM', 'MEAN', 'ASUM', 'SUMSQ', 'L2', 'LOG_SUM_EXP', 'PROD', 'MAX', 'MIN'] as const
const wholes = ['2×5×3', '3×4×1', '1×7×6', '4×1×2', '2×9×4']
const largeWholes = ['3×70×257', '40×301×1', '1×40001×1', '1×3×40001', '5×6000×2', '900×2×33', '0×3×2']

const reduction = (operation: AxisReduction, text: string, last = false): AxisReductionShape => {
  const [outer, size, inner] = dims(text)
  return { operation, outer, size, inner, last }
}
/** Products of few values near 1; best ones that are often equal. */
function values(kit: Kit, operation: AxisReduction, n: number, size: number): Memory {
  if (operation.startsWith('ARG') || operation === 'MAX' || operation === 'MIN') return kit.integers(n, 4)
  const x = operation === 'PROD' ? kit.positive(n) : kit.random(n)
  if (operation === 'PROD') for (let i = 0; i < n; i++) x.array[i] = 1 + (x.array[i] - 0.6) / size
  return x
}
const reduced = (operation: AxisReduction, text: string, last = false): KernelCase => ({
  name: `${last ? 'last ' : ''}${operation} of ${text}`,
  run(k, kit) {
    const s = reduction(operation, text, last)
    k.reduceAxis(s, values(kit, operation, s.outer * s.size * s.inner, s.size), kit.out(s.outer * s.inner))
  },
})
const reducedGradient = (operation: AxisReduction, text: string, zeros = 0): KernelCase => ({
  name: `${operation} of ${text}${zeros ? `, ${zeros} zeros` : ''}`,
  run(k, kit) {
    const s = reduction(operation, text)
    const x = values(kit, operation, s.outer * s.size * s.inner, s.size)
    for (let i = 0; i < zeros; i++) x.array[i * s.inner] = 0
    const y = kit.random(s.outer * s.inner)
    k.reduceAxis(s, x, y)
    k.reduceAxisGradient(s, x, y, kit.random(s.outer * s.inner), kit.out(s.outer * s.size * s.inner))
  },
})
const best = ['ARGMAX', 'ARGMIN'] as const

const reduceAxis: KernelCase[] = [
  ...sums.flatMap(operation => wholes.map(text => reduced(operation, text))),
  ...best.flatMap(operation => wholes.flatMap(text => [false, true].map(last => reduced(operation, text, last)))),
  ...onHosts(
    'large',
    [...sums, ...best].flatMap(operation => largeWholes.map(text => reduced(operation, text))),
  ),
  {
    name: 'odd numbers',
    hostOnly: 'not finite',
    run(k, kit) {
      for (const operation of [...sums, ...best])
        for (const inner of [1, 5])
          for (const odd of oddNumbers) {
            const x = kit.random(3 * inner)
            x.array[inner] = odd
            k.reduceAxis({ operation, outer: 1, size: 3, inner, last: false }, x, kit.out(inner))
          }
    },
  },
  { name: 'SUM of nothing', run: (k, kit) => k.reduceAxis(reduction('SUM', '2×0×3'), kit.values(0), kit.out(6)) },
]
const reduceAxisGradient: KernelCase[] = [
  ...sums.flatMap(operation => wholes.map(text => reducedGradient(operation, text))),
  ...['2×5×3', '3×4×1'].flatMap(text => [1, 2].map(zeros => reducedGradient('PROD', text, zeros))),
  {
    name: 'L2 of zeros',
    run(k, kit) {
      const s = reduction('L2', '1×2×3')
      const zeros = kit.values(0, 0, 0, 0, 0, 0)
      k.reduceAxisGradient(s, zeros, kit.values(0, 0, 0), kit.values(1, 2, 3), kit.out(6))
    },
  },
  ...onHosts(
    'large',
    sums.flatMap(operation => largeWholes.map(text => reducedGradient(operation, text))),
  ),
]

/** Functions by name: of one value, of several that repeat, along an axis. */
export const named: KernelCases = {
  unary,
  unaryGradient,
  broadcast,
  broadcastGradient,
  reduceAxis,
  reduceAxisGradient,
}
