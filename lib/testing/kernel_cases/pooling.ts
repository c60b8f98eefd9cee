import type { PoolingShape } from '../../engine.js'
import { RandomStream } from '../../rng.js'
import { dims, type KernelCase, type KernelCases, type Kit, onHosts } from './kit.js'

/** 'planes×H×W, kernel 3×2, stride 2, pad 1' as a shape, its windows counted as Caffe counts them: rounded up, clipped. */
function poolingShape(text: string): PoolingShape {
  const [sizes, ...rest] = text.split(', ')
  const [planes, H, W] = dims(sizes)
  const said = Object.fromEntries(rest.map(part => part.split(' ')))
  const pair = (name: string, otherwise: number): [number, number] => {
    const [h, w = h] = name in said ? dims(said[name]) : [otherwise]
    return [h, w]
  }
  const [kernel, stride, pad] = [pair('kernel', 1), pair('stride', 1), pair('pad', 0)]
  const windows = (n: number, i: 0 | 1) => {
    const count = Math.ceil((n + 2 * pad[i] - kernel[i]) / stride[i]) + 1
    return pad[i] > 0 && (count - 1) * stride[i] >= n + pad[i] ? count - 1 : count
  }
  return { planes, input: [H, W], output: [windows(H, 0), windows(W, 1)], kernel, stride, pad }
}

const sized = (name: string) => {
  const s = poolingShape(name)
  return { s, name, nx: s.planes * s.input[0] * s.input[1], ny: s.planes * s.output[0] * s.output[1] }
}
const everywhere = [
  '6×7×9, kernel 3, stride 2, pad 1',
  '3×6×6, kernel 2, stride 2',
  '2×5×8, kernel 3×4, stride 1×2',
  '1×1×1, kernel 1',
  '6×7×7, kernel 7',
  '2×5×3, kernel 4×3, stride 1×2, pad 3×2',
].map(sized)
const large = [
  '50×24×24, kernel 2, stride 2',
  '5×8×8, kernel 2, stride 2',
  '3×7×9, kernel 2, stride 2',
  '30×55×55, kernel 3, stride 2',
  '4×13×13, kernel 3, stride 2',
  '4×14×12, kernel 3, pad 1',
  '3×32×31, kernel 3, stride 2, pad 1',
  '2×20×40, kernel 5×4, stride 3, pad 2×1',
  '7×13×11, kernel 13×11',
  '3×23×29, kernel 2, stride 5×7',
  '1×41×3, kernel 9×2, stride 2×1, pad 4×1',
].map(sized)
const all = [...everywhere, ...large]

type Make = (shape: ReturnType<typeof sized>) => KernelCase['run']
const cases = (make: Make, note = '', shapes = all): KernelCase[] =>
  shapes.map(shape => ({ name: `${shape.name}${note}`, run: make(shape) }))
const both = (make: Make): KernelCase[] => [...cases(make, '', everywhere), ...onHosts('large', cases(make, '', large))]

const stream = () => {
  const drawn = new RandomStream(2 ** 40 + 5, 'pool')
  drawn.iteration = 2 ** 33 + 3
  return drawn
}

/** Random values, of which every `step`th is what `odd` says. */
const sprinkled = (kit: Kit, n: number, step: number, odd: (i: number) => number) => {
  const x = kit.random(n)
  for (let i = 0; i < n; i += step) x.array[i] = odd(i)
  return x
}

/** Pooling. */
export const poolings: KernelCases = {
  maxPool: [
    ...both(
      ({ s, nx, ny }) =>
        (k, kit) =>
          k.maxPool(s, kit.random(nx), kit.out(ny), kit.out(ny)),
    ),
    ...onHosts(
      'large',
      cases(
        // few different values: ties are common
        ({ s, nx, ny }) =>
          (k, kit) =>
            k.maxPool(s, kit.integers(nx, 5), kit.out(ny), kit.out(ny)),
        ', ties',
      ),
    ),
    ...onHosts(
      'without an argument',
      cases(
        ({ s, nx, ny }) =>
          (k, kit) =>
            k.maxPool(
              s,
              sprinkled(kit, nx, 5, () => Number.NaN),
              kit.out(ny),
              null,
            ),
        ', without a mask',
      ),
    ),
    ...onHosts(
      'not finite',
      cases(
        ({ s, nx, ny }) =>
          (k, kit) => {
            const x = sprinkled(kit, nx, 1, i => [-Infinity, Number.NaN, 0.5 - (i % 7) / 5][i % 3])
            k.maxPool(s, x, kit.out(ny), kit.out(ny))
          },
        ', NaN and −∞',
      ),
    ),
  ],
  maxPoolGradient: both(({ s, nx, ny }) => (k, kit) => {
    const [x, y, mask, dy] = [kit.random(nx), kit.random(ny), kit.random(ny), kit.random(ny)]
    k.maxPool(s, x, y, mask)
    k.maxPoolGradient(s, dy, mask, kit.out(nx))
  }),
  averagePool: [
    ...both(
      ({ s, nx, ny }) =>
        (k, kit) =>
          k.averagePool(s, kit.random(nx), kit.out(ny)),
    ),
    ...onHosts('large', [
      {
        name: 'all of 7×9, 3.4e38',
        run: (k, kit) => {
          const s: PoolingShape = {
            planes: 5,
            input: [7, 9],
            output: [1, 1],
            kernel: [7, 9],
            stride: [1, 1],
            pad: [0, 0],
          }
          const x = kit.random(5 * 63)
          for (let i = 0; i < x.length; i++) x.array[i] = i % 6 < 4 ? 3.4e38 : -3.4e38
          k.averagePool(s, x, kit.out(5))
        },
      },
    ]),
  ],
  averagePoolGradient: both(
    ({ s, nx, ny }) =>
      (k, kit) =>
        k.averagePoolGradient(s, kit.random(ny), kit.out(nx)),
  ),
  stochasticPool: [
    ...both(({ s, nx, ny }) => (k, kit) => {
      // whole numbers: sums are exact, and one that is drawn elsewhere shows
      const x = kit.integers(nx, 9)
      for (let i = 0; i < nx; i++) x.array[i] -= 4
      k.stochasticPool(s, x, stream(), kit.out(ny), kit.out(ny))
    }),
    ...onHosts(
      'not finite',
      cases(
        ({ s, nx, ny }) =>
          (k, kit) => {
            const x = sprinkled(kit, nx, 7, i => (i % 2 ? Number.NaN : Infinity))
            k.stochasticPool(s, x, new RandomStream(5, 'pool'), kit.out(ny), kit.out(ny))
          },
        ', NaN and ∞',
      ),
    ),
  ],
  stochasticMean: [
    ...cases(
      ({ s, nx, ny }) =>
        (k, kit) =>
          k.stochasticMean(s, kit.positive(nx), kit.out(ny)),
      ', positive',
      everywhere,
    ),
    ...onHosts(
      'large',
      cases(
        ({ s, nx, ny }) =>
          (k, kit) =>
            k.stochasticMean(s, kit.random(nx), kit.out(ny)),
      ),
    ),
  ],
  stochasticMeanGradient: both(({ s, nx, ny }) => (k, kit) => {
    const [x, y, dy] = [kit.positive(nx), kit.random(ny), kit.random(ny)]
    k.stochasticMeanGradient(s, x, y, dy, kit.out(nx))
  }),
}
