import type { AxisKernels, CropShape, Reduction } from '../../../engine.js'
import type { Memory } from '../../../memory.js'
import { type Bounds, count, need, product, refuse } from '../../bounds.js'
import { isSize } from '../../kernel_limits.js'
import type { ElementwiseExports } from './elementwise.js'
import { bindDirect, type DirectExports } from './kit.js'

/** In the order of kernels/wasm/axes.ts. */
const reductions: readonly Reduction[] = ['SUM', 'ASUM', 'SUMSQ']

const direct = ['gatherRows', 'scatterRows', 'sumMiddle'] as const

/** What the module exports for them. */
export interface AxesExports extends DirectExports<typeof direct> {
  /** `depth` rows an item in `index` and `value`, either of which may be 0. */
  argMax(
    outer: number,
    size: number,
    inner: number,
    topK: number,
    depth: number,
    x: number,
    index: number,
    value: number,
  ): void
  /** Axis d, below 16, of the next permute: its size, and how far apart its values are in x and in y. */
  permuteAxis(d: number, size: number, from: number, to: number): void
  /**
   * `axes` of y, but not its last, of `length` values that are `step` apart in x, and not the last of x, of `width`
   * values that are `column` apart in y.
   */
  permute(axes: number, length: number, step: number, width: number, column: number, x: number, y: number): void
  /** `operation` is the index of the reduction. */
  reduce(operation: number, outer: number, inner: number, coefficient: number, x: number, y: number): void
  reduceGradient(
    operation: number,
    outer: number,
    inner: number,
    coefficient: number,
    x: number,
    dy: number,
    dx: number,
  ): void
}

/** Axes that kernels/wasm/permute.ts has room for, beside the last of x and of y. */
const MOST_AXES = 16

/** Axes of y with their sizes and steps in x and y: those of size 1 left out, those that stay together made one. */
function joinedAxes(shape: readonly number[], order: readonly number[]): { size: number; from: number; to: number }[] {
  const axes: { size: number; from: number; to: number }[] = []
  for (let i = order.length - 1, to = 1; i >= 0; i--) {
    const size = shape[order[i]]
    const from = product(shape.slice(order[i] + 1))
    const inner = axes[0]
    if (inner && from === inner.size * inner.from) inner.size *= size
    else if (size !== 1) axes.unshift({ size, from, to })
    to *= size
  }
  return axes
}

/**
 * Visits the blocks that a crop is made of, two axes each: rows, width, where it starts in the whole and in the part
 * (bytes).
 */
function eachBlock(
  { input, output, offset }: CropShape,
  visit: (rows: number, width: number, whole: number, wholeStride: number, part: number) => void,
): void {
  const w = input.length - 1
  const [rows, firstRow, allRows] = w > 0 ? [output[w - 1], offset[w - 1], input[w - 1]] : [1, 0, 1]
  const blocks = output.slice(0, Math.max(0, w - 1)).reduce((a, b) => a * b, 1)
  for (let b = 0; b < blocks; b++) {
    // b counts through the leading axes of the part
    let place = 0
    for (let axis = 0, rest = blocks, left = b; axis < w - 1; axis++) {
      rest /= output[axis]
      place = place * input[axis] + offset[axis] + Math.floor(left / rest)
      left %= rest
    }
    visit(
      rows,
      output[w],
      4 * ((place * allRows + firstRow) * input[w] + offset[w]),
      input[w],
      4 * b * rows * output[w],
    )
  }
}

