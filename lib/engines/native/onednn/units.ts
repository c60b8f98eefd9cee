/** Operations as primitives, cut into parts that threads can take: by sizes alone, never by how many threads there are. */
import type { Memory } from '../../../memory.js'
import type { ConvolutionOp, InputGradientOp, Op, Value } from './graph.js'
import { line } from './kept.js'
import { type Handle, Refused } from './library.js'
import * as maker from './maker.js'
import { poolingOf, poolsItself } from './pooling.js'
import * as primitive from './primitives.js'
import { cutRows, plainRowsOf, type Rows, rowsOf } from './row_cuts.js'
import { plainTag } from './tags.js'
import { costByTiles, cutTiles, POINTS, piecesOf, pointStrides, productsOf, type TilePart } from './tiles.js'

type Primitive = maker.Primitive
type Extent = primitive.Extent

/** Where an argument lies: what is kept of an image, a memory of all images, prepared weights, a bias. */
export interface PlaceOfValue {
  readonly at: 'value'
  readonly value: Value
  readonly channel: number
}
export interface PlaceOfMemory {
  readonly at: 'memory'
  readonly memory: Memory
  readonly extent: Extent
  readonly channel: number
}
export type Place =
  | PlaceOfValue
  | PlaceOfMemory
  | { readonly at: 'weights'; readonly weights: Weights }
  | { readonly at: 'bias'; readonly memory: Memory; readonly first: number }

/** Weights of a part of a convolution, from value `first` on, to be put in the layout that its primitive reads. */
export interface Weights {
  readonly memory: Memory
  readonly first: number
  readonly reorder: Primitive
  readonly bytes: number
  /** Inputs and outputs, where it is the points of 3×3 filters that the primitive reads. */
  readonly points?: readonly [inputs: number, outputs: number]
}

interface Base {
  readonly args: ReadonlyMap<number, Place>
  /** Floating-point operations, about. */
  readonly work: number
}
/** A primitive with what it reads and writes. */
export interface PrimitiveUnit extends Base {
  readonly primitive: Primitive
  /** Where it reads and writes some rows only, which are copied from their value and to it. */
  readonly rows?: RowsOfUnit
}
export interface RowsOfUnit {
  readonly source: Rows
  readonly result: Rows
}
/** The engine's own pooling, by blocks and windows, with what it reads and writes. */
export interface PoolingUnit extends Base {
  readonly pooling: readonly number[]
}
/** A convolution by tiles: some of them at a time, by the primitive that multiplies their points. */
export interface TilesUnit extends Base {
  readonly op: ConvolutionOp
  readonly outputs: number
  readonly pieces: readonly { readonly tiles: TilePart['tiles']; readonly primitive: Primitive }[]
}
export type Unit = PrimitiveUnit | PoolingUnit | TilesUnit

/** Operations from which a second chunk is worth its while, and more of them: threads find each other in about 1 µs. */
const TWO = 5e5
const FOUR = 6e7
/** A value that passes costs as much as so many operations, and so does one that a window of the engine's own sees. */
const PASS = 16
const SEEN = 8
/** So does a weight, beside its own operations, where an inner product reads each of them once. */
const WEIGHT = 6
/**
 * Parts of a convolution begin with a multiple of so many outputs; of more taps than one where blocks are narrow, of
 * so many, but for the last one, which is of more than `OUTPUTS`: with fewer the code for blocks of 8 takes a quarter
 * longer, that for blocks of 16 does not.
 */
const OUTPUTS = 16
const NARROW_BLOCK = 8
const WITH_NARROW_BLOCKS = 32
/** Operations for each value that is copied, from which on a convolution of few outputs is cut by its rows. */
const COPIED = 128
/** Up to so many channels the library reads plain images. */
const FEW_CHANNELS = 4

/** Whether a part of a concat, which begins with this channel of it, lies there already. */
type IsPlaced = (part: Value, channel: number) => boolean

