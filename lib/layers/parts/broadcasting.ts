import { type Blob, type Shape, shapeText } from '../../blob.js'
import type { BroadcastOperation, BroadcastShape } from '../../engine.js'
import { Layer } from '../../layer.js'
import type { Memory } from '../../memory.js'

/** The axes that several shapes have together, compared from the last: sizes are the same, or 1, which is repeated. */
function broadcastShape(layer: Layer, blobs: readonly Blob[]): number[] {
  const axes = Math.max(...blobs.map(blob => blob.numAxes))
  return Array.from({ length: axes }, (_, axis) => {
    const sizes = blobs.map(({ shape }) => shape[axis - axes + shape.length] ?? 1)
    const size = sizes.find(size => size !== 1) ?? 1
    if (sizes.some(other => other !== 1 && other !== size))
      throw layer.error(
        `${blobs.map(({ name, shape }) => `'${name}' (${shapeText(shape)})`).join(' and ')} do not go together: axes are compared from the last, and sizes that differ must be 1 on one side`,
      )
    return size
  })
}

/** How to walk through the top and operands of these shapes; axes that all walk alike are one. */
function walkOf(top: Shape, operands: readonly Shape[]): BroadcastShape {
  const sizes: number[] = []
  const steps: number[][] = operands.map(() => [])
  const strides = operands.map(shape => top.map((_, axis) => strideOf(shape, axis - top.length + shape.length)))
  for (let axis = 0; axis < top.length; axis++) {
    if (top[axis] === 1) continue
    const last = sizes.length - 1
    const joins = last >= 0 && strides.every((stride, k) => steps[k][last] === stride[axis] * top[axis])
    if (joins) sizes[last] *= top[axis]
    else sizes.push(top[axis])
    for (let k = 0; k < operands.length; k++) {
      if (joins) steps[k][last] = strides[k][axis]
      else steps[k].push(strides[k][axis])
    }
  }
  return { sizes, steps }
}

function strideOf(shape: Shape, axis: number): number {
  if (axis < 0 || shape[axis] === 1) return 0
  return shape.slice(axis + 1).reduce((a, b) => a * b, 1)
}

/** A formula of bottoms whose axes are compared from the last: one of size 1 is repeated, and its gradient a sum. */
export abstract class BroadcastingLayer extends Layer {
  static override readonly uses = ['broadcast', 'broadcastGradient', 'copy', 'fill', 'sumMiddle'] as const
  protected abstract readonly operation: BroadcastOperation
  private walk!: BroadcastShape

  override reshape(bottom: Blob[], top: Blob[]): void {
    if (bottom.includes(top[0]))
      throw this.error(`top '${top[0].name}' may not be one of its bottoms: give it a name of its own`)
    const shape = broadcastShape(this, bottom)
    top[0].reshape(shape)
    this.walk = walkOf(
      shape,
      bottom.map(blob => blob.shape),
    )
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const xs = bottom.map(blob => blob.memory.data)
    this.kernels.broadcast(this.operation, this.walk, xs, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    const xs = bottom.map(blob => blob.memory.data)
    const { diff } = top[0].memory
    for (const k of bottom.keys()) {
      if (!propagateDown[k]) continue
      const dx = bottom[k].memory.diff
      const isWhole = bottom[k].count === top[0].count
      if (top[0].count === 0) this.kernels.fill(bottom[k].count, 0, dx)
      else if (this.operation === 'ADD') this.sumTo(k, diff, dx)
      else if (isWhole) this.kernels.broadcastGradient(this.operation, this.walk, k, xs, diff, dx)
      else {
        const slope = this.engine.scratch(top[0].count)
        this.kernels.broadcastGradient(this.operation, this.walk, k, xs, diff, slope)
        this.sumTo(k, slope, dx)
      }
    }
  }

  /** dx ← the sum of `slope`, which is as large as the top, over the axes that repeat operand k. */
  private sumTo(k: number, slope: Memory, dx: Memory): void {
    const runs = runsOf(this.walk, k)
    let from = slope
    let outer = this.walk.sizes.reduce((a, b) => a * b, 1)
    let inner = 1
    let sums = runs.filter(run => run.isRepeated).length
    if (sums === 0) this.kernels.copy(outer, slope, dx)
    for (const { size, isRepeated } of runs.reverse()) {
      outer /= size
      if (!isRepeated) inner *= size
      else {
        const to = --sums === 0 ? dx : this.engine.scratch(outer * inner, 1 + (sums % 2))
        this.kernels.sumMiddle(outer, size, inner, from, to)
        from = to
      }
    }
  }
}

/** The axes of a walk as runs that repeat an operand or do not. */
function runsOf({ sizes, steps }: BroadcastShape, k: number): { size: number; isRepeated: boolean }[] {
  const runs: { size: number; isRepeated: boolean }[] = []
  for (const [axis, size] of sizes.entries()) {
    const isRepeated = steps[k][axis] === 0
    const last = runs[runs.length - 1]
    if (last?.isRepeated === isRepeated) last.size *= size
    else runs.push({ size, isRepeated })
  }
  return runs
}
