import type { After, Kernels } from '../../engine.js'
import type { Memory } from '../../memory.js'
import { dims, type KernelCase, type KernelCases, type Kit, onHosts, withAfter } from './kit.js'

/** outer × channels × inner: one on every engine, the others on hosts. */
const sizes = '1×1×1 5×37×1 700×66×1 1×1×50001 9×1×5003 2×3×20001 40×31×49 3×2×16384'.split(' ')
const statistics = '1×1×1 5×37×1 2×3×5001 4×64×49'.split(' ')

const measure = (size: string) => {
  const [outer, channels, inner] = dims(size)
  return { outer, channels, inner, n: outer * channels * inner }
}
type Make = (shape: ReturnType<typeof measure>) => KernelCase['run']
const cases = (over: readonly string[], make: Make, note = ''): KernelCase[] =>
  over.map(size => ({ name: `${size}${note}`, run: make(measure(size)) }))
const both = (over: readonly string[], make: Make): KernelCase[] => [
  ...cases(['3×5×7', '3×35×1'], make),
  ...onHosts('large', cases(over, make)),
]
const inPlace = (over: readonly string[], make: Make): KernelCase[] =>
  onHosts('in place', cases(['3×5×7', ...over], make, ', in place'))

const scaled =
  (biased: boolean): Make =>
  ({ outer, channels, inner, n }) =>
  (k, kit) => {
    const [factor, bias] = [kit.random(channels), biased ? kit.random(channels) : null]
    k.scaleChannels(outer, channels, inner, kit.random(n), factor, bias, kit.out(n))
  }
const scaledInPlace =
  (biased: boolean, after?: After): Make =>
  ({ outer, channels, inner, n }) =>
  (k, kit) => {
    const [factor, bias] = [kit.random(channels), biased ? kit.random(channels) : null]
    const y = kit.out(kit.random(n))
    k.scaleChannels(outer, channels, inner, y, factor, bias, y, after)
  }
/** ±3.4e38 by turns and by halves: sums that float32 can hold only at their end. */
const huge = (kit: Kit, n: number) => {
  const x = kit.random(n)
  for (let i = 0; i < n; i++) x.array[i] = i % 6 < 3 ? 3.4e38 : -3.4e38
  return x
}
/** What kernels are given after one another, as MVN and BatchNorm do it. */
const measured = (kit: Kit, k: Kernels, s: ReturnType<typeof measure>, x: Memory): [Memory, Memory] => {
  const [mean, variance, deviation] = [
    kit.values(...Array(s.channels).fill(0)),
    kit.positive(s.channels),
    kit.positive(s.channels),
  ]
  k.channelStatistics(s.outer, s.channels, s.inner, x, mean, variance)
  k.deviations(s.channels, 1e-5, 0, variance, deviation)
  return [mean, deviation]
}
const hugeCases = (make: Make): KernelCase[] =>
  onHosts('large', cases(['3×5×7', '3×35×1', '2×3×5001', '5×37×1'], make, ', ±3.4e38'))
const scaleSizes = '1×1×1 5×37×1 2×3×20001'.split(' ')
const named = (list: KernelCase[], note: string) => list.map(c => ({ ...c, name: `${c.name}${note}` }))

