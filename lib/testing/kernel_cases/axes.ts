import type { Memory } from '../../memory.js'
import { dims, type KernelCase, type KernelCases, type Kit, onHosts, product } from './kit.js'

const operations = ['SUM', 'ASUM', 'SUMSQ'] as const
const reductions = ['1×1', '7×5', '3001×13', '2×50003', '1×16384']
const middles = '1×1×1 5×3×7 4000×3×5 3×21×1 2×4×40001 1×30000×6'.split(' ')
/** rows × width, of a table with so many rows. */
const tables = ['1×1 of 1', '7×5 of 3', '500×129 of 40', '3000×3 of 50', '2×20001 of 2']

const reduce = (size: string, coefficient: number): KernelCase[] => {
  const [outer, inner] = dims(size)
  return operations.map(operation => ({
    name: `${operation} ${size}`,
    run: (k, kit) => k.reduce(operation, outer, inner, coefficient, kit.random(outer * inner), kit.out(outer)),
  }))
}
const reduceGradient = (size: string, coefficient: number): KernelCase[] => {
  const [outer, inner] = dims(size)
  return operations.map(operation => ({
    name: `${operation} ${size}`,
    run(k, kit) {
      const [x, dy] = [kit.random(outer * inner), kit.random(outer)]
      x.array[0] = 0
      k.reduceGradient(operation, outer, inner, coefficient, x, dy, kit.out(outer * inner))
    },
  }))
}
const sumMiddle = (size: string): KernelCase => {
  const [outer, middle, inner] = dims(size)
  return {
    name: size,
    run: (k, kit) => k.sumMiddle(outer, middle, inner, kit.random(outer * middle * inner), kit.out(outer * inner)),
  }
}

function table(name: string) {
  const [size, count] = name.split(' of ')
  const [rows, width] = dims(size)
  return { rows, width, count: Number(count) }
}
const indices = (kit: Kit, rows: number, count: number) => {
  const index = kit.integers(rows, count)
  // the first three name no row
  index.array.set([-1, count, Number.NaN].slice(0, Math.min(3, rows - 1)))
  return index
}

const crops = [
  { input: [9], output: [4], offset: [3] },
  { input: [3, 5, 7], output: [2, 3, 4], offset: [1, 2, 1] },
  { input: [5, 7], output: [2, 7], offset: [3, 0] },
  { input: [3, 4, 60, 70], output: [2, 4, 41, 33], offset: [1, 0, 12, 37] },
  { input: [2, 3, 4, 5, 6], output: [1, 2, 3, 4, 5], offset: [1, 1, 0, 1, 1] },
].map(s => ({
  s,
  name: `${s.input.join('×')} to ${s.output.join('×')} at ${s.offset}`,
  whole: product(s.input),
  part: product(s.output),
}))
const crop = (kernel: 'crop' | 'cropGradient'): KernelCase[] => {
  const all = crops.map(
    ({ s, name, whole, part }): KernelCase => ({
      name,
      run(k, kit) {
        const [from, to] = kernel === 'crop' ? [whole, part] : [part, whole]
        k[kernel](s, kit.random(from), kit.out(to))
      },
    }),
  )
  return [...all.slice(0, 2), ...onHosts('large', all.slice(2))]
}

/** Shape and order: rows that stay, turned blocks, three channels, more axes than fit a device, sizes of 1 and 0. */
const permutes = [
  ...['2×3×4×5 0231', '3×5 10', '2×3×5×7 3210', '1×7×1×9 2301', '5×6×7 102'],
  ...[
    '2×21×19×17 0231',
    '3×37×41×3 0312',
    '2×300×17 021',
    '70×33×65 120',
    '2×3×2×3×2×3×2 6420135',
    '0×3×2 210',
    '32×64×19 210',
    '10×1024×17 210',
  ],
].map(text => {
  const [size, order] = text.split(' ')
  return { name: text, shape: dims(size), order: [...order].map(Number) }
})
const permute = ({ name, shape, order }: (typeof permutes)[number]): KernelCase => ({
  name,
  run: (k, kit) => k.permute(shape, order, kit.random(product(shape)), kit.out(product(shape))),
})

/** Scores (outer, size, inner): ties, and values that are not numbers. */
const scoreSizes = '1×1×1 5×7×1 3×10×1 40×1003×1 2×5×3 2×21×1001 0×3×2'.split(' ')
const kinds: [string, (kit: Kit, n: number) => Memory][] = [
  ['different', (kit, n) => kit.random(n)],
  ['equal', (kit, n) => kit.integers(n, 4)],
  [
    'NaN and ∞',
    (kit, n) => {
      const x = kit.random(n)
      for (let i = 0; i < n; i++) if (i % 3) x.array[i] = [Number.NaN, -Infinity, Infinity, Number.NaN][i % 4]
      return x
    },
  ],
]
/** Every size, kind of scores and k that is of use. */
const scores = scoreSizes.flatMap(size => {
  const [outer, classes, inner] = dims(size)
  const ks = [...new Set([1, 3, classes])].filter(topK => topK <= Math.min(classes, 10))
  return kinds.flatMap(([kind, make]) =>
    ks.map(topK => ({ outer, classes, inner, topK, make, name: `${size}, ${kind}, top ${topK}` })),
  )
})
type Scores = Omit<(typeof scores)[number], 'name'>