type Range = readonly [first: number, count: number]

const planeOf = ({ height, width }: Extent): number => height * width
const withChannels = (extent: Extent, channels: number): Extent => ({ ...extent, channels })
/** Whether the library reads the image as it is. */
const isPlainSource = ({ shape, x }: ConvolutionOp): boolean =>
  x.source !== undefined && shape.group === 1 && shape.channels <= FEW_CHANNELS
const sourceOf = (op: ConvolutionOp, channel: number): Place =>
  isPlainSource(op)
    ? { at: 'memory', memory: op.x.source!, extent: op.x.extent, channel }
    : { at: 'value', value: op.x, channel }
const textOf = (value: unknown): string => JSON.stringify(value)

/** Makes the units of operations; primitives of the same sizes are made once. */
export class Units {
  private readonly made = new Map<string, Primitive>()
  /** Weights of tiles' points are put in order once, so the layout that the first product chose is that of all. */
  private readonly pointLayouts = new Map<string, Handle>()

  /**
   * @param wholeImages operations are not cut, since threads take whole images
   * @param byTiles convolutions may go by tiles, which round differently
   */
  constructor(
    private readonly primitives: primitive.Primitives,
    private readonly wholeImages: boolean,
    private readonly byTiles: boolean,
  ) {}

  /** Throws `Refused` where the library has no fast code. `isPlaced` says which parts of a concat lie there already. */
  of(op: Op, isPlaced: IsPlaced): Unit[] {
    const { primitives } = this
    if (op.kind === 'convolution') return this.convolution(op)
    if (op.kind === 'input gradient') return this.inputGradient(op)
    if (op.kind === 'concat') return this.concat(op.parts, op.y, isPlaced)
    const { x, y } = op
    // a mean over channels needs all of them
    const isOwn = op.kind === 'pool' && poolsItself(op, this.block)
    const [own, each] = isOwn ? [y.extent, SEEN * op.window.kernel[0] * op.window.kernel[1]] : [x.extent, PASS]
    const ranges: Range[] = op.kind === 'lrn' ? [[0, x.extent.channels]] : this.cut(own, each)
    return ranges.map(([first, count]) => {
      const [from, to] = [withChannels(x.extent, count), withChannels(y.extent, count)]
      const args = new Map<number, Place>([
        [maker.SRC, { at: 'value', value: x, channel: first }],
        [maker.DST, { at: 'value', value: y, channel: first }],
      ])
      const work = count * planeOf(own) * each
      if (op.kind === 'pool') {
        const { method, window } = op
        if (isOwn) return { pooling: poolingOf(op, Math.ceil(count / this.block)), args, work }
        const key = `pool ${method} ${textOf([window, from, to])}`
        return { primitive: this.once(key, () => primitives.pool(method, from, to, window)), args, work }
      }
      if (op.kind === 'lrn') {
        const { size, alpha, beta, k } = op.shape
        const key = `lrn ${textOf([from, size, alpha, beta, k])}`
        return { primitive: this.once(key, () => primitives.lrn(from, op.shape)), args, work }
      }
      const key = `${op.kind} ${textOf([from, op.after ?? 0])}`
      if (op.kind === 'eltwise')
        return { primitive: this.once(key, () => primitives.eltwise(from, op.after)), args, work }
      args.set(maker.SECOND, { at: 'value', value: op.other, channel: first })
      return { primitive: this.once(key, () => primitives.add(from, op.after)), args, work }
    })
  }

  /** A plain memory becomes a value. */
  enter(memory: Memory, value: Value): Unit[] {
    return this.cut(value.extent).map(([channel, count]) =>
      this.moved(
        withChannels(value.extent, count),
        [true, false],
        { at: 'memory', memory, extent: value.extent, channel },
        { at: 'value', value, channel },
      ),
    )
  }

