import type { Blob, Shape } from '../../blob.js'
import { type Count, Layer } from '../../layer.js'
import { AxisMix, type MixedAxis } from './axis_mix.js'
import type { Places } from './places.js'

/** A layer whose top holds values of its bottom, each any number of times, axis by axis. */
export abstract class PlacesLayer extends Layer {
  static override readonly uses = AxisMix.uses
  static override readonly onlyKernels = true
  override readonly bottomCount: Count = { exactly: 1 }
  override readonly topCount: Count = { exactly: 1 }
  private mix?: AxisMix

  /** What stands where no value of the bottom does. */
  protected get nothing(): number {
    return 0
  }
  /** The place of the bottom that each place of the top takes, along every axis. */
  protected abstract placesOf(bottom: Blob): Places
  /** The shape of the top, where it is not one size for each axis of the places. */
  protected topShape(bottom: Blob, places: Places): Shape {
    return places.map((table, axis) => table?.length ?? bottom.dim(axis))
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const places = this.placesOf(bottom[0])
    this.mix ??= new AxisMix(this, this.nothing)
    const mixed = places.flatMap((table, axis) => (table ? [taken(axis, table)] : []))
    this.mix.plan(bottom[0].shape, mixed)
    top[0].reshape(this.topShape(bottom[0], places))
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    this.mix?.forward(this.kernels, bottom[0].memory.data, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (propagateDown[0]) this.mix?.backward(this.kernels, top[0].memory.diff, bottom[0].memory.diff)
  }

  override dispose(): void {
    this.mix?.dispose()
  }
}

const taken = (axis: number, table: readonly number[]): MixedAxis => ({
  axis,
  out: table.length,
  most: 1,
  taps: place => (table[place] < 0 ? [] : [{ from: table[place], weight: 1 }]),
})
