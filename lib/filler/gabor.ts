/** Intel Caffe's banks of Gabor filters, which its `gabor` filler puts into the first convolution of known nets. */

/** Waves within a bell, seen through three channels. */
interface Gabor {
  /** Share of each channel. */
  readonly channels: readonly [number, number, number]
  /** The largest value. */
  readonly height: number
  /** Deviation of the bell, where the filter goes from −1 to 1. */
  readonly sigma: number
  /** Waves: how fast, where they begin, and which way they run, in radians. */
  readonly omega: number
  readonly phi: number
  readonly theta: number
}

/** Filter number `i` of a bank; `wave` is ω of one wave in two pixels. */
type Bank = (i: number, wave: number) => Partial<Gabor>

const { PI } = Math
const WHITE = [1, 1, 1] as const
const YELLOW_BLUE = [0.25, -1, 1] as const
const GREEN_VIOLET = [1, -1, 1] as const

/** A bank whose filters come in groups: each begins where the one before ends. */
const grouped =
  (groups: readonly (readonly [end: number, bank: Bank])[]): Bank =>
  (i, wave) =>
    groups.find(([end]) => i < end)![1](i, wave)

/** 32 of 5×5, for CIFAR-10. */
const cifar = grouped([
  [8, (i, wave) => ({ height: 0.5, omega: wave, theta: (i * PI) / 8 })],
  [14, (i, wave) => ({ height: 0.5, omega: wave / 2, theta: (((i - 2) % 6) * PI) / 6 + PI / 12 })],
  [16, (i, wave) => ({ height: 0.5, sigma: 0.75, omega: wave / 8, phi: (i % 2) * PI, channels: GREEN_VIOLET })],
  [20, (i, wave) => ({ ...edge(i % 4, wave), channels: WHITE })],
  [24, (i, wave) => ({ ...edge(i % 4, wave), channels: [1, 0, -1] })],
  [28, (i, wave) => ({ ...edge(i % 4, wave), channels: [-1, 1, 1] })],
  [30, (i, wave) => ({ ...edge(i % 2, wave), theta: ((i % 2) * PI) / 2 + PI / 8, channels: [-1, 1, -1] })],
  [32, (i, wave) => ({ ...edge(i % 2, wave), channels: [1, 1, 0] })],
])

/** One slope from side to side, every quarter turn. */
const edge = (turn: number, wave: number): Partial<Gabor> => ({
  height: 0.5,
  omega: wave / 4,
  phi: PI / 2,
  theta: (turn * PI) / 2 + (3 * PI) / 8,
})

/** 64 of 7×7, for GoogLeNet. */
const google = grouped([
  [
    32,
    (i, wave) => ({
      height: 1 / (1 + (i % 8) / 8),
      sigma: 0.4 + (0.2 * (i % 8)) / 8,
      omega: wave / (1 + (i % 8) / 2),
      phi: (i % 2) * PI + (3 * PI) / 8,
      theta: (Math.floor(i / 8) * PI) / 4,
    }),
  ],
  [40, (i, wave) => ({ height: 0.5, sigma: 0.45, omega: wave, phi: PI, theta: ((i % 8) * PI) / 8 })],
  [46, i => spot(Math.floor((i - 1) / 3), (i - 1) % 3, 1)],
  [48, (i, wave) => ({ ...slope(2 / 3, wave / 12), theta: (i % 8) * PI + PI / 8, channels: [1, 0.1, -0.5] })],
  [56, (i, wave) => ({ ...slope(2 / 3, wave / 12), theta: ((i % 8) * PI) / 4 + PI / 32, channels: [-0.5, 0.1, 1] })],
  [60, (i, wave) => ({ ...slope(1, wave / 12), theta: ((i % 8) * PI) / 2 + PI / 8, channels: YELLOW_BLUE })],
  [64, (i, wave) => ({ ...slope(2 / 3, wave / 12), theta: ((i % 8) * PI) / 2 + PI / 8, channels: [-1, -1, 1] })],
])

