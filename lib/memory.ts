import { RistrettoError } from './errors.js'
import { mustTake } from './system/arguments.js'

/**
 * Where a run of host values lives: `pointer` is the byte offset in the heap's WebAssembly.Memory, 0 on a plain heap.
 */
export interface Block {
  readonly array: Float32Array
  readonly pointer: number
}

/**
 * Gives out zeroed host memory. The wasm and native engines have one heap for the process; the js engine uses plain
 * arrays.
 */
export interface Heap {
  /** A block of `length` zeros. */
  allocate(length: number): Block
  /**
   * Give a block back at once. Blocks that are merely forgotten come back when the garbage collector finds their array
   * gone.
   */
  release(block: Block): void
  /**
   * The owner of a block is done with it, but a program may still hold its array, and write to it: it comes back when the
   * garbage collector finds the array gone.
   */
  forget?(block: Block): void
  /** Bytes that are still to be had; undefined where only the system knows. */
  readonly available?: number
  /** Look for forgotten blocks now, where that is possible: before something is refused for want of memory. */
  reclaim?(): void
}

/**
 * The part of a device engine that Memory needs: its queue takes uploads and releases in order, and only a download
 * waits.
 */
export interface DeviceQueue {
  readonly name: string
  /** Copies `values` at call time and returns the handle of the device's copy. */
  upload(values: Float32Array): unknown
  /** Fills `into` with the values behind `handle`. */
  download(handle: unknown, into: Float32Array): Promise<void>
  /** Give the device's copy up, once what was queued before is done with it. */
  release(handle: unknown): void
}

/** Ordinary ArrayBuffers: blobs made without an engine, and the js engine. */
export const plainHeap: Heap = {
  allocate: length => ({ array: plainArray(length), pointer: 0 }),
  release() {},
}

/**
 * Bytes from which the system is asked first: it grants far more than it has, and ends the program when that is used.
 */
const LARGE = 2 ** 28

function plainArray(length: number): Float32Array {
  const bytes = 4 * length
  const free = bytes < LARGE || typeof process === 'undefined' ? undefined : process.availableMemory?.()
  try {
    if (free === undefined || bytes <= free) return new Float32Array(length)
  } catch {}
  throw new RistrettoError(
    `no memory for ${length} values (${(bytes / 2 ** 20).toFixed(0)} MiB)${free === undefined ? '' : `: ${(free / 2 ** 20).toFixed(0)} MiB are free`}`,
  )
}

/** The array of the block behind a shorter view of it: heaps take back a block when its array is garbage. */
const wholes = new WeakMap<Float32Array, Float32Array>()

/**
 * `length` float32 values that are current on the host, on one device, or on both: Caffe's SyncedMemory.
 * Storage appears at the first use and only ever grows; values start at zero.
 */
export class Memory {
  /** Who owns these values, for error messages: "blob 'conv1'" or "the diff of blob 'conv1'". */
  label = ''
  private block: Block | undefined
  private view: Float32Array | undefined
  private device: DeviceQueue | undefined
  private handle: unknown
  private newest: 'host' | 'device' | 'both' = 'host'
  private disposed = false
  /** Whose storage this uses instead of its own. */
  private lender: Memory | undefined
  /** Makes the first values, when somebody asks for them; there is no view until then. */
  private pending: ((values: Float32Array) => void) | undefined
  private changes = 0
  private handedOut = false
  /** Whether somebody has had the array of the block that there is. */
  private lent = false
  /** How many blobs use these values: the last one gives them back. */
  private holders = 1
  /** Downloads that are still to be written to the block. */
  private arriving = 0

  constructor(
    private size: number,
    private heap: Heap = plainHeap,
  ) {
    mustTake(typeof size === 'number' && size >= 0, 'new Memory', 'a number of values', size)
  }

  /** Number of float32 values. */
  get length(): number {
    return this.size
  }

