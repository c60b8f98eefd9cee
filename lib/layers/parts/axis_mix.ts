import { type Shape, sizeOf } from '../../blob.js'
import type { Kernels, TapsShape } from '../../engine.js'
import type { Layer } from '../../layer.js'
import { Memory } from '../../memory.js'

/** The places along an axis that one of its new places takes, and how much of each. */
export type Taps = readonly { readonly from: number; readonly weight: number }[]

/** What becomes of one axis: each of its new places takes some old ones, `most` at most. */
export interface MixedAxis {
  readonly axis: number
  readonly out: number
  readonly most: number
  readonly taps: (place: number) => Taps
}

/** Places up to here are whole numbers in float32, as kernels are given them. */
const MOST_PLACES = 2 ** 24
/** Entries of a table. */
const MOST_ENTRIES = 2 ** 26

/** Refuse an axis whose table would be too long, before it is made. */
export function checkPlaces(layer: Layer, axis: number, places: number): void {
  if (!(places <= MOST_PLACES))
    throw layer.error(`axis ${axis} has ${places} places: of axes that it changes there are ${MOST_PLACES} at most`)
}

/** A table of taps as kernels take it: `taps` entries for each place, −1 where there are fewer. */
interface Table {
  readonly taps: number
  readonly from: Memory
  readonly weight: Memory
}

/** One axis after the other, forward and back. */
interface Stage extends MixedAxis {
  readonly outer: number
  readonly size: number
  readonly inner: number
  readonly forward: Table
  /** Made when it is first asked for. */
  backward?: Table
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
    const growth = ({ axis, out }: MixedAxis) => (input[axis] ? out / input[axis] : 1)
    for (const { axis, out } of mixed) for (const places of [input[axis], out]) checkPlaces(this.layer, axis, places)
    const order = mixed.filter(one => !isWhole(one, input[one.axis]))
    order.sort((a, b) => growth(a) - growth(b) || b.axis - a.axis)
    for (const one of order) {
      const { axis, out, most, taps } = one
      const [outer, size, inner] = [sizeOf(shape, 0, axis), shape[axis], sizeOf(shape, axis + 1)]
      const forward = this.table(out, most)
      const write = writer(forward)
      for (let place = 0; place < out; place++)
        taps(place).forEach(({ from, weight }, k) => {
          write(place, k, from, weight)
        })
      this.stages.push({ ...one, outer, size, inner, forward })
      shape[axis] = out
    }
    return shape
  }

  forward(kernels: Kernels, x: Memory, y: Memory): void {
    const calls = this.stages.map(({ outer, size, out, inner, forward }): Call => {
      const shape = { outer, size, out, inner, taps: forward.taps, nothing: this.nothing }
      return { shape, table: forward }
    })
    this.run(kernels, calls, x, y)
  }

  backward(kernels: Kernels, dy: Memory, dx: Memory): void {
    const calls = this.stages.map((stage): Call => {
      const { outer, size, out, inner } = stage
      stage.backward ??= this.adjoint(stage)
      const shape = { outer, size: out, out: size, inner, taps: stage.backward.taps, nothing: 0 }
      return { shape, table: stage.backward }
    })
    this.run(kernels, calls.reverse(), dy, dx)
  }

  dispose(): void {
    for (const { forward, backward } of this.stages)
      for (const memory of [forward.from, forward.weight, backward?.from, backward?.weight]) memory?.dispose()
    this.stages = []
  }

  private run(kernels: Kernels, calls: readonly Call[], x: Memory, y: Memory): void {
    const { engine } = this.layer
    if (!calls.length) kernels.copy(this.count, x, y)
    calls.forEach(({ shape, table }, i) => {
      const { outer, out, inner } = shape
      const to = i === calls.length - 1 ? y : engine.scratch(outer * out * inner, i % 2)
      kernels.mixAxis(shape, table.from, table.weight, x, to)
      x = to
    })
  }

  private table(places: number, taps: number): Table {
    if (places * taps > MOST_ENTRIES)
      throw this.layer.error(`${places} places would take ${taps} others each, ${MOST_ENTRIES} in all at most`)
    const [from, weight] = [0, 1].map(() => new Memory(places * taps, this.layer.engine.heap))
    from.array.fill(-1)
    return { taps, from, weight }
  }

  /** For each of the old places, the new ones that took it. */
  private adjoint({ size, out, taps }: Stage): Table {
    const counts = new Int32Array(size)
    for (let place = 0; place < out; place++) for (const { from } of taps(place)) counts[from]++
    const table = this.table(
      size,
      counts.reduce((a, b) => Math.max(a, b), 1),
    )
    counts.fill(0)
    const write = writer(table)
    for (let place = 0; place < out; place++)
      for (const { from, weight } of taps(place)) write(from, counts[from]++, place, weight)
    return table
  }
}

interface Call {
  readonly shape: TapsShape
  readonly table: Table
}

/** Writes what place takes as its k-th. */
function writer({ taps, from, weight }: Table): (place: number, k: number, which: number, share: number) => void {
  const [places, shares] = [from.array, weight.array]
  return (place, k, which, share) => {
    places[place * taps + k] = which
    shares[place * taps + k] = share
  }
}

function isWhole({ out, taps }: MixedAxis, size: number): boolean {
  if (out !== size) return false
  for (let place = 0; place < size; place++) {
    const list = taps(place)
    if (list.length !== 1 || list[0].from !== place || list[0].weight !== 1) return false
  }
  return true
}