/** These kernels of the contract as calls of the module. */
export function bindAxes(
  wasm: AxesExports & Pick<ElementwiseExports, 'copy' | 'copyRows' | 'fill'>,
  plain: AxisKernels,
) {
  return {
    ...bindDirect(wasm, direct),
    argMax(s, x, y) {
      const { outer, size, inner, topK, output } = s
      // the module counts places in float32
      if (size >= 2 ** 24) return plain.argMax(s, x, y)
      const both = output === 'both'
      const index = output === 'value' ? 0 : y.pointer
      const value = both ? y.pointer + 4 * topK * inner : output === 'value' ? y.pointer : 0
      wasm.argMax(outer, size, inner, topK, both ? 2 * topK : topK, x.pointer, index, value)
    },
    permute(shape, order, x, y) {
      const axes = product(shape) === 0 ? [] : joinedAxes(shape, order)
      if (axes.length > MOST_AXES) return plain.permute(shape, order, x, y)
      if (axes.length < 2) return wasm.copy(product(shape), x.pointer, y.pointer)
      const [px, py] = [x.pointer, y.pointer]
      const last = axes.pop()!
      // where the last axis stays there is nothing to turn
      const [first] =
        last.from === 1
          ? []
          : axes.splice(
              axes.findIndex(axis => axis.from === 1),
              1,
            )
      axes.forEach(({ size, from, to }, d) => wasm.permuteAxis(d, size, from, to))
      wasm.permute(axes.length, last.size, last.from, first?.size ?? 1, first?.to ?? 0, px, py)
    },
    reduce(operation, outer, inner, coefficient, x, y) {
      wasm.reduce(reductions.indexOf(operation), outer, inner, coefficient, x.pointer, y.pointer)
    },
    reduceGradient(operation, outer, inner, coefficient, x, dy, dx) {
      // a sum does not need x, so it is not asked for: on a device that would be a transfer
      const px = operation === 'SUM' ? 0 : x.pointer
      wasm.reduceGradient(reductions.indexOf(operation), outer, inner, coefficient, px, dy.pointer, dx.pointer)
    },
    crop(s, x, y) {
      eachBlock(s, (rows, width, whole, wholeStride, part) =>
        wasm.copyRows(rows, width, x.pointer + whole, wholeStride, y.pointer + part, width),
      )
    },
    cropGradient(s, dy, dx) {
      wasm.fill(dx.length, 0, dx.pointer)
      eachBlock(s, (rows, width, whole, wholeStride, part) =>
        wasm.copyRows(rows, width, dy.pointer + part, width, dx.pointer + whole, wholeStride),
      )
    },
  } satisfies AxisKernels
}

function cropped({ input, output, offset }: CropShape, whole: Memory, part: Memory): void {
  for (let i = 0; i < input.length; i++) {
    if (!(isSize(offset[i]) && isSize(output[i]) && offset[i] + output[i] <= input[i]))
      refuse(`${output[i]} values from ${offset[i]} on are not within the ${input[i]} of axis ${i}`)
  }
  need(whole, product(input))
  need(part, product(output))
}

/** What stands before these kernels. */
export const axesBounds = {
  gatherRows(rows, width, table, index, from, y) {
    need(index, count(rows))
    need(from, count(table, width))
    need(y, count(rows, width))
  },
  scatterRows(rows, width, table, index, dy, dtable) {
    need(index, count(rows))
    need(dy, count(rows, width))
    need(dtable, count(table, width))
  },
  argMax({ outer, size, inner, topK, output }, x, y) {
    if (!(topK >= 1 && topK <= size)) refuse(`the ${topK} largest of ${size} values are not there`)
    need(x, count(outer, size, inner))
    need(y, count(outer, topK, inner, output === 'both' ? 2 : 1))
  },
  reduce(_operation, outer, inner, _coefficient, x, y) {
    need(x, count(outer, inner))
    need(y, outer)
  },
  reduceGradient(operation, outer, inner, _coefficient, x, dy, dx) {
    if (operation !== 'SUM') need(x, count(outer, inner))
    need(dy, outer)
    need(dx, count(outer, inner))
  },
  sumMiddle(outer, middle, inner, x, y) {
    need(x, count(outer, middle, inner))
    need(y, count(outer, inner))
  },
  permute(shape, order, x, y) {
    if (
      !order.every((axis, i) => isSize(axis) && axis < shape.length && order.indexOf(axis) === i && isSize(shape[axis]))
    )
      refuse(`${order} is no order of the axes of ${shape.join('×')}`)
    need(x, count(product(shape)))
    need(y, order.length === shape.length ? product(shape) : Infinity)
  },
  crop: cropped,
  cropGradient: (s, dy, dx) => cropped(s, dx, dy),
} satisfies Partial<Bounds>
