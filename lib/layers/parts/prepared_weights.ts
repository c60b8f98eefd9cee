import type { ConvolutionShape, PreparedConvolutions } from '../../engine.js'
import { type Heap, Memory } from '../../memory.js'

/**
 * The weights of a convolution in the form that its kernel wants, made at the first pass and whenever they may have
 * changed. Weights that can be written at any time, since somebody has had their array, are not kept: passes with them
 * are as in any net. So are passes for whose weights there is no room.
 */
export class PreparedWeights {
  private prepared: Memory
  private shape: ConvolutionShape | undefined
  private source: Memory | undefined
  private revision = Number.NaN
  private refused = false
  private fits = false

  constructor(
    private readonly kernels: PreparedConvolutions,
    heap: Heap,
  ) {
    this.prepared = new Memory(0, heap)
  }

  /** The convolution has these sizes from now on. */
  reshape(shape: ConvolutionShape): void {
    this.shape = shape
    const length = this.kernels.length(shape)
    if (length !== this.prepared.length) this.drop(length)
  }

  /** Use no more than `room` bytes beside what is taken already; returns how many of them will be. */
  limit(room: number): number {
    const bytes = this.prepared.isAllocated ? 0 : 4 * this.prepared.length
    this.fits = bytes <= room
    return this.fits ? bytes : 0
  }

  /** `weight` in that form, or undefined if it is to be used as it is. */
  of(weight: Memory): Memory | undefined {
    const { prepared } = this
    if (prepared.length === 0 || !this.fits) return undefined
    const { revision } = weight
    if (weight === this.source && revision === this.revision) return prepared
    this.refused = Number.isNaN(revision)
    if (this.refused) {
      if (prepared.isAllocated) this.drop(prepared.length)
      return undefined
    }
    this.kernels.prepare(this.shape!, weight, prepared)
    this.source = weight
    this.revision = revision
    return prepared
  }

  /** Whether passes take them, as far as the last one tells. */
  get isUsed(): boolean {
    return this.prepared.length > 0 && this.fits && !this.refused
  }

  memories(): Memory[] {
    return this.isUsed ? [this.prepared] : []
  }

  dispose(): void {
    this.prepared.dispose()
  }

  private drop(length: number): void {
    this.prepared.dispose()
    this.prepared = new Memory(length, this.prepared.home)
    this.source = undefined
  }
}