const outputs = ['index', 'value', 'both'] as const
const argMax =
  ({ outer, classes: size, inner, topK, make }: Scores, output: (typeof outputs)[number]): KernelCase['run'] =>
  (k, kit) => {
    const length = outer * topK * inner * (output === 'both' ? 2 : 1)
    k.argMax({ outer, size, inner, topK, output }, make(kit, outer * size * inner), kit.out(length))
  }
const accuracy = ({ outer, classes, inner, topK, make }: Scores, ignoreLabel?: number): KernelCase[] =>
  [false, true].map(perClass => ({
    name: `without ${ignoreLabel}${perClass ? ', per class' : ''}`,
    run(k, kit) {
      const [x, label] = [make(kit, outer * classes * inner), kit.integers(outer * inner, classes)]
      const shares = perClass ? kit.out(classes) : null
      k.accuracy({ outer, classes, inner, topK, ignoreLabel }, x, label, kit.out(1), shares)
    },
  }))
const [different, equal] = kinds.map(([, make]) => make)
const scoresEverywhere = [
  { outer: 2, classes: 7, inner: 3, topK: 1, make: equal, name: '2×7×3, equal, top 1', without: undefined },
  { outer: 2, classes: 7, inner: 3, topK: 3, make: equal, name: '2×7×3, equal, top 3', without: 3 },
  { outer: 9, classes: 6, inner: 1, topK: 1, make: different, name: '9×6×1, different, top 1', without: undefined },
  { outer: 9, classes: 6, inner: 1, topK: 1, make: equal, name: '9×6×1, equal, top 1', without: undefined },
  { outer: 3, classes: 5, inner: 7, topK: 2, make: different, name: '3×5×7, different, top 2', without: 3 },
  { outer: 3, classes: 5, inner: 7, topK: 2, make: equal, name: '3×5×7, equal, top 2', without: 3 },
]

/** Sums along axes, rows of a table, blocks, and the largest scores. */
export const axes: KernelCases = {
  reduce: [
    ...reduce('5×7', 0.5),
    ...onHosts(
      'large',
      reductions.flatMap(size => reduce(size, -0.3)),
    ),
  ],
  reduceGradient: [
    ...reduceGradient('5×7', 0.5),
    ...onHosts(
      'large',
      reductions.flatMap(size => reduceGradient(size, -0.3)),
    ),
  ],
  sumMiddle: [sumMiddle('3×5×7'), ...onHosts('large', middles.map(sumMiddle))],
  gatherRows: onHosts(
    'not finite',
    tables.map(name => ({
      name,
      run(k, kit) {
        const { rows, width, count } = table(name)
        k.gatherRows(rows, width, count, indices(kit, rows, count), kit.random(count * width), kit.out(rows * width))
      },
    })),
  ),
  scatterRows: [
    {
      name: '9×5 of 4, some beyond',
      run: (k, kit) => k.scatterRows(9, 5, 4, kit.integers(9, 5), kit.random(45), kit.out(kit.random(20))),
    },
    ...onHosts(
      'not finite',
      tables.map(name => ({
        name,
        run(k, kit) {
          const { rows, width, count } = table(name)
          const [dy, dtable] = [kit.random(rows * width), kit.random(count * width)]
          k.scatterRows(rows, width, count, indices(kit, rows, count), dy, kit.out(dtable))
        },
      })),
    ),
  ],
  permute: [...permutes.slice(0, 5).map(permute), ...onHosts('large', permutes.slice(5).map(permute))],
  crop: crop('crop'),
  cropGradient: crop('cropGradient'),
  argMax: [
    ...scoresEverywhere.flatMap(s => outputs.map(output => ({ name: `${s.name}, ${output}`, run: argMax(s, output) }))),
    ...onHosts(
      'large',
      scores.flatMap(s => outputs.map(output => ({ name: `${s.name}, ${output}`, run: argMax(s, output) }))),
    ),
  ],
  accuracy: [
    ...scoresEverywhere.flatMap(s => accuracy(s, s.without).map(c => ({ ...c, name: `${s.name}, ${c.name}` }))),
    ...onHosts(
      'large',
      scores.flatMap(s =>
        [undefined, 0].flatMap(ignored => accuracy(s, ignored).map(c => ({ ...c, name: `${s.name}, ${c.name}` }))),
      ),
    ),
  ],
}
