import type { NdArray } from 'ndarray'
import { RistrettoError } from './errors.js'
import { type Heap, Memory } from './memory.js'
import { mustTake, whatIs } from './system/arguments.js'
import { fixFields } from './system/fixed.js'
import { INSPECT, ndarrayOf, valuesText } from './system/ndarrays.js'

/** Axis sizes, outermost first: [N, C, H, W] for images, [N, D] for vectors, [] for a single value. */
export type Shape = readonly number[]

const MAX_AXES = 32
const MAX_COUNT = 2 ** 31 - 1

/** Product of the sizes from axis `from` up to, not including, axis `to`. */
export function sizeOf(shape: Shape, from = 0, to = shape.length): number {
  let count = 1
  for (let i = from; i < to; i++) count *= shape[i]
  return count
}

/** "2×3×4 (24)", as Caffe's logs print shapes. */
export function shapeText(shape: Shape): string {
  return shape.length ? shape.join('×') : 'a single value'
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i])
}

function mustBeBlob(other: unknown): void {
  if (!(other instanceof Blob)) throw new RistrettoError(`this takes another Blob, not ${whatIs(other)}`)
}

/** A shape of more values than a blob can have. */
export class TooManyValuesError extends RistrettoError {
  /** Which part of them a blob can have. */
  readonly share: number

  constructor(message: string, count: number) {
    super(message)
    this.share = MAX_COUNT / count
  }
}

function checkShape(shape: Shape, name: string): number {
  const where = name ? ` of blob '${name}'` : ''
  if (shape.length > MAX_AXES)
    throw new RistrettoError(`the shape${where} has ${shape.length} axes, at most ${MAX_AXES} are allowed`)
  let count = 1
  let largest = 1
  for (const size of shape) {
    if (!Number.isInteger(size) || size < 0)
      throw new RistrettoError(`the shape${where} [${shape.join(', ')}] holds ${size}, which is no size`)
    count *= size
    if (size > 0) largest *= size
  }
  // an axis of size 0 makes no values, but loops over the other axes are as long as ever
  if (largest > MAX_COUNT)
    throw new TooManyValuesError(
      `the shape${where} [${shape.join(', ')}] has ${count || `0 times ${largest}`} values, at most ${MAX_COUNT} are allowed`,
      largest,
    )
  return count
}

/**
 * An N-dimensional array of values (`data`) and of their gradients (`diff`), row-major, float32: Caffe's Blob.
 * Data and diff never share memory with each other; either may be shared with another blob of the same count.
 */
export class Blob {
  /** The blob's name in its net, for error messages. */
  readonly name: string
  /** Goes up whenever the shape or the memory behind the blob changes: the Net asks a layer to reshape only then. */
  version = 0
  /** Why the values may not be read; empty if they may. */
  hidden = ''
  /** Whether `reshape` was ever called: a layer has to give its tops their shapes. */
  shaped = false
  private axes: Shape = []
  /** The two as kernels take them. */
  readonly memory: { data: Memory; diff: Memory }
  private ownsData = true
  private ownsDiff = true
  private dataView: NdArray<Float32Array> | undefined
  private diffView: NdArray<Float32Array> | undefined
  private heap: Heap | undefined

  /**
   * A blob of zeros. Throws a RistrettoError for a size that is negative or broken, or for more than 2³¹ − 1 values.
   * @param heap where the values will live; left out, plain host memory until a Net adopts the blob
   * @param name for error messages
   */
  constructor(shape: Shape = [], heap?: Heap, name = '') {
    mustTake(
      typeof (shape as Shape | null)?.[Symbol.iterator] === 'function',
      'new Blob',
      'a shape, [1, 3, 227, 227]',
      shape,
    )
    this.heap = heap
    this.name = name
    this.axes = [...shape]
    const count = checkShape(this.axes, name)
    this.memory = { data: this.newMemory(count, 'data'), diff: this.newMemory(count, 'diff') }
  }

