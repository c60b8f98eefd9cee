import type { InterpShape } from '../../engine.js'
import type { Memory } from '../../memory.js'
import { dims, type KernelCase, type KernelCases, type Kit, onHosts, product } from './kit.js'

/** 'planes×H×W to H×W', with 'part 1×2 of 3×4' for a part and where it starts. */
function interpShape(text: string): InterpShape {
  const [, from, start, part, to] = /^(\S+)(?: part (\S+) of (\S+))? to (\S+)$/.exec(text)!
  const [planes, H, W] = dims(from)
  const pair = (sizes: string | undefined, otherwise: [number, number]) =>
    sizes === undefined ? otherwise : (dims(sizes) as [number, number])
  return { planes, input: [H, W], offset: pair(start, [0, 0]), size: pair(part, [H, W]), output: pair(to, [0, 0]) }
}

const interps = [
  '6×4×5 to 7×9',
  '3×9×8 to 4×3',
  '2×1×1 to 4×3',
  '2×4×5 to 1×3',
  '1×3×1 to 5×1',
  '2×6×7 part 1×2 of 3×4 to 5×7',
  '1×5×6 part 2×3 of 1×1 to 3×3',
]
const large = ['5×33×31 to 257×241', '3×200×300 to 50×40', '20×60×60 to 7×473', '300×6×6 to 12×13', '2×1×700 to 3×1399']
const gradients = (names: readonly string[]): KernelCase[] =>
  names.map(name => ({
    name,
    run(k, kit) {
      const s = interpShape(name)
      k.interpGradient(s, kit.random(s.planes * product(s.output)), kit.out(s.planes * product(s.input)))
    },
  }))
const forwards = (names: readonly string[]): KernelCase[] =>
  names.map(name => ({
    name,
    run(k, kit) {
      const s = interpShape(name)
      k.interp(s, kit.random(s.planes * product(s.input)), kit.out(s.planes * product(s.output)))
    },
  }))

const unpools = ['2×6 of 24', '1×1 of 1', '3×35 of 99', '40×300 of 1201', '2×0 of 3'].map(name => {
  const [[planes, places], [size]] = name.split(' of ').map(dims)
  return { name, planes, places, size }
})
const enlarged = ['2×3×4 by 2', '1×2×5 by 3', '3×1×1 by 4', '2×3×3 by 1', '2×2×1 by 7', '30×20×33 by 2'].map(name => {
  const [[planes, height, width], [factor]] = name.split(' by ').map(dims)
  return { name, planes, height, width, factor }
})

/** outer × size × inner to so many places of so many taps: rows, runs of neighbours, single values, nothing at all. */
const mixes = ['2×5×8 to 7 of 1', '3×9×1 to 11 of 1', '2×4×3 to 3 of 3', '1×6×5 to 4 of 2', '2×3×1 to 5 of 4']
const largeMixes = [
  '7×33×130 to 50 of 2',
  '900×70×1 to 74 of 1',
  '500×40×1 to 81 of 4',
  '3×40×257 to 90 of 1',
  '0×3×2 to 2 of 1',
]
/** Taps of all kinds: in order, out of order, several or none (−1, which may stand among others), beyond the axis. */
const taps = (kit: Kit, size: number, out: number, many: number, kind: string): Memory => {
  const from = kit.integers(out * many, size + 1)
  from.array.forEach((place, t) => {
    if (kind === 'shifted') from.array[t] = Math.floor(t / many) - 2
    else if (place % 3 === 2) from.array[t] = -1
  })
  return from
}
const mix = (text: string): KernelCase[] => {
  const [from, to, many] = text.split(/ to | of /)
  const [outer, size, inner] = dims(from)
  const s = { outer, size, out: Number(to), inner, taps: Number(many), nothing: -0.5 }
  return ['drawn', 'shifted', 'weighed'].map(kind => ({
    name: `${text}, ${kind}`,
    run(k, kit) {
      const weight = kit.random(s.out * s.taps)
      if (kind !== 'weighed') weight.array.fill(1)
      const places = taps(kit, size, s.out, s.taps, kind)
      k.mixAxis(s, places, weight, kit.random(outer * size * inner), kit.out(outer * s.out * inner))
    },
  }))
}

/** Pictures in other sizes. */
export const resizes: KernelCases = {
  interp: [...forwards(interps), ...onHosts('large', forwards(large))],
  interpGradient: [...gradients(interps), ...onHosts('large', gradients(large))],
  mixAxis: [...mixes.flatMap(mix), ...onHosts('large', largeMixes.flatMap(mix))],
  unpool: onHosts(
    'scatters',
    unpools.map(({ name, ...s }) => ({
      name,
      // one mask too large
      run: (k, kit) =>
        k.unpool(
          s,
          kit.random(s.planes * s.places),
          kit.integers(s.planes * s.places, s.size + 1),
          kit.out(s.planes * s.size),
        ),
    })),
  ),
  unpoolGradient: onHosts(
    'scatters',
    unpools.map(({ name, ...s }) => ({
      name,
      run: (k, kit) =>
        k.unpoolGradient(
          s,
          kit.random(s.planes * s.size),
          kit.integers(s.planes * s.places, s.size + 1),
          kit.out(s.planes * s.places),
        ),
    })),
  ),
  enlarge: enlarged.map(({ name, planes, height, width, factor }) => ({
    name,
    run: (k, kit) =>
      k.enlarge(
        planes,
        height,
        width,
        factor,
        kit.random(planes * height * width),
        kit.out(planes * height * width * factor ** 2),
      ),
  })),
  enlargeGradient: enlarged.map(({ name, planes, height, width, factor }) => ({
    name,
    run: (k, kit) =>
      k.enlargeGradient(
        planes,
        height,
        width,
        factor,
        kit.random(planes * height * width * factor ** 2),
        kit.out(planes * height * width),
      ),
  })),
}
