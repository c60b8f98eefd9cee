import type { LRNShape } from '../../engine.js'
import { dims, type KernelCase, type KernelCases, onHosts } from './kit.js'

/** 'N×C×H×W, size 5, α 0.5, β 0.75, k 1' as a shape. */
function lrnShape(name: string): LRNShape {
  const [sizes, ...rest] = name.split(', ')
  const [batch, channels, height, width] = dims(sizes)
  const said = Object.fromEntries(rest.map(part => part.split(' ')))
  return {
    ...{ batch, channels, height, width },
    size: Number(said.size),
    alpha: Number(said.α ?? 0.4),
    beta: Number(said.β),
    k: Number(said.k ?? 1.5),
  }
}

const sized = (name: string) => {
  const s = lrnShape(name)
  return { s, name, n: s.batch * s.channels * s.height * s.width }
}
const everywhere = ['2×7×3×5, size 5, α 0.5, β 0.75, k 1', '3×2×4×3, size 3, α 1, β 0.5, k 2'].map(sized)
const onlyHosts = [
  '1×1×1×1, size 1, β 0.75',
  '2×7×5×3, size 5, β 0.75',
  '3×3×27×27, size 5, β 0.75',
  '2×10×4×4, size 3, β 0.5',
  '3×30×27×27, size 5, β 0.61',
  '5×2×33×3, size 7, β 2',
  '2×3×4×5, size 3, β 0',
  '2×3×2×3, size 9, β 200',
].map(sized)

type Make = (shape: ReturnType<typeof sized>) => KernelCase['run']
const cases = (shapes: typeof everywhere, make: Make, note = ''): KernelCase[] =>
  shapes.map(shape => ({ name: `${shape.name}${note}`, run: make(shape) }))

const forward = (kernel: 'lrnAcross' | 'lrnWithin'): KernelCase[] => {
  const make: Make =
    ({ s, n }) =>
    (k, kit) =>
      k[kernel](s, kit.random(n, 3), kit.out(n), kit.out(n))
  const inPlace: Make =
    ({ s, n }) =>
    (k, kit) => {
      const x = kit.random(n, 3)
      k[kernel](s, x, kit.out(n), kit.out(x))
    }
  return [
    ...cases(everywhere, make),
    ...onHosts('large', cases(onlyHosts, make)),
    ...onHosts('in place', cases([...everywhere, ...onlyHosts], inPlace, ', in place')),
  ]
}

const gradient = (kernel: 'lrnAcross' | 'lrnWithin'): KernelCase[] => {
  const make: Make =
    ({ s, n }) =>
    (k, kit) => {
      const [x, scale, dy] = [kit.random(n), kit.positive(n), kit.random(n)]
      k[`${kernel}Gradient`](s, x, scale, dy, kit.out(n), kit.out(n))
    }
  const inPlace: Make =
    ({ s, n }) =>
    (k, kit) => {
      const [x, scale, y, ratio, dx] = [kit.random(n, 3), kit.out(n), kit.random(n), kit.random(n), kit.random(n)]
      k[kernel](s, x, scale, y)
      k[`${kernel}Gradient`](s, x, scale, dx, ratio, kit.out(dx))
    }
  return [
    ...cases(everywhere, make),
    ...onHosts('in place', cases([...everywhere, ...onlyHosts], inPlace, ', in place')),
  ]
}

/** Local response normalization. */
export const lrns: KernelCases = {
  lrnAcross: forward('lrnAcross'),
  lrnAcrossGradient: gradient('lrnAcross'),
  lrnWithin: forward('lrnWithin'),
  lrnWithinGradient: gradient('lrnWithin'),
}