  /** And the other way. */
  leave(value: Value, memory: Memory): Unit[] {
    return this.cut(value.extent).map(([channel, count]) =>
      this.moved(
        withChannels(value.extent, count),
        [false, true],
        { at: 'value', value, channel },
        { at: 'memory', memory, extent: value.extent, channel },
      ),
    )
  }

  dispose(): void {
    for (const made of this.made.values()) this.primitives.destroy(made)
    this.made.clear()
  }

  private concat(parts: readonly Value[], y: Value, isPlaced: IsPlaced): Unit[] {
    const units: Unit[] = []
    let channel = 0
    for (const part of parts) {
      if (channel % this.block) throw new Refused('channels that begin within a block', 0)
      const [from, to]: Place[] = [
        { at: 'value', value: part, channel: 0 },
        { at: 'value', value: y, channel },
      ]
      if (!isPlaced(part, channel)) units.push(this.moved(part.extent, [false, false], from, to))
      channel += part.extent.channels
    }
    return units
  }

  private convolution(op: ConvolutionOp): Unit[] {
    const { shape } = op
    const { channels, outputs, group, kernel } = shape
    const depth = (channels / group) * kernel[0] * kernel[1]
    const plane = planeOf(op.y.extent)
    const each = 2 * plane + (op.isProduct ? WEIGHT : 0)
    const tiled = this.tiled(op)
    if (tiled) return tiled
    const rows = this.rowRanges(op, outputs * depth * each)
    if (rows.length > 1) return rows.map(range => this.rows(op, range))
    const ranges =
      group > 1
        ? this.cutGroups(shape, 2 * depth * plane)
        : this.cutOutputs(outputs, kernel[0] * kernel[1], outputs * depth * each)
    return ranges.map(([first, count]) => {
      const inputs = group > 1 ? (count / outputs) * channels : channels
      const part = { ...shape, channels: inputs, outputs: count, group: group > 1 ? (count / outputs) * group : 1 }
      const isPlain = isPlainSource(op)
      const posts = { sum: op.sum !== undefined, after: op.after }
      const key = `convolution ${isPlain} ${textOf([part, op.bias !== null, posts])}`
      const made = this.once(key, () => this.primitives.convolution(part, isPlain, op.bias !== null, posts))
      const weights = this.weights(made, key, part, op.weight, first * depth)
      const channel = group > 1 ? (first / outputs) * channels : 0
      const args = new Map<number, Place>([
        [maker.SRC, sourceOf(op, channel)],
        [maker.WEIGHTS, { at: 'weights', weights }],
        [maker.DST, { at: 'value', value: op.y, channel: first }],
      ])
      if (op.bias) args.set(maker.BIAS, { at: 'bias', memory: op.bias, first })
      return { primitive: made, args, work: count * depth * each }
    })
  }

  private tiled(op: ConvolutionOp): TilesUnit[] | undefined {
    const { shape, x, y, bias } = op
    const share = this.byTiles && !(x.source && shape.channels <= FEW_CHANNELS) ? costByTiles(op, this.block) : 1
    if (share === 1) return undefined
    const { channels, outputs } = shape
    const all = 2 * outputs * channels * 9 * planeOf(y.extent) * share
    try {
      return cutTiles(shape, this.sharesOf(all), OUTPUTS).map(({ tiles, outputs: [first, count] }) => {
        const pieces = piecesOf(tiles).map(piece => {
          const products = productsOf(channels, count, piece[1])
          const posts = { sum: false, after: undefined }
          const make = () =>
            this.primitives.convolution(products, false, false, posts, this.pointLayouts.get(textOf([channels, count])))
          const made = this.once(`tiles ${textOf(products)}`, make)
          this.pointLayouts.set(textOf([channels, count]), made.memories.get(maker.WEIGHTS)!)
          return { tiles: piece, primitive: made }
        })
        const weights = this.points(pieces[0].primitive, channels, count, op.weight, first * channels * 9)
        const args = new Map<number, Place>([
          [maker.SRC, { at: 'value', value: x, channel: 0 }],
          [maker.WEIGHTS, { at: 'weights', weights }],
          [maker.DST, { at: 'value', value: y, channel: first }],
        ])
        if (bias) args.set(maker.BIAS, { at: 'bias', memory: bias, first })
        const work = (all * tiles[1] * count) / outputs / Math.ceil(y.extent.height / 4) / Math.ceil(y.extent.width / 4)
        return { op, outputs: count, pieces, args, work }
      })
    } catch (error) {
      if (error instanceof Refused) return undefined
      throw error
    }
  }