  /** Sizes of the axes, outermost first: a copy; `reshape` changes them. */
  get shape(): number[] {
    return [...this.axes]
  }

  /** Number of values. */
  get count(): number {
    return this.memory.data.length
  }

  /** Number of axes. */
  get numAxes(): number {
    return this.axes.length
  }

  /** Size of axis `i`; negative axes count from the end. */
  dim(i: number): number {
    return this.axes[this.canonicalAxis(i)]
  }

  /** Product of the sizes from axis `from` up to, not including, axis `to`: size(1) of (N, C, H, W) is C·H·W. */
  size(from: number, to = this.axes.length): number {
    if (!(from >= 0 && to <= this.axes.length))
      throw new RistrettoError(
        `blob '${this.name}' has ${this.axes.length} axes [${this.axes.join(', ')}]: it has no size of those from ${String(from)} up to ${String(to)}`,
      )
    return sizeOf(this.axes, from, to)
  }

  /** Axis `i` as a non-negative number; −1 is the last. Throws when the blob has no such axis. */
  canonicalAxis(i: number): number {
    const n = this.axes.length
    if (!(Number.isInteger(i) && i >= -n && i < n))
      throw new RistrettoError(
        `axis ${String(i)} is out of range for blob '${this.name}' with ${n} axes [${this.axes.join(', ')}]`,
      )
    return i < 0 ? i + n : i
  }

  /** Size of axis 0, N; 1 where the blob has no such axis. A blob of more than 4 axes throws: use `shape`. */
  get num(): number {
    return this.legacySize(0)
  }
  /** Size of axis 1, C; 1 where the blob has no such axis. */
  get channels(): number {
    return this.legacySize(1)
  }
  /** Size of axis 2, H; 1 where the blob has no such axis. */
  get height(): number {
    return this.legacySize(2)
  }
  /** Size of axis 3, W; 1 where the blob has no such axis. */
  get width(): number {
    return this.legacySize(3)
  }

  /** Live host view of the values as an ndarray: row-major, offset 0. Take it fresh after a reshape: one kept from before is no part of the blob. */
  get data(): NdArray<Float32Array> {
    const array = this.dataArray
    if (this.dataView?.data !== array) this.dataView = ndarrayOf(array, this.axes)
    return this.dataView
  }

  /** Live host view of the gradients as an ndarray. */
  get diff(): NdArray<Float32Array> {
    const array = this.memory.diff.array
    if (this.diffView?.data !== array) this.diffView = ndarrayOf(array, this.axes)
    return this.diffView
  }

  /** The values without ndarray: exactly `count` long. */
  get dataArray(): Float32Array {
    if (this.hidden) throw new RistrettoError(this.hidden)
    return this.memory.data.array
  }

  /** The gradients without ndarray: exactly `count` long. */
  get diffArray(): Float32Array {
    return this.memory.diff.array
  }

  /** Change the shape, as `reshape([2, 3])` or `reshape(2, 3)`. Memory is reused where it is large enough. */
  reshape(...shape: [Shape] | number[]): void {
    const axes = typeof shape[0] === 'object' ? shape[0] : (shape as number[])
    mustTake(
      typeof (axes as Shape | null)?.every === 'function',
      'reshape',
      'sizes of axes, reshape([2, 3]) or reshape(2, 3)',
      axes,
    )
    this.shaped = true
    if (sameShape(axes, this.axes)) return
    const count = checkShape(axes, this.name)
    this.axes = [...axes]
    this.version++
    this.dataView = undefined
    this.diffView = undefined
    // the owner of shared memory may have resized it already, so each part is looked at by itself
    this.ownsData = this.resizePart('data', count, this.ownsData)
    this.ownsDiff = this.resizePart('diff', count, this.ownsDiff)
  }

  /** Take the shape of `other`. */
  reshapeLike(other: Blob): void {
    mustBeBlob(other)
    this.reshape(other.axes)
  }