/** 96 of 11×11, for AlexNet. */
const alex = grouped([
  [
    48,
    (i, wave) => ({
      height: 1 / 3 / (1 + (i % 8) / 8),
      sigma: 0.5 + (0.2 * (i % 8)) / 8,
      omega: wave / (1 + (i % 8) / 2),
      phi: (i % 2) * PI + (3 * PI) / 8,
      theta: (Math.floor(i / 8) * PI) / 6,
    }),
  ],
  [56, i => spot(Math.floor(i / 4), i % 4, 1 / 3)],
  [60, (i, wave) => ({ ...slope(2 / 9, wave / 8, 0.75), theta: turned(i % 4, 2, 8), channels: [-1, 1, -0.5] })],
  [64, (i, wave) => ({ ...slope(1 / 9, wave / 8, 2), theta: turned(i % 4, 2, 8), channels: [1, -0.5, -0.75] })],
  [72, (i, wave) => ({ ...slope(2 / 9, wave / 4, 0.75), theta: turned(i % 8, 4, 32), channels: [1, 0.1, -0.75] })],
  [80, (i, wave) => ({ ...slope(2 / 9, wave / 12), theta: turned(i % 8, 4, 32), channels: [-0.5, 0.1, 1] })],
  [88, (i, wave) => ({ ...slope(2 / 15, wave / 8), theta: turned(i % 8, 4, 32), channels: [-1, -1, 1] })],
  [92, (i, wave) => ({ ...slope(1 / 3, wave / 16, 0.6), theta: turned(i % 4, 2, 16) })],
  [96, (i, wave) => ({ ...slope(1 / 12, wave / 4, 0.75), theta: turned(i % 8, 4, 32), channels: [-1, -1, 1] })],
])

const turned = (i: number, quarter: number, from: number): number => (i * PI) / quarter + PI / from

/** A spot in the middle, of one of several sizes, light or dark. */
const spot = (phase: number, size: number, height: number): Partial<Gabor> => ({
  height: height / (1 + size / 2),
  sigma: 1 / (2.5 - size / 2),
  omega: PI / 4,
  phi: phase * PI,
  channels: YELLOW_BLUE,
})

const slope = (height: number, omega: number, sigma = 1): Partial<Gabor> => ({ height, omega, sigma, phi: PI / 2 })

/** By number of filters and their sides. */
const banks: Readonly<Record<string, Bank>> = {
  '32×5': cifar,
  '64×7': google,
  '64×3': (i, wave) => ({ ...google(i, wave), sigma: 1 }),
  '96×11': alex,
}

/** What there are banks for: "32×5, 64×7 …", filters and their sides. */
export const gaborBanks = Object.keys(banks)

/**
 * data ← `count` filters of 3 × side × side: height · e^(−(x² + y²)/2σ²) · cos((x cos θ − y sin θ) ω + φ) in each channel's
 * share, x and y from −1 to 1.
 */
export function fillGabor(data: Float32Array, count: number, side: number): void {
  const wave = (PI * (side - 1)) / 2
  for (let i = 0, to = 0; i < count; i++) {
    const gabor = {
      channels: WHITE,
      height: 1,
      sigma: 0.6,
      omega: PI,
      phi: 0,
      theta: 0,
      ...banks[`${count}×${side}`](i, wave),
    }
    for (const share of gabor.channels)
      for (let row = 0; row < side; row++)
        for (let column = 0; column < side; column++, to++) {
          const x = (2 * column) / (side - 1) - 1
          const y = (2 * row) / (side - 1) - 1
          const bell = Math.exp(-(x * x + y * y) / (2 * gabor.sigma ** 2))
          const along = x * Math.cos(gabor.theta) - y * Math.sin(gabor.theta)
          data[to] = share * gabor.height * bell * Math.cos(along * gabor.omega + gabor.phi)
        }
  }
}