  private points(made: Primitive, channels: number, outputs: number, memory: Memory, first: number): Weights {
    const { library } = this.primitives
    const layout = made.memories.get(maker.WEIGHTS)!
    const reorder = this.once(`points ${channels} ${outputs}`, () => {
      const sizes = primitive.weightSizes(productsOf(channels, outputs, 1))
      const plain = library.describeStrided(sizes, pointStrides(outputs))
      try {
        return this.primitives.reorder(plain, layout)
      } finally {
        library.forget(plain)
      }
    })
    return { memory, first, reorder, bytes: POINTS * line(library.bytesOf(layout)), points: [channels, outputs] }
  }

  /** Rows of the result that are parts of their own: of few outputs, with enough to do for what is copied. */
  private rowRanges(op: ConvolutionOp, work: number): Range[] {
    const { shape, x } = op
    const { outputs, group, kernel, output, pad, dilation } = shape
    // windows that see nothing but padding would be parts without a picture
    const isBlind = pad[0] > (kernel[0] - 1) * dilation[0]
    if (isBlind || group > 1 || op.isProduct || op.sum || this.block > NARROW_BLOCK || kernel[0] * kernel[1] === 1)
      return []
    if (this.cutOutputs(outputs, kernel[0] * kernel[1], work).length > 1) return []
    if (work < COPIED * (x.extent.channels * planeOf(x.extent) + outputs * planeOf(op.y.extent))) return []
    return this.ranges(output[0], this.sharesOf(work), 1)
  }

  private rows(op: ConvolutionOp, [first, count]: Range): PrimitiveUnit {
    const { x, y } = op
    const { part, row } = cutRows(op.shape, first, count)
    const posts = { sum: false, after: op.after }
    const isPlain = isPlainSource(op)
    const key = `convolution ${isPlain} ${textOf([part, op.bias !== null, posts])}`
    const made = this.once(key, () => this.primitives.convolution(part, isPlain, op.bias !== null, posts))
    const args = new Map<number, Place>([
      [maker.SRC, sourceOf(op, 0)],
      [maker.WEIGHTS, { at: 'weights', weights: this.weights(made, key, part, op.weight, 0) }],
      [maker.DST, { at: 'value', value: y, channel: 0 }],
    ])
    if (op.bias) args.set(maker.BIAS, { at: 'bias', memory: op.bias, first: 0 })
    const { channels, outputs, kernel, input, output } = part
    return {
      primitive: made,
      args,
      rows: {
        source: (isPlain ? plainRowsOf : rowsOf)(x.extent, row, input[0], this.block),
        result: rowsOf(y.extent, first, output[0], this.block),
      },
      work: 2 * outputs * channels * kernel[0] * kernel[1] * output[0] * output[1],
    }
  }

  private inputGradient(op: InputGradientOp): Unit[] {
    const { shape, x, y } = op
    const { channels, outputs, group, kernel } = shape
    const depth = (channels / group) * kernel[0] * kernel[1]
    const plane = planeOf(x.extent)
    // parts of the weights of other cuts do not lie together
    const ranges: Range[] = group > 1 ? this.cutGroups(shape, 2 * depth * plane) : [[0, outputs]]
    return ranges.map(([first, count]) => {
      const inputs = (count / outputs) * channels
      const part = { ...shape, channels: inputs, outputs: count, group: (count / outputs) * group }
      const key = textOf(part)
      const made = this.once(`input gradient ${key}`, () => this.primitives.inputGradient(part))
      const weights = this.weights(made, `input gradient ${key}`, part, op.weight, first * depth)
      const args = new Map<number, Place>([
        [maker.DIFF_DST, { at: 'value', value: x, channel: first }],
        [maker.WEIGHTS, { at: 'weights', weights }],
        [maker.DIFF_SRC, { at: 'value', value: y, channel: (first / outputs) * channels }],
      ])
      return { primitive: made, args, work: 2 * count * depth * plane }
    })
  }