  /** Use the values of `other` (same count) instead of own ones. */
  shareData(other: Blob): void {
    this.checkCount(other)
    if (this.memory.data === other.memory.data) return
    this.memory.data.letGo()
    this.memory.data = other.memory.data.hold()
    this.ownsData = false
    this.version++
    this.dataView = undefined
  }

  /** Use the gradients of `other` (same count) instead of own ones. */
  shareDiff(other: Blob): void {
    this.checkCount(other)
    if (this.memory.diff === other.memory.diff) return
    this.memory.diff.letGo()
    this.memory.diff = other.memory.diff.hold()
    this.ownsDiff = false
    this.version++
    this.diffView = undefined
  }

  /** Move into the memory of an engine. */
  adopt(heap: Heap): void {
    this.heap = heap
    this.memory.data.moveTo(heap)
    this.memory.diff.moveTo(heap)
    this.dataView = undefined
    this.diffView = undefined
  }

  /** Bring data and diff to the host; nothing to do on a host engine. */
  async pull(): Promise<void> {
    await this.memory.data.pull()
    await this.memory.diff.pull()
  }

  /** Give the memory back; what is shared goes on with the others that use it. */
  dispose(): void {
    this.part('data')
    this.part('diff')
    this.dataView = undefined
    this.diffView = undefined
  }

  /** `blob 'ip' 2×3 (6): 0.5, -1, …`: name, shape, number of values and the first of them. Nothing is moved or taken. */
  toString(): string {
    return `blob${this.name ? ` '${this.name}'` : ''} ${this.valuesText()}`
  }
  /** The same for Node's console. */
  [INSPECT](): string {
    return this.toString()
  }

  private valuesText(): string {
    const { data } = this.memory
    const values = this.hidden
      ? undefined
      : data.isAllocated
        ? data.hostValues
        : new Float32Array(Math.min(this.count, 8))
    if (data.isDisposed) return `${this.axes.join('×')} (${this.count}): given back by dispose()`
    if (values) return valuesText(this.axes, values)
    return `${this.axes.join('×')} (${this.count}): ${this.hidden || 'the values are on the device; await net.pull() brings them home'}`
  }

  /**
   * Give one part `count` values; what is shared belongs to another blob, which alone may resize it. Returns whether
   * the part is own.
   */
  private resizePart(part: 'data' | 'diff', count: number, owned: boolean): boolean {
    if (this.memory[part].length === count) return owned
    if (owned) this.memory[part].resize(count)
    else {
      this.memory[part].letGo()
      this.memory[part] = this.newMemory(count, part)
    }
    return true
  }

  /** Have no values any more: what others go on with is replaced by memory that was given back. */
  private part(part: 'data' | 'diff'): void {
    const memory = this.memory[part]
    if (memory.isDisposed) return
    memory.letGo()
    if (memory.isDisposed) return
    this.memory[part] = this.newMemory(memory.length, part)
    this.memory[part].dispose()
  }

  private newMemory(count: number, part: 'data' | 'diff'): Memory {
    const memory = new Memory(count, this.heap)
    if (this.name) memory.label = `${part === 'diff' ? 'the diff of ' : ''}blob '${this.name}'`
    return memory
  }

  private checkCount(other: Blob): void {
    mustBeBlob(other)
    if (this.count !== other.count)
      throw new RistrettoError(
        `blob '${this.name}' (${shapeText(this.axes)}) cannot share memory with '${other.name}' (${shapeText(other.axes)}): the counts differ`,
      )
  }

  private legacySize(i: number): number {
    if (this.axes.length > 4)
      throw new RistrettoError(
        `blob '${this.name}' has ${this.axes.length} axes: num, channels, height and width speak of at most 4, use shape`,
      )
    return i < this.axes.length ? this.axes[i] : 1
  }
}

fixFields(
  Blob.prototype,
  ['data', 'diff', 'dataArray', 'diffArray', 'shape', 'count'],
  (field, { name }) =>
    `blob '${name}': its ${field} cannot be assigned: blob.${/^d/.test(field) ? `${field.slice(0, 4)}Array.set(values) writes values` : 'reshape([2, 3]) changes it'}`,
)
