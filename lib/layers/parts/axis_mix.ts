import { type Shape, sizeOf } from '../../blob.js'
import type { Kernels, TapsShape } from '../../engine.js'
import type { Layer } from '../../layer.js'
import { Memory } from '../../memory.js'
import type { Taps } from './taps.js'

/** What becomes of one axis: for each of its new places, the old ones that it takes. */
export interface MixedAxis {
  readonly axis: number
  readonly taps: readonly Taps[]
}

/** Places up to here are whole numbers in float32, as kernels are given them. */
const MOST_PLACES = 2 ** 24

/** A table of taps as kernels take it. */
interface Table {
  readonly shape: TapsShape
  readonly from: Memory
  readonly weight: Memory
}

/** One axis after the other, forward and back. */
interface Stage {
  readonly forward: Table
  readonly backward: Table
}

/** What a layer that mixes the places of some axes keeps of them, and how it runs. */
export class AxisMix {
  static readonly uses = ['mixAxis', 'copy'] as const
  private stages: Stage[] = []
  private count = 0

  constructor(
    private readonly layer: Layer,
    private readonly nothing: number,
  ) {}

  /** Take these axes of a blob of this shape; gives the shape that it has then. */
  plan(input: Shape, mixed: readonly MixedAxis[]): number[] {
    this.dispose()
    this.count = sizeOf(input, 0)
    const shape = [...input]
    // what shrinks most comes first, and the last axis, whose values are the hardest to take, while there are few
    const growth = ({ axis, taps }: MixedAxis) => (input[axis] ? taps.length / input[axis] : 1)
    const order = mixed.filter(({ axis, taps }) => !isWhole(taps, input[axis]))
    order.sort((a, b) => growth(a) - growth(b) || b.axis - a.axis)
    for (const { axis, taps } of order) {
      const [size, out] = [shape[axis], taps.length]
      if (size > MOST_PLACES || out > MOST_PLACES)
        throw this.layer.error(`axis ${axis} has ${size} places and ${out} afterwards: it takes ${MOST_PLACES} at most`)
      const [outer, inner] = [sizeOf(shape, 0, axis), sizeOf(shape, axis + 1)]
      const forward = this.table({ outer, size, out, inner }, taps, this.nothing)
      const backward = this.table({ outer, size: out, out: size, inner }, adjoint(taps, size), 0)
      this.stages.push({ forward, backward })
      shape[axis] = out
    }
    return shape
  }

  forward(kernels: Kernels, x: Memory, y: Memory): void {
    const tables = this.stages.map(({ forward }) => forward)
    this.run(kernels, tables, x, y)
  }

  backward(kernels: Kernels, dy: Memory, dx: Memory): void {
    const tables = this.stages.map(({ backward }) => backward).reverse()
    this.run(kernels, tables, dy, dx)
  }

  dispose(): void {
    for (const { forward, backward } of this.stages)
      for (const { from, weight } of [forward, backward]) {
        from.dispose()
        weight.dispose()
      }
    this.stages = []
  }

  private run(kernels: Kernels, tables: readonly Table[], x: Memory, y: Memory): void {
    const { engine } = this.layer
    if (!tables.length) kernels.copy(this.count, x, y)
    tables.forEach(({ shape, from, weight }, i) => {
      const { outer, out, inner } = shape
      const to = i === tables.length - 1 ? y : engine.scratch(outer * out * inner, i % 2)
      kernels.mixAxis(shape, from, weight, x, to)
      x = to
    })
  }

  private table(sizes: Omit<TapsShape, 'taps' | 'nothing'>, places: readonly Taps[], nothing: number): Table {
    const taps = places.reduce((most, { length }) => Math.max(most, length), 1)
    const [from, weight] = [0, 1].map(() => new Memory(places.length * taps, this.layer.engine.heap))
    const [froms, weights] = [from.array.fill(-1), weight.array]
    places.forEach((list, j) => {
      list.forEach((tap, k) => {
        froms[j * taps + k] = tap.from
        weights[j * taps + k] = tap.weight
      })
    })
    return { shape: { ...sizes, taps, nothing }, from, weight }
  }
}

const isWhole = (taps: readonly Taps[], size: number): boolean =>
  taps.length === size && taps.every((list, i) => list.length === 1 && list[0].from === i && list[0].weight === 1)

/** For each of the old places, the new ones that took it. */
function adjoint(taps: readonly Taps[], size: number): Taps[] {
  const given: { from: number; weight: number }[][] = Array.from({ length: size }, () => [])
  taps.forEach((list, j) => {
    for (const { from, weight } of list) given[from].push({ from: j, weight })
  })
  return given
}