  private weights(made: Primitive, key: string, part: primitive.Planar, memory: Memory, first: number): Weights {
    const { library } = this.primitives
    const layout = made.memories.get(maker.WEIGHTS)!
    const reorder = this.once(`weights ${key}`, () => {
      const sizes = primitive.weightSizes(part)
      const plain = library.describe(sizes, plainTag(sizes.length, library.isV3))
      try {
        return this.primitives.reorder(plain, layout)
      } finally {
        library.forget(plain)
      }
    })
    return { memory, first, reorder, bytes: library.bytesOf(layout) }
  }

  private moved(extent: Extent, [fromPlain, toPlain]: readonly [boolean, boolean], from: Place, to: Place): Unit {
    const { primitives } = this
    const made = this.once(`move ${fromPlain} ${toPlain} ${textOf(extent)}`, () => {
      const layouts = [primitives.describe(extent, fromPlain), primitives.describe(extent, toPlain)]
      try {
        return primitives.reorder(layouts[0], layouts[1])
      } finally {
        for (const layout of layouts) primitives.library.forget(layout)
      }
    })
    const args = new Map([
      [maker.SRC, from],
      [maker.DST, to],
    ])
    return { primitive: made, args, work: extent.channels * planeOf(extent) * PASS }
  }

  private once(key: string, make: () => Primitive): Primitive {
    let made = this.made.get(key)
    if (!made) {
      made = make()
      this.made.set(key, made)
    }
    return made
  }

  private get block(): number {
    return this.primitives.library.tags!.block
  }

  private sharesOf(work: number): number {
    if (this.wholeImages || work < TWO) return 1
    return work < FOUR ? 2 : 4
  }

  /** Ranges of channels for what passes each value by. */
  private cut(extent: Extent, each = PASS): Range[] {
    const blocks = Math.ceil(extent.channels / this.block)
    return this.ranges(
      extent.channels,
      Math.min(blocks, this.sharesOf(each * extent.channels * planeOf(extent))),
      this.block,
    )
  }

  private cutOutputs(outputs: number, taps: number, work: number): Range[] {
    const most =
      taps > 1 && this.block <= NARROW_BLOCK
        ? Math.floor((outputs + WITH_NARROW_BLOCKS - OUTPUTS - 1) / WITH_NARROW_BLOCKS)
        : Math.floor(outputs / OUTPUTS)
    return this.ranges(outputs, Math.max(1, Math.min(most, this.sharesOf(work))), OUTPUTS)
  }

  /** Ranges of outputs of whole groups, whose inputs and outputs begin with a block. */
  private cutGroups(shape: primitive.Planar, each: number): Range[] {
    const { channels, outputs, group } = shape
    const [ins, outs] = [channels / group, outputs / group]
    let step = 1
    while ((step * ins) % this.block || (step * outs) % this.block) step++
    const most = Math.max(1, Math.floor(group / step))
    const shares = Math.min(most, this.sharesOf(outputs * each))
    return this.ranges(group, shares, step).map(([first, count]) => [first * outs, count * outs])
  }

  /** 0 … n in so many ranges at most, each of which begins with a multiple of `step`. */
  private ranges(n: number, shares: number, step: number): Range[] {
    const size = Math.ceil(n / shares / step) * step
    const ranges: Range[] = []
    for (let first = 0; first < n; first += size) ranges.push([first, Math.min(size, n - first)])
    return ranges
  }
}