  /** Whether storage exists yet: a diff that nobody touched costs nothing. */
  get isAllocated(): boolean {
    return this.block !== undefined || this.handle !== undefined
  }

  /** Whether `dispose` was called: the values are gone. */
  get isDisposed(): boolean {
    return this.disposed
  }

  /**
   * Another number after everything that may have changed the values, for those who keep what they made of them. NaN,
   * which no number equals, once somebody has had the array: it can be written at any time.
   */
  get revision(): number {
    return this.handedOut ? Number.NaN : this.changes
  }

  /** The heap that the values live in. */
  get home(): Heap {
    return this.heap
  }

  /**
   * Take storage now and let `fill` write the values at their first use: weights that are loaded before it are never
   * drawn at random.
   */
  fillLater(fill: (values: Float32Array) => void): void {
    this.claim()
    this.storage()
    this.view = undefined
    this.pending = fill
  }

  /** Do now what fillLater put off. */
  settle(): void {
    if (this.pending) this.materialize()
  }

  /**
   * Use the storage of `lender`, which is at least as long, until the next resize; undefined: own storage again. Values
   * are lost.
   */
  borrow(lender: Memory | undefined): void {
    this.giveBack()
    this.dropDevice()
    this.changes++
    this.block = undefined
    this.view = undefined
    this.pending = undefined
    this.lender = lender
  }

  /** Host values, exactly `length` long. They may be written, so afterwards the host copy counts as the newest. */
  get array(): Float32Array {
    this.handedOut = true
    if (this.newest !== 'host') this.takeHome()
    const array = this.view ?? this.materialize()
    this.lend()
    return array
  }

  /** Let `change` write host values; it must not keep the array. */
  write(change: (values: Float32Array) => void): void {
    this.changes++
    if (this.newest !== 'host') this.takeHome()
    change(this.view ?? this.materialize())
  }

  /** The host values, only to be looked at now. */
  get values(): Readonly<Float32Array> {
    if (this.newest === 'device') throw this.elsewhere()
    return this.view ?? this.materialize()
  }

  /**
   * The newest values, only to be looked at, where the host has them: nothing is moved or marked. Undefined where only
   * a device does.
   */
  get hostValues(): Readonly<Float32Array> | undefined {
    return this.newest === 'device' ? undefined : (this.view ?? this.materialize())
  }

  /**
   * Byte offset of the host values in the heap's WebAssembly memory. Marks the host newest, as `array` does. Throws for
   * values that lie elsewhere: a kernel would write over what the module keeps.
   */
  get pointer(): number {
    if (this.heap === plainHeap) throw this.onPlainHeap()
    this.changes++
    if (this.newest !== 'host') this.takeHome()
    if (this.view === undefined) this.materialize()
    return this.block!.pointer
  }

  /** The same for a kernel that only reads. */
  get readPointer(): number {
    if (this.heap === plainHeap) throw this.onPlainHeap()
    if (this.newest === 'device') throw this.elsewhere()
    if (this.view === undefined) this.materialize()
    return this.block!.pointer
  }

  /** Change the length. Storage is kept if it is large enough; what it then holds is whatever it held. */
  resize(length: number): void {
    if (length === this.size) return
    this.settle()
    this.changes++
    this.size = length
    this.view = undefined
    this.dropDevice()
    if (this.lender) this.borrow(undefined)
    if (this.block && this.block.array.length < length) {
      this.giveBack()
      this.block = undefined
    }
  }

  /** One more blob uses these values. */
  hold(): this {
    this.holders++
    return this
  }

  /** A blob uses these values no more: they are given back with the last. */
  letGo(): void {
    if (--this.holders <= 0) this.dispose()
  }

  /** The host is about to overwrite every value: nothing needs to be fetched. */
  claim(): void {
    this.changes++
    this.pending = undefined
    if (this.newest === 'host') return
    this.newest = 'host'
    this.dropDevice()
  }