/** Slopes, factors and statistics, one a channel. */
export const channels: KernelCases = {
  prelu: [
    ...both(sizes, s => (k, kit) => {
      k.prelu(s.outer, s.channels, s.inner, kit.random(s.n), kit.random(s.channels), kit.out(s.n))
    }),
    ...inPlace(sizes, s => (k, kit) => {
      const [x, slope] = [kit.random(s.n), kit.random(s.channels)]
      k.prelu(s.outer, s.channels, s.inner, x, slope, kit.out(x))
    }),
  ],
  preluGradient: [
    ...both(sizes, s => (k, kit) => {
      const [x, slope, dy] = [kit.random(s.n), kit.random(s.channels), kit.random(s.n)]
      k.preluGradient(s.outer, s.channels, s.inner, x, slope, dy, kit.out(s.n))
    }),
    ...inPlace(sizes, s => (k, kit) => {
      const [x, slope, dy] = [kit.random(s.n), kit.random(s.channels), kit.random(s.n)]
      k.preluGradient(s.outer, s.channels, s.inner, x, slope, dy, kit.out(dy))
    }),
  ],
  preluSlopeGradient: [
    ...hugeCases(s => (k, kit) => {
      const x = kit.random(s.n)
      k.preluSlopeGradient(s.outer, s.channels, s.inner, x, huge(kit, s.n), kit.out(kit.random(s.channels)))
    }),
    ...both(sizes, s => (k, kit) => {
      const [x, dy, dslope] = [kit.random(s.n), kit.random(s.n), kit.random(s.channels)]
      k.preluSlopeGradient(s.outer, s.channels, s.inner, x, dy, kit.out(dslope))
    }),
    ...onHosts(
      'not finite',
      cases(
        ['3×5×7', ...sizes],
        s => (k, kit) => {
          const [x, dy, dslope] = [kit.random(s.n), kit.random(s.n), kit.random(s.channels)]
          // where x is positive or NaN, dy does not count
          for (let i = 0; i < s.n; i += 3) {
            x.array[i] = i % 2 ? 1 : Number.NaN
            dy.array[i] = i % 4 < 2 ? Number.NaN : Infinity
          }
          k.preluSlopeGradient(s.outer, s.channels, s.inner, x, dy, kit.out(dslope))
        },
        ', NaN and ∞',
      ),
    ),
  ],
  scaleChannels: [
    ...named(both(scaleSizes, scaled(true)), ', bias'),
    ...both(scaleSizes, scaled(false)),
    ...named(inPlace(scaleSizes, scaledInPlace(true)), ', bias'),
    ...inPlace(scaleSizes, scaledInPlace(false)),
    ...withAfter(after => [
      ...named(inPlace(scaleSizes, scaledInPlace(true, after)), ', bias'),
      ...inPlace(scaleSizes, scaledInPlace(false, after)),
    ]),
  ],
  scaleGradient: [
    ...hugeCases(s => (k, kit) => {
      const dy = kit.random(s.n)
      for (let i = 0; i < s.n; i++) dy.array[i] = i % 2 ? 1 : 0.5
      k.scaleGradient(s.outer, s.channels, s.inner, huge(kit, s.n), dy, kit.out(kit.random(s.channels)))
    }),
    ...both([...new Set([...sizes, ...statistics])], s => (k, kit) => {
      const [x, dy, dfactor] = [kit.random(s.n), kit.random(s.n), kit.random(s.channels)]
      k.scaleGradient(s.outer, s.channels, s.inner, x, dy, kit.out(dfactor))
    }),
  ],
  channelStatistics: [
    ...hugeCases(s => (k, kit) => {
      k.channelStatistics(s.outer, s.channels, s.inner, huge(kit, s.n), kit.out(s.channels), kit.out(s.channels))
    }),
    ...both(statistics, s => (k, kit) => {
      k.channelStatistics(s.outer, s.channels, s.inner, kit.random(s.n), kit.out(s.channels), kit.out(s.channels))
    }),
    ...onHosts(
      'large',
      cases(
        ['3×5×7', ...statistics],
        s => (k, kit) => {
          const x = kit.random(s.n)
          for (let i = 0; i < s.n; i++) x.array[i] += 5000
          k.channelStatistics(s.outer, s.channels, s.inner, x, kit.out(s.channels), kit.out(s.channels))
        },
        ', far from 0',
      ),
    ),
  ],
  movingStatistics: [2.5, 0].map(factor => ({
    name: `5, factor ${factor}`,
    run: (k, kit) => k.movingStatistics(5, kit.random(5), kit.positive(5), kit.values(factor), kit.out(5), kit.out(5)),
  })),
  deviations: [{ name: '5', run: (k, kit) => k.deviations(5, 1e-5, 0.1, kit.positive(5), kit.out(5)) }],
  normalizeChannels: [
    ...hugeCases(s => (k, kit) => {
      const x = huge(kit, s.n)
      const [mean, deviation] = measured(kit, k, s, x)
      k.normalizeChannels(s.outer, s.channels, s.inner, x, mean, deviation, kit.out(s.n))
    }),
    ...both(statistics, normalize(false)),
    ...inPlace(statistics, normalize(true)),
    ...withAfter(after => [
      ...both(statistics, normalize(false, after)),
      ...inPlace(statistics, normalize(true, after)),
    ]),
  ],
  normalizeChannelsGradient: [
    ...hugeCases(s => (k, kit) => {
      const x = huge(kit, s.n)
      const [mean, deviation] = measured(kit, k, s, x)
      k.normalizeChannelsGradient(s.outer, s.channels, s.inner, x, mean, deviation, kit.random(s.n), kit.out(s.n))
    }),
    // large, but not so large that nothing is left
    ...hugeCases(s => (k, kit) => {
      const x = kit.random(s.n, 1e18)
      const [mean, deviation] = measured(kit, k, s, x)
      k.normalizeChannelsGradient(s.outer, s.channels, s.inner, x, mean, deviation, kit.random(s.n), kit.out(s.n))
    }).map(c => ({ ...c, name: c.name.replace('3.4e38', '1e18') })),
    ...both(statistics, normalizeGradient(false)),
    ...inPlace(statistics, normalizeGradient(true)),
  ],
}

function normalize(onItself: boolean, after?: After): Make {
  return s => (k, kit) => {
    const [x, mean, deviation] = [kit.random(s.n), kit.random(s.channels), kit.positive(s.channels)]
    k.normalizeChannels(s.outer, s.channels, s.inner, x, mean, deviation, kit.out(onItself ? x : s.n), after)
  }
}

function normalizeGradient(onItself: boolean): Make {
  return s => (k, kit) => {
    const [x, mean, deviation] = [kit.random(s.n), kit.random(s.channels), kit.positive(s.channels)]
    const dy = kit.random(s.n)
    k.normalizeChannelsGradient(s.outer, s.channels, s.inner, x, mean, deviation, dy, kit.out(onItself ? dy : s.n))
  }
}
