import type { Blob } from '../blob.js'
import type { AxisReductionShape } from '../engine.js'
import { type Count, Layer } from '../layer.js'
import type { Memory } from '../memory.js'
import { withDefaults } from '../proto/message.js'
import { axisOf } from './parts/axis.js'

/** A sum, mean, largest value or the like over any axes, which disappear or keep the size 1. */
export class ReduceLayer extends Layer {
  static override readonly param = ['reduce_param'] as const
  static override readonly uses = ['permute', 'reduceAxis', 'reduceAxisGradient'] as const
  override readonly bottomCount: Count = { exactly: 1 }
  override readonly topCount: Count = { exactly: 1 }
  private readonly p = withDefaults('ReduceParameter', this.param.reduce_param)
  private readonly isPlace = this.p.operation === 'ARGMAX' || this.p.operation === 'ARGMIN'
  override readonly passesGradient = !this.isPlace
  private shape!: AxisReductionShape
  /** Where other axes lie between those that are reduced: the bottom's sizes, and its axes with those last. */
  private turned: { sizes: readonly number[]; order: readonly number[] } | undefined

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const { shape } = bottom[0]
    const axes = this.p.axis.map(axis => axisOf(this, bottom[0], axis))
    const isReduced = (axis: number): boolean => !axes.length || axes.includes(axis)
    const { operation, last } = this.p
    if (this.isPlace && axes.length !== 1)
      throw this.error(`operation: ${operation} looks along one axis, axis is given ${axes.length} times`)
    const kept = shape.map((size, axis) => (isReduced(axis) ? 1 : size))
    top[0].reshape(this.p.keep_dims ? kept : kept.filter((_, axis) => !isReduced(axis)))
    const size = shape.filter((_, axis) => isReduced(axis)).reduce((a, b) => a * b, 1)
    if (size < 1 && top[0].count && operation !== 'SUM')
      throw this.error(`'${bottom[0].name}' has no values along the axes of operation: ${operation}`)

    const runs = runsOf(shape, isReduced)
    const places = [...runs.keys()].filter(i => runs[i].isReduced)
    const inner = places.length === 1 ? product(runs.slice(places[0] + 1).map(run => run.size)) : 1
    this.shape = { operation, outer: inner ? top[0].count / inner : 0, size, inner, last }
    this.turned = undefined
    if (places.length > 1)
      this.turned = {
        sizes: runs.map(run => run.size),
        order: [...[...runs.keys()].filter(i => !runs[i].isReduced), ...places],
      }
  }

  override allowsForceBackward(): boolean {
    return this.passesGradient
  }

  override forward([bottom]: Blob[], [top]: Blob[]): void {
    this.kernels.reduceAxis(this.shape, this.together(bottom), top.memory.data)
  }

  override backward([top]: Blob[], propagateDown: boolean[], [bottom]: Blob[]): void {
    if (!propagateDown[0]) return
    if (this.isPlace) throw this.error(`operation: ${this.p.operation} has no gradient`)
    const { kernels, shape, turned } = this
    const { data: y, diff: dy } = top.memory
    const dx = turned ? this.engine.scratch(bottom.count, 1) : bottom.memory.diff
    kernels.reduceAxisGradient(shape, this.together(bottom), y, dy, dx)
    if (!turned) return
    const { sizes, order } = turned
    const back = order.map((_, axis) => order.indexOf(axis))
    kernels.permute(
      order.map(axis => sizes[axis]),
      back,
      dx,
      bottom.memory.diff,
    )
  }

  /** The bottom's values, with those that are reduced together. */
  private together(bottom: Blob): Memory {
    if (!this.turned) return bottom.memory.data
    const x = this.engine.scratch(bottom.count)
    this.kernels.permute(this.turned.sizes, this.turned.order, bottom.memory.data, x)
    return x
  }
}

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1)

/** Neighbouring axes that are all reduced, or all not, as one; those of size 1 are none. */
function runsOf(
  shape: readonly number[],
  isReduced: (axis: number) => boolean,
): { size: number; isReduced: boolean }[] {
  const runs: { size: number; isReduced: boolean }[] = []
  for (const [axis, size] of shape.entries()) {
    const last = runs[runs.length - 1]
    if (size === 1) continue
    if (last?.isReduced === isReduced(axis)) last.size *= size
    else runs.push({ size, isReduced: isReduced(axis) })
  }
  return runs
}
