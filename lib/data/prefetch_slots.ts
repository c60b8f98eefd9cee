import { EngineError, FormatError, NetError, RistrettoError } from '../errors.js'
import { batchBytes, batchExtent, destinationIn, type LabelKind, type Position } from './source.js'

/**
 * What the calling thread and the prefetch worker share: a ring of batches in SharedArrayBuffers, the state of each,
 * and the text of an error. The worker fills the free slots in turn, the calling thread takes the ready ones in the
 * same order; only `state` is written by both.
 */
export interface SharedSlots {
  /** Per slot WORDS int32: state, number of axes, up to 4 axis sizes, rows of truths. */
  readonly control: SharedArrayBuffer
  /** Per slot the position after its batch: item, record, epoch as float64. */
  readonly positions: SharedArrayBuffer
  /** Per slot the values, the labels, and sizes. Replaced by a larger one where items grow. */
  readonly values: SharedArrayBuffer[]
  /** UTF-8 JSON of what went wrong, its length in front. */
  readonly error: SharedArrayBuffer
}

export const SLOT = { free: 0, ready: 1, failed: 2 } as const
export const WORDS = 8
const STATE = 0
const AXES = 1
const TRUTHS = 6
const ERROR_BYTES = 16384

/** @param bytes of a batch */
export function createSlots(slots: number, bytes: number): SharedSlots {
  return {
    control: new SharedArrayBuffer(slots * WORDS * 4),
    positions: new SharedArrayBuffer(slots * 3 * 8),
    values: Array.from({ length: slots }, () => new SharedArrayBuffer(bytes)),
    error: new SharedArrayBuffer(4 + ERROR_BYTES),
  }
}

/** One side's view of the slots. */
export class SlotRing {
  readonly control: Int32Array
  private readonly positions: Float64Array
  readonly count: number

  constructor(
    readonly shared: SharedSlots,
    private readonly batchSize: number,
    private readonly kind: LabelKind,
  ) {
    this.control = new Int32Array(shared.control)
    this.positions = new Float64Array(shared.positions)
    this.count = shared.values.length
  }

  /** Index in `control` of a slot's state, for Atomics. */
  word(slot: number): number {
    return slot * WORDS + STATE
  }

  state(slot: number): number {
    return Atomics.load(this.control, this.word(slot))
  }

  setState(slot: number, state: number): void {
    Atomics.store(this.control, this.word(slot), state)
    Atomics.notify(this.control, this.word(slot))
  }

  describe(slot: number, itemShape: readonly number[], truths: number | undefined, position: Position): void {
    this.control[slot * WORDS + TRUTHS] = truths ?? 0
    const at = slot * WORDS + AXES
    this.control[at] = itemShape.length
    itemShape.forEach((size, i) => {
      this.control[at + 1 + i] = size
    })
    this.positions.set([position.item, position.record, position.epoch], slot * 3)
  }

  itemShape(slot: number): number[] {
    const at = slot * WORDS + AXES
    return Array.from(this.control.subarray(at + 1, at + 1 + this.control[at]))
  }

  /** Rows of truths that the labels are; undefined where they are one number an item. */
  truths(slot: number): number | undefined {
    return this.control[slot * WORDS + TRUTHS] || undefined
  }

  position(slot: number): Position {
    const [item, record, epoch] = this.positions.subarray(slot * 3, slot * 3 + 3)
    return { item, record, epoch }
  }

  /** Bytes that a slot must have for such items. */
  bytes(itemShape: readonly number[], truths?: number): number {
    return batchBytes(batchExtent(this.kind, this.batchSize, itemShape, truths))
  }

  /** The arrays of a slot, or undefined where it is too small for such items. */
  arrays(slot: number, itemShape: readonly number[], truths?: number): ReturnType<typeof destinationIn> | undefined {
    const buffer = this.shared.values[slot]
    if (buffer.byteLength < this.bytes(itemShape, truths)) return undefined
    return destinationIn(buffer, batchExtent(this.kind, this.batchSize, itemShape, truths))
  }

  writeError(error: unknown): void {
    const { name, message } = error instanceof Error ? error : new Error(String(error))
    const text = new TextEncoder().encode(JSON.stringify({ name, message: message.slice(0, ERROR_BYTES / 8) }))
    new Int32Array(this.shared.error, 0, 1)[0] = text.length
    new Uint8Array(this.shared.error, 4).set(text)
  }

  readError(): Error {
    const length = new Int32Array(this.shared.error, 0, 1)[0]
    // TextDecoder takes no shared memory
    const text = new TextDecoder().decode(new Uint8Array(this.shared.error, 4, length).slice())
    const { name, message } = JSON.parse(text) as { name: string; message: string }
    const types: Record<string, new (message: string) => Error> = { FormatError, NetError, EngineError, RistrettoError }
    return new (types[name] ?? Error)(message)
  }
}