  /** Bring the newest values to the host; resolves at once when they are there already. */
  pull(): Promise<void> | undefined {
    if (this.newest !== 'device') return undefined
    const { handle } = this
    const owner = this.lender ?? this
    const into = this.view ?? this.materialize()
    const download = this.device!.download(handle, into)
    owner.arriving++
    const arrived = () => {
      owner.arriving--
    }
    download.then(arrived, arrived)
    return download.then(() => {
      // unless they have moved meanwhile
      if (this.newest === 'device' && this.handle === handle && this.view === into) this.newest = 'both'
    })
  }

  /** Handle for a kernel of `device` to read; uploads first if the host is newer. */
  read(device: DeviceQueue): unknown {
    if (this.newest === 'host' || this.device !== device) {
      if (this.newest === 'device') throw this.elsewhere()
      this.dropDevice()
      this.device = device
      this.handle = device.upload(this.view ?? this.materialize())
      this.newest = 'both'
    }
    return this.handle
  }

  /** A kernel of `device` has put new values behind `handle`; the host copy is now stale. */
  replace(device: DeviceQueue, handle: unknown): void {
    if (this.handle !== undefined && this.handle !== handle) this.dropDevice()
    this.changes++
    this.pending = undefined
    this.device = device
    this.handle = handle
    this.newest = 'device'
  }

  /** Move the host values into another heap (a Net adopts a Blob that was made without an engine). */
  moveTo(heap: Heap): void {
    if (heap === this.heap) return
    const old = this.block
    const values = this.view
    const { lender, lent, heap: from } = this
    this.heap = heap
    this.lender = undefined
    this.block = undefined
    this.view = undefined
    if (old && values) this.materialize().set(values)
    else if (old) this.storage()
    if (old && !lender) this.part(from, old, lent)
  }

  /** Give the storage back. Using it afterwards throws. */
  dispose(): void {
    this.giveBack()
    this.dropDevice()
    this.block = undefined
    this.view = undefined
    this.pending = undefined
    this.newest = 'host'
    this.disposed = true
  }

  /** Own storage is free again at once, or is merely forgotten where a program or values still to come hold its array. */
  private giveBack(): void {
    if (this.block && !this.lender) this.part(this.heap, this.block, this.lent)
  }

  private part(heap: Heap, block: Block, lent: boolean): void {
    if (lent || this.arriving > 0) heap.forget?.(block)
    else heap.release(block)
  }

  private lend(): void {
    this.lent = true
    this.lender?.lend()
  }

  private storage(): Block {
    if (this.disposed) throw new RistrettoError(`these values${this.named()} were given back by dispose()`)
    if (this.block) return this.block
    this.block = this.lender ? this.lender.storage() : this.heap.allocate(this.size)
    this.lent = false
    return this.block
  }

  private materialize(): Float32Array {
    const { array } = this.storage()
    this.view = array.length === this.size ? array : array.subarray(0, this.size)
    // whoever holds a part of a block keeps the whole of it from being given out again
    if (this.view !== array) wholes.set(this.view, array)
    const fill = this.pending
    this.pending = undefined
    fill?.(this.view)
    return this.view
  }

  private takeHome(): void {
    if (this.newest === 'device') throw this.elsewhere()
    this.newest = 'host'
    this.dropDevice()
  }

  private dropDevice(): void {
    if (this.handle !== undefined) this.device!.release(this.handle)
    this.handle = undefined
    this.device = undefined
    // what only the device had is lost, or about to be replaced
    this.newest = 'host'
  }

  private named(): string {
    return this.label ? ` of ${this.label}` : ''
  }

  private onPlainHeap(): RistrettoError {
    return new RistrettoError(
      `these ${this.size} values${this.named()} are on plain host memory, where no kernel of WebAssembly finds them; make the Memory or the Blob with the engine's heap`,
    )
  }

  private elsewhere(): RistrettoError {
    return new RistrettoError(
      `these ${this.size} values${this.named()} are on the ${this.device!.name} engine; await net.pull() first`,
    )
  }
}
